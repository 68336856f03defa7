"""`devenv init`."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from devenv.cli.app import app
from devenv.cli.options import OutputOption, VerboseOption, YesOption
from devenv.errors import Problem, Refused, UsageError


@app.command()
def init(
    source: Annotated[str, typer.Option("--from", metavar="FILE", help="The compose file to begin with.")] = "",
    name: Annotated[str, typer.Option("--name", help="Name of the environment (default: the folder's).")] = "",
    service: Annotated[
        list[str] | None,
        typer.Option("--service", metavar="NAME=PATH", help="A service: its folder or Dockerfile (instead of all)."),
    ] = None,
    port: Annotated[
        list[str] | None, typer.Option("--port", metavar="NAME=PORT", help="A port that a service listens on.")
    ] = None,
    dependency: Annotated[
        list[str] | None,
        typer.Option("--dependency", metavar="NAME[=IMAGE]", help="One more dependency, such as postgres."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that are there.")] = False,
    schema_line: Annotated[
        bool,
        typer.Option("--schema-line", help="Begin each file by naming its JSON Schema on this machine, for editors."),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the files and stop.")] = False,
    yes: YesOption = False,
    output: OutputOption = "text",
    verbose: VerboseOption = False,
) -> None:
    """Write devenv.yaml and a profile from what the project has: a compose file, or its Dockerfiles and .env."""
    from devenv.flows.init import Answers, InitRequest, faults_of
    from devenv.flows.init import init as write_files
    from devenv.terminal.render import print_json
    from devenv.wiring import make_project_files

    root = Path.cwd()
    request = InitRequest(
        root,
        _relative(source, root),
        name,
        {
            key: _relative(path, root)
            for key, path in _pairs("--service", service, "--service web=services/web").items()
        },
        _ports(port),
        {key: image for key, image in _pairs("--dependency", dependency, "", optional=True).items()},
        _schemas() if schema_line else {},
        dry_run,
        overwrite,
    )
    answers = Answers(
        port=lambda name: None if yes or output == "json" else _ask_ports(name),
        show=lambda texts, notes: None if output == "json" else _show(texts, notes),
        confirm=lambda action: _confirm(action, yes=yes, overwrite=overwrite, as_json=output == "json"),
    )
    result = write_files(request, make_project_files(), answers)
    faults = [] if dry_run else faults_of(root)
    if output == "json":
        print_json({**asdict(result), "faults": faults})
    else:
        _end(result.written, faults, dry_run=dry_run)
    if faults:
        raise typer.Exit(10)


def _schemas() -> dict[str, str]:
    """The JSON Schemas of the files, where they are on this machine."""
    from devenv.config.search import schema_file
    from devenv.scan.write import ENVIRONMENT, PROFILE

    found = {ENVIRONMENT: schema_file("environment"), PROFILE: schema_file("profile")}
    return {path: str(file) for path, file in found.items() if file.is_file()}


def _relative(path: str, root: Path) -> str:
    """A path of the command line as seen from the project's folder, with `/`."""
    import os

    return Path(os.path.relpath(root / path, root)).as_posix() if path else ""


def _option_problem() -> Problem:
    from devenv import problems

    return problems.INIT_OPTION


def _pairs(option: str, given: Sequence[str] | None, form: str, *, optional: bool = False) -> dict[str, str]:
    pairs = {}
    for text in given or ():
        key, equals, value = text.partition("=")
        if not key or not (value or (optional and not equals)):
            reason = "expected NAME=VALUE"
            form = form or "--dependency postgres, or --dependency search=opensearch:2"
            raise UsageError(_option_problem(), option=option, given=text, reason=reason, form=form)
        pairs[key] = value
    return pairs


def _ports(given: Sequence[str] | None) -> dict[str, list[int]]:
    ports: dict[str, list[int]] = {}
    for text in given or ():
        name, _, number = text.partition("=")
        if not name or not number.isdecimal() or not 1 <= int(number) <= 65535:
            reason = "expected NAME=PORT, a port from 1 to 65535"
            raise UsageError(_option_problem(), option="--port", given=text, reason=reason, form="--port web=8000")
        ports.setdefault(name, []).append(int(number))
    return ports


def _ask_ports(name: str) -> list[int] | None:
    from devenv.terminal.prompts import ask_ports

    return ask_ports(f"Which port does {name} listen on? (empty: none)")


def _show(texts: Mapping[str, str], notes: Sequence[str]) -> None:
    from devenv.terminal.render import print_lines

    for path, text in texts.items():
        print_lines([f"── {path} ──", *text.splitlines(), ""])
    if notes:
        print_lines(["Not carried over, or to look at:", *(f"  {note}" for note in notes), ""])


def _confirm(action: str, *, yes: bool, overwrite: bool, as_json: bool) -> bool:
    """A yes for one action. `--yes` replaces files only together with `--overwrite`."""
    from devenv import problems
    from devenv.terminal.prompts import confirm, is_interactive

    asks = is_interactive() and not as_json
    if action.startswith("replace ") and not overwrite and (yes or not asks):
        raise Refused(problems.INIT_EXISTS, files=f"{action.removeprefix('replace ')} are")
    if yes:
        return True
    if not asks:
        hint = "devenv init --yes writes it; --dry-run shows it"
        raise Refused(problems.UNCONFIRMED, action=action, hint=hint)
    return confirm(f"{action[0].upper()}{action[1:]}?", default=not action.startswith("replace "))


def _end(written: Sequence[str], faults: Sequence[str], *, dry_run: bool) -> None:
    from devenv.terminal.render import print_lines

    if dry_run:
        print_lines(["nothing was written; devenv init --yes writes it"])
        return
    print_lines([f"wrote {', '.join(written)}" if written else "nothing changed"])
    if faults:
        print_lines(["to correct by hand:", *(f"  {fault}" for fault in faults)])
    else:
        print_lines(["next: devenv up"])
    sys.stdout.flush()
