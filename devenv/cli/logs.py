"""`devenv logs`."""

from __future__ import annotations

from typing import Annotated

import typer

from devenv.cli.app import app
from devenv.cli.load import Choice, load_environment, load_machine, wants_color
from devenv.cli.options import LongFileOption, NoColorOption, OutputOption, VerboseOption


@app.command()
def logs(
    services: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Only these.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes.")] = False,
    tail: Annotated[int | None, typer.Option("--tail", metavar="N", help="Only the last N lines of each.")] = None,
    since: Annotated[str | None, typer.Option("--since", metavar="5m", help="Only what is newer.")] = None,
    file: LongFileOption = None,
    output: OutputOption = "text",
    no_color: NoColorOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Print what services and dependencies print, each line with its name in front."""
    from devenv.flows.cluster import reach
    from devenv.flows.logs import LogRequest, read_logs, seconds
    from devenv.flows.up import check_names
    from devenv.terminal.logs import LinePrinter
    from devenv.terminal.progress import make_progress
    from devenv.wiring import make_world

    environment = load_environment(Choice(file))
    check_names(environment, services or ())
    world = make_world(load_machine(), make_progress(color=wants_color(no_color=no_color)))
    request = LogRequest(environment, tuple(services or ()), follow, tail, seconds(since) if since else None)
    printer = LinePrinter(as_json=output == "json", color=wants_color(no_color=no_color))
    read_logs(request, reach(world), world.stop, printer.line)
