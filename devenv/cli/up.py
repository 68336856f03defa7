"""`devenv up`."""

from __future__ import annotations

import math
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from devenv.cli.app import app
from devenv.cli.load import Choice, load_environment, load_machine, wants_color
from devenv.cli.options import (
    FileOption,
    NoColorOption,
    NoHooksOption,
    OffOption,
    OnlyOption,
    OutputOption,
    ProfileOption,
    RealOption,
    StubOption,
    TakeOverOption,
    TimeoutOption,
    TrustOption,
    VerboseOption,
)

if TYPE_CHECKING:
    from devenv.errors import DevenvError
    from devenv.flows.up import UpRequest
    from devenv.flows.world import World
    from devenv.ports import Progress
    from devenv.session.attempts import Attempts, Patience


@app.command()
def up(
    services: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Only these, with what they need.")
    ] = None,
    only: OnlyOption = None,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Leave the session in the background.")] = False,
    take_over: TakeOverOption = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the steps and stop.")] = False,
    file: FileOption = None,
    profile: ProfileOption = None,
    real: RealOption = None,
    stub: StubOption = None,
    off: OffOption = None,
    trust: TrustOption = False,
    no_hooks: NoHooksOption = False,
    timeout: TimeoutOption = 180.0,
    output: OutputOption = "text",
    no_color: NoColorOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Bring the environment up, then watch, sync and forward until Ctrl-C (or in the background with -d)."""
    from devenv.cli.trust import ensure_trusted
    from devenv.config.model import HOOKS
    from devenv.flows.doctor import explaining
    from devenv.flows.trust import commands_of
    from devenv.flows.up import UpRequest, check_names
    from devenv.session.attempts import Attempts
    from devenv.session.following import follow_session
    from devenv.session.start import Start
    from devenv.terminal.logs import LinePrinter
    from devenv.terminal.progress import make_progress
    from devenv.terminal.render import print_json
    from devenv.wiring import make_scene, make_world

    choice = Choice(file, profile, real or (), stub or (), off or ())
    environment = load_environment(choice)
    request = UpRequest(environment, (*(services or ()), *(only or ())), timeout, hooks=not no_hooks)
    if dry_run:
        show_steps(request, as_json=output == "json")
        return
    check_names(environment, request.only)
    progress = make_progress(color=wants_color(no_color=no_color))
    world = make_world(load_machine(), progress)
    ensure_trusted(commands_of(environment, hooks=() if no_hooks else HOOKS), world, say_yes=trust)
    started = time.monotonic()
    words = session_arguments(choice, environment.root, take_over=take_over)
    start = Start(environment, words, detach=detach or output == "json", take_over=take_over)
    with explaining(lambda: make_scene(world.settings, environment)):
        waits = None if start.detach else patience(choice, world, color=wants_color(no_color=no_color))
        attempts = Attempts(request, start, world)
        result, session = attempts.run(waits)
    kube = world.connect(world.clusters.access())
    after_up(request, attempts, world)
    if output == "json":
        print_json({**asdict(result), "changed": result.changed, "forwards": session.forwards})
        return
    tell(progress, summary(result.environment, result.changed, result.seconds, session.forwards))
    if session.here is not None:
        printer = LinePrinter(as_json=False, color=wants_color(no_color=no_color))
        follow_session(session.here, kube, world, printer.line, since=math.ceil(time.monotonic() - started))


def show_steps(request: UpRequest, *, as_json: bool) -> None:
    """Print what would be done."""
    from devenv.flows.up import plan_lines
    from devenv.terminal.render import print_json, print_lines

    lines = plan_lines(request)
    print_json({"steps": lines}) if as_json else print_lines(lines)


def patience(choice: Choice, world: World, *, color: bool) -> Patience | None:
    """What a terminal does with a failure: it tells it and waits for the mend; None elsewhere, where it ends."""
    from devenv.flows.doctor import explain
    from devenv.session.attempts import Patience
    from devenv.terminal.prompts import is_interactive
    from devenv.terminal.render import print_error
    from devenv.wiring import make_scene

    def tell(error: DevenvError) -> None:
        error.checks = explain(error, lambda: make_scene(world.settings))
        print_error(error, as_json=False, color=color)

    return Patience(tell, lambda: load_environment(choice)) if is_interactive() else None


def after_up(request: UpRequest, attempts: Attempts, world: World) -> None:
    """Run the hooks after_up; the environment stays up where one fails, and a session in this process ends."""
    from devenv.flows.hooks import run_hooks

    if not request.hooks:
        return
    try:
        run_hooks(request.environment, "after_up", world)
    except BaseException:
        attempts.leave()
        raise


def tell(progress: Progress, lines: list[str]) -> None:
    """Lines of their own beside the steps."""
    for line in lines:
        progress.note(line)


def session_arguments(choice: Choice, root: object, *, take_over: bool = False) -> list[str]:
    """The arguments that make another process mean the same environment."""
    arguments = ["--file", str(choice.file.absolute() if choice.file else f"{root}/devenv.yaml")]
    options = (
        ("--real", choice.real),
        ("--stub", choice.stub),
        ("--off", choice.off),
        ("--profile", choice.profiles or ()),
    )
    for option, names in options:
        for name in names:
            arguments += [option, name]
    return [*arguments, "--take-over"] if take_over else arguments


def summary(environment: str, changed: bool, seconds: float, forwards: list[dict[str, object]]) -> list[str]:
    """The last lines of `up`: what is there and how to reach it."""
    what = "is up" if changed else "is up; nothing changed"
    from devenv.session.forwards.local_ports import address_of

    lines = [f"{environment} {what} ({seconds:.1f} s)"]
    for forward in forwards:
        moved = not forward.get("added") and forward["local"] != forward["port"]
        instead = f"  (instead of {forward['port']})" if moved else ""
        lines.append(f"  {forward['unit']:<12} {address_of(forward)}{instead}")
    return lines
