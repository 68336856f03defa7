"""`devenv attach`."""

from __future__ import annotations

from typing import Annotated

import typer

from devenv.cli.app import app
from devenv.cli.load import Choice, load_environment, load_machine, wants_color
from devenv.cli.options import FileOption, NoColorOption, ProfileOption, VerboseOption


@app.command()
def attach(
    tail: Annotated[int, typer.Option("--tail", metavar="N", help="Begin with the last N lines of each.")] = 10,
    file: FileOption = None,
    profile: ProfileOption = None,
    no_color: NoColorOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Show what the live session says and what all units print, as `up` does; Ctrl-C leaves the session alone."""
    from devenv.flows.cluster import reach
    from devenv.session.following import attach as join
    from devenv.terminal.logs import LinePrinter
    from devenv.terminal.progress import make_progress
    from devenv.wiring import make_world

    environment = load_environment(Choice(file, profile))
    color = wants_color(no_color=no_color)
    world = make_world(load_machine(), make_progress(color=color))
    join(environment, reach(world), world, LinePrinter(as_json=False, color=color).line, tail=tail)
