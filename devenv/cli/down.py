"""`devenv down`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from devenv.cli.app import app
from devenv.cli.load import Choice, forget_names, load_environment, load_machine, wants_color
from devenv.cli.options import (
    FileOption,
    NoColorOption,
    NoHooksOption,
    OutputOption,
    TrustOption,
    VerboseOption,
    YesOption,
)

if TYPE_CHECKING:
    from devenv.config.model import Environment
    from devenv.flows.world import World


@app.command()
def down(
    volumes: Annotated[bool, typer.Option("--volumes", help="Remove the data and the namespace too.")] = False,
    cluster: Annotated[bool, typer.Option("--cluster", help="Remove the cluster and its registry too.")] = False,
    file: FileOption = None,
    yes: YesOption = False,
    trust: TrustOption = False,
    no_hooks: NoHooksOption = False,
    output: OutputOption = "text",
    no_color: NoColorOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Take the environment down; its data stays unless --volumes says otherwise."""
    from devenv.flows.down import DownRequest
    from devenv.flows.down import down as take_down
    from devenv.session.lifecycle import end_all_sessions, end_session
    from devenv.terminal.progress import make_progress
    from devenv.terminal.prompts import confirm
    from devenv.terminal.render import print_json
    from devenv.wiring import make_world

    environment = load_environment(Choice(file))
    progress = make_progress(color=wants_color(no_color=no_color))
    world = make_world(load_machine(), progress)
    result = take_down(
        DownRequest(environment.name, volumes, cluster),
        world,
        end_session=lambda kube: end_session(kube, world, environment.name, forget=volumes),
        end_all_sessions=lambda kube: end_all_sessions(kube, world),
        confirm=lambda action: yes or confirm(f"{action}: go on?"),
        before=lambda: None if no_hooks else before_down(environment, world, trust=trust),
    )
    if volumes:
        forget_names(Choice(file))
    if output == "json":
        print_json(asdict(result))
        return
    progress.note(f"{environment.name} is down" if result.removed else f"{environment.name} was not up")
    if result.remains:
        progress.note(f"  still there: {', '.join(result.remains)}")
        progress.note("  devenv down --volumes removes these too")


def before_down(environment: Environment, world: World, *, trust: bool) -> None:
    """Run the hooks before_down, once they are trusted. Refused trust-missing, ToolError hook-failed."""
    from devenv.cli.trust import ensure_trusted
    from devenv.flows.hooks import run_hooks
    from devenv.flows.trust import hook_commands

    ensure_trusted(hook_commands(environment, "before_down"), world, say_yes=trust)
    run_hooks(environment, "before_down", world)
