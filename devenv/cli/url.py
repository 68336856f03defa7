"""`devenv url`."""

from __future__ import annotations

from typing import Annotated

import typer

from devenv.cli.app import app
from devenv.cli.load import Choice, load_environment, load_machine
from devenv.cli.options import FileOption, OutputOption, VerboseOption


@app.command()
def url(
    service: Annotated[str, typer.Argument(help="The service to reach.")],
    file: FileOption = None,
    output: OutputOption = "text",
    verbose: VerboseOption = False,
) -> None:
    """Print the address on this machine that leads to a service."""
    from devenv import problems
    from devenv.errors import ClusterError, UsageError
    from devenv.flows.cluster import reach
    from devenv.flows.up import check_names
    from devenv.session.forwards.local_ports import address_of
    from devenv.session.lifecycle import describe_session
    from devenv.terminal.progress import make_progress
    from devenv.terminal.render import print_json, print_lines
    from devenv.wiring import make_world

    environment = load_environment(Choice(file))
    check_names(environment, [service])
    world = make_world(load_machine(), make_progress(color=False))
    session = describe_session(reach(world), world.runtime, environment.name)
    if session is None:
        raise ClusterError(problems.NO_SESSION, name=environment.name)
    found = [address_of(f) for f in session["forwards"] if f["unit"] == service]
    if not found:
        known = ", ".join(sorted({f["unit"] for f in session["forwards"]})) or "nothing"
        raise UsageError(problems.NO_FORWARD, name=service, known=known)
    print_json({"service": service, "urls": found}) if output == "json" else print_lines(found[:1])
