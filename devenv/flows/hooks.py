"""Runs the hooks of an environment: commands of this machine around `up` and `down`."""

from __future__ import annotations

from pathlib import Path

from devenv import problems
from devenv.config.model import Environment, Hook
from devenv.errors import DevenvError, ToolError
from devenv.flows.trust import shown_command
from devenv.flows.world import World
from devenv.plan.units import namespace_of
from devenv.ports import Command

LAST_LINES = 15


def run_hooks(environment: Environment, when: str, world: World) -> None:
    """Run the commands of one hook in their order, in the project's folder; their output is shown as it comes.

    They must be trusted already. ToolError hook-failed for the first that fails, and the rest is left out.
    """
    for hook in environment.hooks:
        if hook.when == when:
            _run(environment, hook, world)


def _run(environment: Environment, hook: Hook, world: World) -> None:
    shown = shown_command(hook.command)
    label = f"{hook.when}: {shown.splitlines()[0] if shown.strip() else shown}"
    argv = located(hook.command, environment.root)
    command = Command(argv, cwd=environment.root, env=_variables(environment, world))
    with world.progress.step(label):
        done = world.commands.run(command, stop=world.stop, on_line=lambda line: world.progress.note(f"  {line}"))
        if done.code:
            lines = done.output.splitlines()[-LAST_LINES:]
            raise ToolError(problems.HOOK_FAILED, when=hook.when, command=shown, code=done.code, details=lines)


def located(argv: tuple[str, ...], root: Path) -> tuple[str, ...]:
    """The command with a program that is a relative path (`./seed.sh`) looked for in `root`."""
    program = argv[0]
    is_path = "/" in program and not program.startswith("/")
    return (str(root / program), *argv[1:]) if is_path else argv


def _variables(environment: Environment, world: World) -> dict[str, str]:
    return {
        "DEVENV_ENVIRONMENT": environment.name,
        "DEVENV_NAMESPACE": namespace_of(environment),
        "DEVENV_CONTEXT": _context(world),
    }


def _context(world: World) -> str:
    """The kubeconfig context; empty where the cluster is not there yet."""
    try:
        return world.clusters.access().context
    except DevenvError:
        return ""
