"""`devenv doctor`: what this machine has of what devenv needs; nothing is changed, nothing fetched."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from devenv import problems
from devenv.errors import DevenvError, Refused, ToolError
from devenv.flows.world import World


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: its stable name, whether all is well, what was found, and the catalogue's code and cure if not."""

    name: str
    ok: bool
    text: str
    code: str = ""
    cure: str = ""


def examine(world: World) -> list[Finding]:
    """Every check, each on its own: one that fails does not keep the others from running."""
    return [
        _check("settings", lambda: str(world.settings.file)),
        _check("kind", lambda: _kind(world)),
        _check("docker", lambda: _docker(world)),
        _check("cluster", lambda: _cluster(world)),
    ]


def _check(name: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(name, ok=True, text=look())
    except DevenvError as error:
        return Finding(name, ok=False, text=error.message, code=error.code, cure=error.hint)


def _kind(world: World) -> str:
    path = world.commands.find("kind")
    if path is None:
        raise ToolError(problems.KIND_MISSING)
    return str(path)


def _docker(world: World) -> str:
    world.clusters.inspect()
    return "the daemon answers"


def _cluster(world: World) -> str:
    state = world.clusters.inspect()
    if state.status == "foreign":
        raise Refused(problems.CLUSTER_FOREIGN, name=world.settings.cluster)
    return f"{world.settings.cluster} is {state.status}" + (
        "; devenv up creates it" if state.status == "missing" else ""
    )
