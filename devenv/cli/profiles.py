"""`devenv profiles`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from devenv.cli.app import app
from devenv.cli.options import FileOption, OutputOption, VerboseOption

if TYPE_CHECKING:
    from devenv.config.offers import Need, Offer, Parameter, Profile

profiles = typer.Typer(help="List the profiles that can be used and included; show what one needs and takes.")
app.add_typer(profiles, name="profiles", invoke_without_command=True)


@profiles.callback()
def every(
    context: typer.Context,
    file: FileOption = None,
    output: OutputOption = "text",
    verbose: VerboseOption = False,
) -> None:
    """List the profiles that can be used and included: the project's own first, then those that ship with devenv."""
    from devenv.config.offers import list_profiles
    from devenv.terminal.render import print_json, print_lines, table

    if context.invoked_subcommand:
        return
    found = list_profiles(_root(file))
    if output == "json":
        print_json([asdict(profile) for profile in found])
        return
    rows = [("NAME", "FROM", ""), *((one.name, one.source, _about(one)) for one in found)]
    print_lines([*table(rows), "", "devenv profiles show NAME tells what one needs and takes"])


@profiles.command()
def show(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The profile.")],
    file: FileOption = None,
    output: OutputOption = "text",
    verbose: VerboseOption = False,
) -> None:
    """Show what a profile needs, which parameters it takes, what it includes, and how to include it."""
    from devenv.config.offers import describe_profile
    from devenv.terminal.render import print_json, print_lines

    # What stands before "show" counts too.
    before = context.parent.params if context.parent else {}
    offer = describe_profile(name, _root(file or before.get("file")))
    print_json(asdict(offer)) if "json" in (output, before.get("output")) else print_lines(_lines(offer))


def _root(file: Path | None) -> Path | None:
    """The project's folder; without a devenv.yaml there are only the shipped profiles. ConfigError for a wrong -f."""
    from devenv import problems
    from devenv.config.load import find_file
    from devenv.errors import ConfigError

    if file is not None:
        if not file.is_file():
            raise ConfigError(problems.FILE_MISSING, file=file)
        return file.absolute().parent
    try:
        return find_file(Path.cwd()).parent
    except ConfigError:
        return None


def _about(profile: Profile) -> str:
    if profile.faults:
        return f"can't be used: {profile.faults[0]}"
    hidden = f"hidden by profiles/{profile.name}.yaml, which can include it"
    return "; ".join(part for part in (profile.description, hidden if profile.shadowed else "") if part)


def _lines(offer: Offer) -> list[str]:
    profile = offer.profile
    lines = [f"{profile.name}: {profile.description}" if profile.description else profile.name, str(profile.file)]
    lines += [f"includes {', '.join(profile.include)}"] if profile.include else []
    for need in offer.dependencies:
        lines += ["", *_need_lines(need)]
    return [*lines, "", "Use it in a profile of yours:", *(f"  {line}" for line in offer.example.splitlines())]


def _need_lines(need: Need) -> list[str]:
    from devenv.terminal.render import table

    other = [form for form in need.forms if form != need.mode]
    real = " when real" if need.mode != "real" else ""
    lines = [f"{need.name} ({need.mode}{f', or {other[0]}' if other else ''}){f': {need.doc}' if need.doc else ''}"]
    rows = [
        ("  ports", ", ".join(f"{name} {port}" for name, port in need.ports.items())),
        (f"  image{real}", need.image or ""),
        (f"  memory{real}", f"about {need.memory}" if need.memory else ""),
        (f"  volumes{real}", ", ".join(f"{name} at {place}" for name, place in need.volumes.items())),
    ]
    lines += table([row for row in rows if row[1]])
    if need.parameters:
        rows = [(f"    {p.name}", _value(p.value), _parameter(p)) for p in need.parameters]  # type: ignore[misc]
        lines += ["  parameters", *table(rows)]
    return lines


def _parameter(parameter: Parameter) -> str:
    changed = parameter.value != parameter.default
    return f"{parameter.doc}{f' (default: {_value(parameter.default)})' if changed else ''}"


def _value(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(str(item) for item in value) + "]"
    return "" if value is None else str(value)
