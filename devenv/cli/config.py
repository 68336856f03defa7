"""`devenv config`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import typer

from devenv.cli.app import app
from devenv.cli.load import Choice, load_layers
from devenv.cli.options import (
    FileOption,
    OffOption,
    OutputOption,
    ProfileOption,
    RealOption,
    StubOption,
    VerboseOption,
)

config = typer.Typer(help="Look at the configuration.", no_args_is_help=True)
app.add_typer(config, name="config")


@config.command()
def show(
    file: FileOption = None,
    profile: ProfileOption = None,
    real: RealOption = None,
    stub: StubOption = None,
    off: OffOption = None,
    output: OutputOption = "text",
    verbose: VerboseOption = False,
) -> None:
    """Print the merged environment as the files that would describe it, each dependency in the form in use."""
    from devenv.config.show import documents
    from devenv.terminal.render import print_json, print_lines

    loaded = load_layers(Choice(file, profile, real or (), stub or (), off or ()))
    if output == "json":
        print_json(asdict(loaded.environment))
        return
    print_lines(["---\n".join(f"# {name}\n{text}" for name, text in documents(loaded).items()).rstrip("\n")])


@config.command()
def explain(
    path: Annotated[str | None, typer.Argument(metavar="KEY.PATH", help="Only this value, or those below it.")] = None,
    file: FileOption = None,
    profile: ProfileOption = None,
    real: RealOption = None,
    stub: StubOption = None,
    off: OffOption = None,
    output: OutputOption = "text",
    verbose: VerboseOption = False,
) -> None:
    """Print where each value of the merged environment comes from, and what it replaced."""
    from devenv.config.explain import explain as explain_all
    from devenv.config.explain import select
    from devenv.terminal.explained import explained_lines
    from devenv.terminal.render import print_json, print_lines

    loaded = load_layers(Choice(file, profile, real or (), stub or (), off or ()))
    found = explain_all(loaded)
    chosen = select(found, path) if path else found
    if output == "json":
        print_json([asdict(value) for value in chosen])
    else:
        print_lines(explained_lines(chosen, loaded.environment.root))


@config.command()
def validate(
    given: Annotated[Path | None, typer.Argument(metavar="FILE", help="The same as -f; may be a profile.")] = None,
    file: FileOption = None,
    profile: ProfileOption = None,
    output: OutputOption = "text",
    verbose: VerboseOption = False,
) -> None:
    """Check devenv.yaml with its profile, or one profile, and tell all faults at once. Exits with 10 if there are any.

    Neither Docker nor a cluster is asked.
    """
    from devenv.config.validate import validate as check
    from devenv.terminal.explained import validated_line
    from devenv.terminal.render import print_json, print_lines

    if given and file:
        raise typer.BadParameter("name one file, with -f or without it")
    valid = check(given or file, start=Path.cwd(), profiles=profile or ())
    if output == "json":
        print_json({"valid": True, **asdict(valid)})
    else:
        print_lines([validated_line(valid, Path.cwd())])


@config.command()
def schema(
    kind: Annotated[
        Literal["environment", "local", "profile", "settings"], typer.Argument(help="Which of the files.")
    ] = "environment",
    path: Annotated[bool, typer.Option("--path", help="Print where the schema's file is.")] = False,
) -> None:
    """Print the JSON Schema of a file, for editors: environment (devenv.yaml), local, profile or settings."""
    from devenv.config.search import schema_file
    from devenv.terminal.render import print_lines

    file = schema_file(kind)
    print_lines([str(file) if path else file.read_text(encoding="utf-8").rstrip("\n")])
