"""`devenv status`."""

from __future__ import annotations

from dataclasses import asdict

import typer

from devenv.cli.app import app
from devenv.cli.load import Choice, load_environment, load_machine, wants_color
from devenv.cli.options import FileOption, NoColorOption, OutputOption, ProfileOption, VerboseOption
from devenv.errors import NotReady


@app.command()
def status(
    file: FileOption = None,
    profile: ProfileOption = None,
    output: OutputOption = "text",
    no_color: NoColorOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Show what of the environment is up, how it is, and where it is reached. Exits with 13 unless all is ready."""
    from devenv.flows.cluster import reach
    from devenv.flows.status import status as look
    from devenv.session.lifecycle import describe_session
    from devenv.terminal.progress import make_progress
    from devenv.terminal.render import print_json, print_lines, table
    from devenv.wiring import make_world

    environment = load_environment(Choice(file, profile))
    world = make_world(load_machine(), make_progress(color=wants_color(no_color=no_color)))
    kube = reach(world)
    units = look(environment, kube)
    session = describe_session(kube, world.runtime, environment.name)
    ready = all(unit.state in ("ready", "off") for unit in units)
    if output == "json":
        print_json(
            {
                "environment": environment.name,
                "context": kube.context,
                "namespace": environment.name,
                "ready": ready,
                "units": [asdict(unit) for unit in units],
                "session": session,
            }
        )
    else:
        rows = [("NAME", "KIND", "STATE", "RESTARTS", "")]
        rows += [(u.name, u.kind, u.state, str(u.restarts), u.detail) for u in units]
        print_lines([f"{environment.name} in {kube.context}", "", *table(rows), "", *session_lines(session)])
    if not ready:
        raise typer.Exit(NotReady.exit_code)


def session_lines(session: dict[str, object] | None) -> list[str]:
    """What is told of a live session."""
    from devenv.session.forwards.local_ports import address_of

    if session is None:
        return ["no session: nothing is synced or forwarded; devenv up -d starts one"]
    synced = "in sync" if session.get("synced") else "not in sync yet"
    lines = [f"session {session.get('pid')}: {synced}"]
    forwards = session.get("forwards")
    for forward in forwards if isinstance(forwards, list) else []:
        lines.append(f"  {forward['unit']:<12} {address_of(forward)}")
    problems = session.get("problems")
    for problem in problems if isinstance(problems, list) else []:
        lines += [f"  {problem['service']} {problem['state']}: {problem['message']}", f"    {problem['hint']}"]
    rebuild = session.get("rebuild")
    for one in rebuild if isinstance(rebuild, list) else []:
        lines += stale_lines(one["service"], one)
    return lines


def stale_lines(name: str, reason: dict[str, str]) -> list[str]:
    """What is told of a service or pod whose image must be built anew."""
    return [
        f"  {name} stale: {reason['path']} matches rebuild rule at {reason['place']}",
        "    build it anew: devenv up",
    ]
