"""The table that completion reads, made from the command line, the catalogue and the shipped profiles."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from devenv.checks.catalogue import CHECKS
from devenv.cli.app import make_command
from devenv.completion.table import FILE
from devenv.config.offers import describe_profile, list_profiles
from devenv.problems import CATALOGUE

TABLE = Path(FILE)

KINDS = {
    "arguments": "files",
    "checks": f"={'|'.join(check.id for check in CHECKS)}",
    "code": "codes",
    "name": "profiles",
    "names": "units",
    "off": "dependencies",
    "only": "groups",
    "profile": "profiles",
    "real": "real",
    "service": "services",
    "services": "units",
    "stub": "stub",
    "unit": "units",
}
"""What the value of a parameter is, by the parameter's name."""


def command_lines(command: Any, path: str = "") -> Iterator[str]:
    """The lines of a command and those below it; what a line holds is told in devenv/completion/table.py."""
    yield line("command", path, first_sentence(command.help or ""))
    for parameter in command.params:
        if not getattr(parameter, "hidden", False):
            yield parameter_line(parameter, path)
    yield line("option", path, "--help -h", "-", "", "Show this message and exit.")
    for key, inner in sorted(getattr(command, "commands", {}).items()):
        if not inner.hidden:
            yield from command_lines(inner, f"{path} {key}".strip())


def line(*fields: str) -> str:
    return "\t".join(" ".join(field.split()) for field in fields)


def parameter_line(parameter: Any, path: str) -> str:
    if parameter.param_type_name == "argument":
        return line("argument", path, kind(parameter), "many" if parameter.nargs == -1 else "")
    # The long name first: by it values are asked for.
    names = sorted(parameter.opts, key=lambda name: not name.startswith("--"))
    value = "-" if parameter.is_flag else kind(parameter)
    return line("option", path, " ".join(names), value, "many" if parameter.multiple else "", parameter.help or "")


def kind(parameter: Any) -> str:
    annotation = parameter.type_descriptor.annotation
    if get_origin(annotation) is Literal:
        return f"={'|'.join(get_args(annotation))}"
    if annotation is Path:
        return "files"
    return KINDS.get(parameter.name, "")


def first_sentence(text: str) -> str:
    return " ".join(text.split()).partition(". ")[0].partition("; ")[0].rstrip(".")


def table() -> str:
    """The table as its file has it."""
    lines = list(command_lines(make_command()))
    for problem in sorted(CATALOGUE, key=lambda problem: problem.code):
        lines.append(line("code", problem.code, re.sub(r"\{[^}]*\}", "…", problem.message)))
    for profile in list_profiles(None):
        needs = describe_profile(profile.name, None).dependencies
        lines.append(line("profile", profile.name, profile.description, " ".join(need.name for need in needs)))
    return "".join(f"{one}\n" for one in lines)
