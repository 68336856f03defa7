"""`devenv trust`, and the question that `up` and `down` ask before they run commands that files bring along."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from devenv.cli.app import app
from devenv.cli.load import Choice, load_environment, load_machine, wants_color
from devenv.cli.options import FileOption, NoColorOption, OutputOption, ProfileOption, VerboseOption, YesOption

if TYPE_CHECKING:
    from devenv.flows.trust import FileCommand
    from devenv.flows.world import World


def ensure_trusted(commands: Sequence[FileCommand], world: World, *, say_yes: bool) -> None:
    """Return once the commands may run: known already, said yes to (`say_yes`), or at the prompt. Refused."""
    from devenv.flows.trust import require_trust
    from devenv.terminal.prompts import confirm, is_interactive

    def ask(new: Sequence[FileCommand]) -> bool:
        if say_yes:
            return True
        if not is_interactive():
            return False
        world.progress.note("Your files bring commands along that run on this machine:")
        for command in new:
            world.progress.note(f"  {command.line}")
        return confirm("Let them run, now and from now on?")

    require_trust(commands, world.trust, ask)


@app.command()
def trust(
    show: Annotated[bool, typer.Option("--show", help="Only list the commands, and whether they may run.")] = False,
    revoke: Annotated[bool, typer.Option("--revoke", help="Let them run no longer.")] = False,
    file: FileOption = None,
    profile: ProfileOption = None,
    yes: YesOption = False,
    output: OutputOption = "text",
    no_color: NoColorOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Let the commands of hooks and secrets run on this machine: look at them, say yes once."""
    from devenv.flows.trust import commands_of, describe
    from devenv.terminal.progress import make_progress
    from devenv.terminal.render import print_json, print_lines
    from devenv.wiring import make_world

    environment = load_environment(Choice(file, profile))
    world = make_world(load_machine(), make_progress(color=wants_color(no_color=no_color)))
    commands = commands_of(environment)
    if revoke:
        world.trust.remove([command.digest for command in commands])
    elif not show:
        ensure_trusted(commands, world, say_yes=yes)
    known = world.trust.known()
    if output == "json":
        print_json([asdict(described) for described in describe(commands, known)])
        return
    lines = [f"{'✓' if c.digest in known else '✗'} {c.line}" for c in commands]
    print_lines(lines or ["no hooks or secrets run commands here"])
