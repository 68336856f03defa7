"""What `--help` shows: every command under a task, with examples that exist, in 80 columns."""

from __future__ import annotations

import io
import os
import re
from contextlib import redirect_stdout

import pytest

from devenv.cli.app import make_command
from devenv.cli.tasks import OTHER, TASKS, examples_of, task_of
from tests.docs.reference import cli_commands
from tests.docs.test_pages import check_commands

NAMES = [name.removeprefix("devenv ") for name, _ in cli_commands()]
EXAMPLES = [line for commands in TASKS.values() for examples in commands.values() for line, _ in examples]
GROUPS = sorted(key for key, command in make_command().commands.items() if hasattr(command, "commands"))


def shown(*arguments: str) -> str:
    out = io.StringIO()
    with redirect_stdout(out):
        make_command()([*arguments, "--help"], prog_name="devenv", standalone_mode=False)
    return out.getvalue()


@pytest.mark.parametrize("name", NAMES)
def test_every_command_has_a_task_and_examples(name: str) -> None:
    assert task_of(name) != OTHER, "name it in devenv/cli/tasks.py"
    assert len(examples_of(name)) in (2, 3)
    lines = [line for line, _ in examples_of(name)]
    assert any(re.search(rf"\bdevenv {name}\b", line) for line in lines)


def test_every_task_names_commands_that_exist() -> None:
    named = {name for commands in TASKS.values() for name in commands}
    assert named == {*NAMES, *GROUPS}


@pytest.mark.parametrize("line", EXAMPLES)
def test_an_example_is_a_command_with_its_options(line: str) -> None:
    check_commands("devenv/cli/tasks.py", line)


@pytest.mark.parametrize("name", NAMES)
def test_the_usage_closes_what_it_opens(name: str) -> None:
    usage = shown(*name.split()).partition("\n\n")[0]
    while (inner := re.sub(r"\[[^][{}]*\]|\{[^][{}]*\}", "", usage)) != usage:
        usage = inner
    assert re.findall(r"[][{}]", usage) == []


@pytest.mark.parametrize("name", ["", *GROUPS, *NAMES])
def test_help_fits_in_80_columns(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    text = shown(*name.split())
    assert [line for line in text.splitlines() if len(line) > 80] == []
    assert "\x1b" not in text


def test_the_first_help_has_every_task_and_an_example_of_each_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    text = shown()
    assert re.findall(r"^(\S.*):$", text, re.MULTILINE) == ["Options", *TASKS]
    commands = re.findall(r"^  ([a-z]+)  ", text, re.MULTILINE)
    assert sorted(commands) == sorted({name.split()[0] for name in NAMES})
    assert text.count("  $ devenv ") == len(commands)


def test_a_commands_help_ends_with_its_examples() -> None:
    assert shown("up").rpartition("Examples:\n")[2].splitlines()[1] == (
        "  devenv up -d                the same, in the background"
    )


def test_no_colours_where_none_are_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    from devenv.cli import help as shown_help

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdout", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert shown_help._bold("Look") != "Look"
    monkeypatch.setenv("NO_COLOR", os.environ.get("NO_COLOR", "1"))
    assert shown_help._bold("Look") == "Look"
