"""`devenv wait`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Literal

import typer

from devenv.cli.app import app
from devenv.cli.load import Choice, load_environment, load_machine, wants_color
from devenv.cli.options import FileOption, NoColorOption, OutputOption, ProfileOption, VerboseOption


@app.command()
def wait(
    services: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Only these.")] = None,
    wanted: Annotated[
        Literal["ready", "synced", "healthy"],
        typer.Option("--for", help="Ready; all that is saved in all pods; or both, without problems, forwards up."),
    ] = "ready",
    timeout: Annotated[str, typer.Option("--timeout", metavar="60s", help="How long at most.")] = "60s",
    file: FileOption = None,
    profile: ProfileOption = None,
    output: OutputOption = "text",
    no_color: NoColorOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Wait until units are ready, in sync or healthy; exits with 13 and the reason of each that is not in time."""
    from devenv.flows.logs import seconds
    from devenv.flows.up import check_names
    from devenv.session.waiting import Waiting, WaitRequest
    from devenv.terminal.progress import make_progress
    from devenv.terminal.render import print_json
    from devenv.wiring import make_world

    environment = load_environment(Choice(file, profile))
    check_names(environment, services or ())
    request = WaitRequest(environment, wanted, tuple(services or ()), seconds(timeout))
    world = make_world(load_machine(), make_progress(color=wants_color(no_color=no_color)))
    result = Waiting(request, world.connect(world.clusters.access()), world).run()
    if output == "json":
        print_json(asdict(result))
