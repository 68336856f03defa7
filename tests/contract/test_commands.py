"""What every Commands does, on a fake and on this machine."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from devenv.host.commands import LocalCommands
from devenv.ports import Command, Commands
from tests.fakes.host import FakeCommands

Make = Callable[[int, str], tuple[Commands, Command]]
"""Makes commands, and one that ends with a code after printing a text."""


def fake(code: int, output: str) -> tuple[Commands, Command]:
    commands = FakeCommands(tools=("tool",))
    commands.answers["tool"] = (code, output)
    return commands, Command(("tool", "--flag"))


def real(code: int, output: str) -> tuple[Commands, Command]:
    script = f"import sys; sys.stdout.write({output!r}); raise SystemExit({code})"
    return LocalCommands({"tool": sys.executable}), Command(("tool", "-c", script))


@pytest.fixture(params=[fake, real])
def make(request: pytest.FixtureRequest) -> Make:
    chosen: Make = request.param
    return chosen


@pytest.mark.parametrize("code", [0, 3])
def test_the_code_and_the_output_come_back_whatever_the_code(make: Make, code: int) -> None:
    commands, command = make(code, "one\ntwo\n")
    done = commands.run(command)
    assert (done.command, done.code, done.stdout, done.output) == (command, code, "one\ntwo\n", "one\ntwo\n")


def test_each_line_is_told_without_its_end(make: Make) -> None:
    commands, command = make(0, "one\n\nthree")
    lines: list[str] = []
    commands.run(command, on_line=lines.append)
    assert lines == ["one", "", "three"]


def test_a_tool_is_found_or_not(make: Make) -> None:
    commands, _ = make(0, "")
    assert commands.find("tool")
    assert commands.find("no-such-tool-anywhere") is None
