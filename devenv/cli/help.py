"""What `--help` shows: the commands by task, each with one example; below a command's options, its examples."""

from __future__ import annotations

import os
import re
import sys
import textwrap
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import typer

from devenv.cli.tasks import OTHER, TASKS, Example, examples_of, task_of

WIDTH = 76
COLUMN = 13
GAP = 3
_BRACKETS = re.compile(r"^\[([^][]*)\]$")


def dress(command: Any, name: str = "") -> Any:
    """The command, which typer made, with our sections in its help, and so each command below it.

    `name` is the command's without "devenv", such as "config show".
    """
    inner = getattr(command, "commands", {})
    for key, one in inner.items():
        dress(one, f"{name} {key}".strip())
    # typer wants a class for each command, group and argument; these methods are all that differs.
    for parameter in command.params:
        if parameter.param_type_name == "argument":
            parameter.display_type_rich = _no_type
            # typer adds brackets and dots of its own.
            parameter.metavar = parameter.metavar and _BRACKETS.sub(r"\1", parameter.metavar.removesuffix("..."))
    if inner:
        command.format_commands = partial(_write_commands, command, name)
    if not inner or command.invoke_without_command:
        command.format_epilog = partial(_write_examples, examples_of(name))
    return command


def example_lines(examples: Sequence[Example]) -> list[str]:
    """Examples with what they are for beside them, or above where there is no room."""
    width = max((len(line) for line, _ in examples), default=0)
    if any(width + GAP + len(about) > WIDTH for _, about in examples):
        return [text for line, about in examples for text in (f"# {about}", line)]
    return [f"{line:<{width + GAP}}{about}" for line, about in examples]


def _no_type(ctx: Any) -> None:
    """An argument's name and help say more than its Python type."""


def _write_examples(examples: Sequence[Example], _context: Any, formatter: Any) -> None:
    if examples:
        formatter.write("\n" + _bold("Examples:") + "\n")
        formatter.write("".join(f"  {line}\n" for line in example_lines(examples)))


def _write_commands(group: Any, name: str, _context: Any, formatter: Any) -> None:
    shown = {key: one for key, one in group.commands.items() if not one.hidden}
    for title, keys in _sections(list(shown)) if not name else [("Commands", list(shown))]:
        formatter.write("\n" + _bold(f"{title}:") + "\n")
        for key in keys:
            formatter.write(_entry(key, shown[key].help or "", examples_of(f"{name} {key}".strip()), formatter.width))
    formatter.write(f"\n{f'devenv {name}'.strip()} COMMAND --help shows a command's options and more examples.\n")


def _sections(shown: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Each task with the commands that are there, in the order in which the task lists them."""
    for task in (*TASKS, OTHER):
        listed = [key for key in TASKS.get(task, shown) if key in shown and task_of(key) == task]
        if listed:
            yield task, listed


def _entry(name: str, text: str, examples: Sequence[Example], width: int) -> str:
    """A command: its first sentence, and its first example below that."""
    first = text.partition(". ")[0].partition("; ")[0].rstrip(".")
    lines = textwrap.wrap(" ".join(first.split()), width - COLUMN - 2)
    lines += [f"$ {line}" for line, _ in examples[:1]]
    return "".join(f"  {name if index == 0 else '':<{COLUMN}}{line}\n" for index, line in enumerate(lines))


def _bold(text: str) -> str:
    colored = sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
    return typer.style(text, bold=True) if colored else text
