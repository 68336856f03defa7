"""Writes the reference pages and the JSON Schemas from the code: `python -m tests.docs.reference --write`."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from devenv import errors
from devenv.checks.catalogue import CHECKS, EXPLAINS
from devenv.cli.app import make_command
from devenv.cli.tasks import examples_of
from devenv.config.explain import Explained, Place
from devenv.config.model import (
    Build,
    Dependency,
    Deploy,
    Environment,
    Origin,
    Real,
    Reload,
    Service,
    Stub,
    Syncing,
    SyncRule,
    Test,
    Volume,
)
from devenv.config.offers import Need, Offer, Parameter, Profile
from devenv.config.validate import Validated
from devenv.errors import Finding, Problem
from devenv.flows.doctor import Repair
from devenv.flows.down import DownResult
from devenv.flows.init import InitResult
from devenv.flows.status import UnitStatus
from devenv.flows.test import TestResult
from devenv.flows.trust import TrustedCommand
from devenv.flows.units import UnitResult
from devenv.flows.up import UpResult
from devenv.flows.version import Versions
from devenv.health.program import Program
from devenv.problems import CATALOGUE
from devenv.session.forwards.forwarding import Forward
from devenv.session.sync.reasons import Reason
from devenv.session.sync.sync_explain import Explanation
from devenv.session.sync.sync_pull import Pulled
from devenv.session.sync.sync_status import Lag, LastBatch, ReplicaStatus, SyncStatus
from devenv.session.sync.sync_verify import Difference, Verdict
from devenv.session.sync.troubles import Rebuild, SessionTrouble, Trouble
from devenv.session.waiting import UnitWait, WaitResult
from tests.docs import schemas
from tests.docs.completion_table import TABLE, table

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
BAR = r"\|"
NOTICE = "<!-- written by `make docs`; a test compares it with the code -->\n"


def commands(command: Any, name: str = "devenv") -> Iterator[tuple[str, Any]]:
    """Every command that is not hidden, with its full name."""
    if getattr(command, "hidden", False):
        return
    if hasattr(command, "commands"):
        if command.invoke_without_command:
            yield name, command
        for key, inner in sorted(command.commands.items()):
            yield from commands(inner, f"{name} {key}")
    else:
        yield name, command


def cli_commands() -> list[tuple[str, Any]]:
    """The commands of the application as (full name, command)."""
    return list(commands(make_command()))


def cli_page() -> str:
    parts = [NOTICE, "# Commands\n", "What every command prints with `--help`, in one page.\n"]
    for name, command in cli_commands():
        parts += [f"## {name}\n", f"{command.help}\n"]
        rows = [_option_row(p) for p in command.params if p.name != "help"]
        parts += ["| option | meaning |", "| --- | --- |", *rows, ""] if rows else []
        examples = [f"# {about}\n{line}" for line, about in examples_of(name.removeprefix("devenv "))]
        parts += ["```sh", *examples, "```", ""] if examples else []
    return "\n".join(parts).rstrip() + "\n"


def _option_row(parameter: Any) -> str:
    names = parameter.opts if parameter.param_type_name == "option" else [parameter.metavar or parameter.name.upper()]
    metavar = f" {parameter.metavar}" if parameter.param_type_name == "option" and parameter.metavar else ""
    shown = ", ".join(f"`{name}{metavar}`" for name in names)
    default = parameter.default
    scalar = isinstance(default, int | float | str) and not isinstance(default, bool)
    cells = [shown, f"{parameter.help or ''}{f' (default: {default})' if scalar else ''}"]
    # What stands for "or" in a cell would end it.
    return f"| {' | '.join(cell.replace('|', BAR) for cell in cells)} |".replace("  |", " |")


def errors_page() -> str:
    parts = [
        NOTICE,
        "# When something goes wrong\n",
        "Every error has a code in brackets at its end. `devenv explain CODE` prints the same as this page.\n",
    ]
    for problem in sorted(CATALOGUE, key=lambda p: p.code):
        cure = problem.cure.replace("{{", "{").replace("}}", "}")
        parts += [f"## {problem.code}\n", f"`{problem.message}`\n", f"{problem.cause}\n", f"**What to do:** {cure}\n"]
    return "\n".join(parts).rstrip() + "\n"


def exit_codes_page() -> str:
    classes = [c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, errors.DevenvError)]
    rows = {c.exit_code: (c.__doc__ or "").splitlines()[0].rstrip(".;") for c in classes if c is not errors.DevenvError}
    rows |= {0: "Done", errors.EXIT_BUG: "A bug in devenv"}
    rows |= {errors.EXIT_INTERRUPTED: "Interrupted (Ctrl-C)"}
    lines = [f"| {code} | {text} |" for code, text in sorted(rows.items())]
    intro = (
        "`devenv test` passes on the code of the test runner; with `-o json`, `exit.origin` says whose code it is. "
        "`devenv` alone prints its help on stderr and ends with 2.\n"
    )
    return "\n".join([NOTICE, "# Exit codes\n", intro, "| code | meaning |", "| --- | --- |", *lines]) + "\n"


JSON_RESULTS: tuple[tuple[str, type, str], ...] = (
    ("devenv up", UpResult, "and `changed`, `forwards` (a list of forwards)"),
    ("devenv up: each of `units`", UnitResult, ""),
    ("devenv status: each of `units`", UnitStatus, "beside `environment`, `context`, `namespace`, `ready`, `session`"),
    ("devenv status: each of `session.forwards`", Forward, "beside `pid`, `foreground`, `synced`, `sync`, `problems`"),
    ("devenv status: each of `session.problems`", SessionTrouble, ""),
    ("devenv status: each of `session.rebuild`", Rebuild, ""),
    ("devenv forward ls, and stop: each of the list", Forward, "with `ls` also `pod` and `state`: up or waiting"),
    ("devenv forward add", Forward, "in a session also `pod` and `state`"),
    ("devenv sync status, and accept: each of the list", SyncStatus, ""),
    ("devenv sync status: each of `replicas`", ReplicaStatus, "`way` is agent or shell"),
    ("devenv sync status: a replica's `problem`", Trouble, "None where there is none"),
    ("devenv sync status: each of a replica's `rebuild`", Reason, ""),
    ("devenv sync status: a replica's `last`", LastBatch, ""),
    ("devenv sync status: a replica's `lag`", Lag, ""),
    ("devenv sync status: a replica's `program`", Program, "the state is waits, runs, crashed or ended"),
    ("devenv sync verify: each of the list", Verdict, ""),
    ("devenv sync verify: each of `differences`", Difference, ""),
    ("devenv sync pull: each of the list", Pulled, "the result is pulled, same, differs or refused"),
    ("devenv sync explain: each of the list", Explanation, ""),
    ("devenv wait", WaitResult, "an error (`wait-timeout`) has the reasons as `details`"),
    ("devenv wait: each of `units`", UnitWait, ""),
    ("devenv down", DownResult, ""),
    ("devenv test", TestResult, "and `exit`: `{code, origin}` with origin `runner`"),
    ("devenv doctor: each of `checks`", Finding, "the status is ok, warn, fail or skipped"),
    ("devenv doctor --fix: each of `repairs`", Repair, ""),
    ("devenv config show", Environment, "paths are absolute"),
    ("devenv config show: each of `services`", Service, ""),
    ("devenv config show: a service's `build`", Build, ""),
    ("devenv config show: a service's `deploy`", Deploy, ""),
    ("devenv config show: each of a service's `sync`", SyncRule, ""),
    ("devenv config show: a sync rule's `reload`", Reload, ""),
    ("devenv config show: a service's `syncing`", Syncing, "the `gate` in seconds"),
    ("devenv config show: a service's `test`", Test, ""),
    ("devenv config show: each of `dependencies`", Dependency, ""),
    ("devenv config show: a dependency's `stub`", Stub, ""),
    ("devenv config show: a dependency's `real`", Real, ""),
    ("devenv config show: each of `volumes`", Volume, ""),
    ("devenv config explain: each of the list", Explained, ""),
    ("devenv config explain: each of `parameters` and `used_in`", Place, ""),
    ("devenv config: each `origin`", Origin, ""),
    ("devenv config validate", Validated, "and `valid` (true; faults are an error with a line of `details` each)"),
    ("devenv trust: each of the list", TrustedCommand, ""),
    ("devenv init", InitResult, "and `faults`: what `devenv up` would find wrong in the files"),
    ("devenv explain: one, or each of the list", Problem, ""),
    ("devenv profiles: each of the list", Profile, ""),
    ("devenv profiles show", Offer, ""),
    ("devenv profiles show: each of `dependencies`", Need, ""),
    ("devenv profiles show: each of `parameters`", Parameter, ""),
    ("devenv version", Versions, ""),
)


def json_page() -> str:
    parts = [
        NOTICE,
        "# JSON output\n",
        "With `-o json`, stdout has one JSON document (`devenv logs`: one `{unit, line}` a line); progress stays on "
        "stderr. These fields are stable: new ones may come, none goes or changes its meaning in a major version.\n",
        "An error is `{error: {code, message, details, hint}, checks, exit: {code, origin}}` with origin `devenv`; "
        "`checks` are findings (as those of `devenv doctor`) that may explain a failed `devenv up`.\n",
    ]
    for title, kind, more in JSON_RESULTS:
        names = ", ".join(f"`{field.name}`" for field in dataclasses.fields(kind))
        parts += [
            f"## {title}\n",
            f"{(kind.__doc__ or '').splitlines()[0]}\n",
            f"{names}{f'; {more}' if more else ''}\n",
        ]
    return "\n".join(parts).rstrip() + "\n"


def checks_page() -> str:
    parts = [NOTICE, "# Checks of devenv doctor\n", "Ids are stable; how to use them: [doctor](../how-to/doctor.md).\n"]
    for group in dict.fromkeys(check.group for check in CHECKS):
        parts += [f"## {group}\n", "| id | what is checked | shown when `up` fails with |", "| --- | --- | --- |"]
        for check in (check for check in CHECKS if check.group == group):
            codes = ", ".join(f"`{code}`" for code, ids in EXPLAINS.items() if check.id in ids)
            online = " (with `--online`)" if check.online else ""
            parts.append(f"| `{check.id}` | {check.title}{online} | {codes} |".replace("  |", " |"))
        parts.append("")
    return "\n".join(parts).rstrip() + "\n"


def pages() -> dict[str, str]:
    """Every generated page by its file name."""
    return {
        "checks.md": checks_page(),
        "commands.md": cli_page(),
        "errors.md": errors_page(),
        "exit-codes.md": exit_codes_page(),
        "json.md": json_page(),
    }


if __name__ == "__main__":
    if "--write" in sys.argv:
        REFERENCE.mkdir(parents=True, exist_ok=True)
        for name, text in pages().items():
            (REFERENCE / name).write_text(text)
        TABLE.write_text(table())
        schemas.write()
    else:
        sys.stdout.write("\n".join(pages().values()))
