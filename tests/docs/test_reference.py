from __future__ import annotations

import pytest

from tests.docs.completion_table import TABLE, table
from tests.docs.reference import REFERENCE, cli_commands, pages


@pytest.mark.parametrize("name", sorted(pages()))
def test_the_reference_is_what_the_code_says(name: str) -> None:
    assert (REFERENCE / name).read_text() == pages()[name], "run: make docs"


def test_completion_knows_what_the_code_says() -> None:
    assert TABLE.read_text() == table(), "run: make docs"


@pytest.mark.parametrize(("name", "command"), cli_commands(), ids=[name for name, _ in cli_commands()])
def test_every_command_and_option_has_help(name: str, command: object) -> None:
    assert command.help, name  # type: ignore[attr-defined]
    bare = [p.name for p in command.params if not p.help]  # type: ignore[attr-defined]
    assert bare == [], name
