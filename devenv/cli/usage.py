"""What typer says of a wrong command line, as an error of ours with the word that was probably meant."""

from __future__ import annotations

import re
from typing import Any

from devenv import problems
from devenv.cli.words import nearest
from devenv.errors import UsageError

_QUOTED = re.compile(r"'([^']*)'")


def is_help(error: Exception) -> bool:
    """Whether the "error" is that nothing was asked for, and its message the help."""
    return type(error).__name__ == "NoArgsIsHelpError"


def usage_error(error: Any) -> UsageError:
    """The error for one of typer's (anything with `format_message()` and, mostly, `ctx`)."""
    context = error.ctx if getattr(error, "ctx", None) else None
    text = _unknown_option(error, context) or _unknown_command(error, context) or _other(error.format_message())
    path = context.command_path if context else "devenv"
    text = " ".join(text.split()).rstrip(".")
    return UsageError(problems.USAGE, hint=_runners_option(error, context), text=text, command=path)


def _runners_option(error: Any, context: Any) -> str | None:
    """What to write where an unknown option may be meant for the program that the command runs."""
    parameters = context.command.params if context and getattr(error, "option_name", None) else []
    if not any(str(parameter.metavar).startswith("-- ") for parameter in parameters):
        return None
    path, name = context.command_path, error.option_name
    return f"{path} --help shows its options; those of the runner stand behind --: {path} NAME -- {name} ..."


def _unknown_option(error: Any, context: Any) -> str:
    name = getattr(error, "option_name", None)
    if not name or not error.message.startswith("No such option"):
        return ""
    known = [option for parameter in context.command.params for option in parameter.opts] if context else []
    return f"No such option '{name}'{_meant(name, [option for option in known if option.startswith('--')])}"


def _unknown_command(error: Any, context: Any) -> str:
    if not context or not error.message.startswith("No such command"):
        return ""
    name = error.message.split("'")[1]
    known = [key for key, command in context.command.commands.items() if not command.hidden]
    return f"No such command '{name}'{_meant(name, known)}"


def _other(message: str) -> str:
    text = message.replace("Value error, ", "")
    wrong = re.search(r"'([^']*)' is not one of (.*)", text)
    return f"{text.rstrip('.')}{_meant(wrong[1], _QUOTED.findall(wrong[2]))}" if wrong else text


def _meant(word: str, known: list[str]) -> str:
    found = nearest(word, known)
    return f". Did you mean '{found}'?" if found else ""
