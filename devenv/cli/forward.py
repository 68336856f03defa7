"""`devenv forward`: the local ports that lead into the environment."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from devenv.cli.app import app
from devenv.cli.options import FileOption, OutputOption, VerboseOption
from devenv.cli.reach import need_session, reach_session

forward = typer.Typer(
    help="Show the local ports that lead into the environment; add one, stop one.", no_args_is_help=True
)
app.add_typer(forward, name="forward")


@forward.command("ls")
def ls(file: FileOption = None, output: OutputOption = "text", verbose: VerboseOption = False) -> None:
    """List what is forwarded: the local address, where it leads, and whether a pod answers there now."""
    from devenv.session.control import checked
    from devenv.session.forwards.local_ports import address_of
    from devenv.terminal.render import print_json, print_lines, table

    found = checked(need_session(reach_session(file)).ask("forward-list"))["forwards"]
    if output == "json":
        print_json(found)
        return
    rows = [("NAME", "PORT", "ADDRESS", "STATE")]
    rows += [(f["unit"], _port(f), address_of(f), f"pod/{f['pod']}" if f["pod"] else "waiting") for f in found]
    print_lines(table(rows) if found else ["nothing is forwarded; devenv forward add NAME PORT"])


@forward.command("add")
def add(
    unit: Annotated[str, typer.Argument(metavar="NAME[:PORT]", help="Service or dependency.")],
    port: Annotated[
        str | None,
        typer.Argument(metavar="[LOCAL:]PORT", help="Its port by number or name, with a local one in front."),
    ] = None,
    file: FileOption = None,
    output: OutputOption = "text",
    verbose: VerboseOption = False,
) -> None:
    """Forward a port of a service or dependency: in the live session, or, where there is none, until Ctrl-C."""
    from devenv.session.control import checked
    from devenv.session.forwards.forward_alone import forward_alone
    from devenv.session.forwards.forward_targets import parse_wish
    from devenv.session.forwards.local_ports import Forward
    from devenv.terminal.render import print_json

    wish = parse_wish(unit, port)
    environment, world, kube, session = reach_session(file)

    def tell(found: dict[str, Any], wanted: int | None) -> None:
        if output == "json":
            print_json(found)
            return
        world.progress.note(_sentence(found, wanted))

    def opened(found: Forward) -> None:
        tell(asdict(found), wish.local or found.port)
        world.progress.note("there is no session: it ends with this command (Ctrl-C); devenv up -d starts one")

    if session is None:
        forward_alone(environment, wish, kube, world, opened=opened)
        return
    answer = checked(session.ask("forward-add", name=wish.name, port=wish.port, local=wish.local))
    tell(answer["forward"], answer["wanted"])


@forward.command("stop")
def stop(
    unit: Annotated[str, typer.Argument(metavar="NAME[:PORT]|LOCAL", help="A unit, its port, or a local port.")],
    file: FileOption = None,
    output: OutputOption = "text",
    verbose: VerboseOption = False,
) -> None:
    """Stop forwards of the live session; what is open in them goes on to its end."""
    from devenv.session.control import checked
    from devenv.session.forwards.local_ports import address_of
    from devenv.terminal.render import print_json

    reached = reach_session(file)
    stopped = checked(need_session(reached).ask("forward-stop", what=unit))["stopped"]
    if output == "json":
        print_json(stopped)
        return
    for one in stopped:
        reached.world.progress.note(f"{address_of(one)} leads to {one['unit']}:{one['port']} no longer")


def _port(found: dict[str, Any]) -> str:
    name, port = str(found["name"]), str(found["port"])
    return port if name == port else f"{port} ({name})"


def _sentence(found: dict[str, Any], wanted: int | None) -> str:
    from devenv.session.forwards.local_ports import address_of

    taken = f" (port {wanted} is taken)" if wanted not in (None, 0, found["local"]) else ""
    return f"{address_of(found)} leads to {found['unit']}:{found['port']}{taken}"
