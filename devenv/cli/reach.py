"""What commands need that speak with a live session."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from devenv.cli.load import Choice, load_environment, load_machine

if TYPE_CHECKING:
    from devenv.config.model import Environment
    from devenv.flows.world import World
    from devenv.ports import Kube
    from devenv.session.control import ControlClient


class Reach(NamedTuple):
    """The environment, the world, the cluster, and the environment's session where one lives."""

    environment: Environment
    world: World
    kube: Kube
    session: ControlClient | None


def reach_session(file: Path | None) -> Reach:
    """Load the environment and find its cluster and session."""
    from devenv.flows.cluster import reach
    from devenv.session.control import find_session, socket_path
    from devenv.terminal.progress import make_progress
    from devenv.wiring import make_world

    environment = load_environment(Choice(file))
    world = make_world(load_machine(), make_progress(color=False))
    kube = reach(world)
    return Reach(environment, world, kube, find_session(socket_path(world.runtime, kube.uid(), environment.name)))


def need_session(reached: Reach) -> ControlClient:
    """The session. ClusterError no-session where none lives."""
    from devenv import problems
    from devenv.errors import ClusterError

    if reached.session is None:
        raise ClusterError(problems.NO_SESSION, name=reached.environment.name)
    return reached.session
