from __future__ import annotations

from devenv import problems
from devenv.errors import ToolError
from devenv.terminal.render import error_envelope, error_lines


def test_what_programs_tell_a_terminal_stays_out_of_an_errors_details() -> None:
    error = ToolError(problems.PUSH_FAILED, image="x", details=["  log: \x1b[1;31mERROR\x1b[0m: no such table"])
    assert error_lines(error)[1] == "    log: ERROR: no such table"
    assert error_envelope(error)["error"]["details"] == ["  log: ERROR: no such table"]
