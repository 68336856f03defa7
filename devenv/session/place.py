"""Where the session of an environment is found, and where it keeps what outlives it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from devenv.flows.world import World
from devenv.ports import Kube
from devenv.session.control import socket_path
from devenv.session.forwards.local_ports import remembered_path
from devenv.session.journal import old_path


@dataclass(frozen=True, slots=True)
class Place:
    """The socket on which it answers, the journal of what it says, the forwards that the next one takes again."""

    socket: Path
    journal: Path
    remembered: Path

    def forget(self) -> None:
        """Remove what outlives a session."""
        for path in (self.journal, old_path(self.journal), self.remembered):
            path.unlink(missing_ok=True)


def place_of(kube: Kube, world: World, name: str) -> Place:
    """The place of the environment of that name in a cluster. ClusterError."""
    return _place(socket_path(world.runtime, kube.uid(), name), world)


def places_of_cluster(kube: Kube, world: World) -> Iterator[Place]:
    """The places of all environments of a cluster of which anything is left."""
    first = socket_path(world.runtime, kube.uid(), "").stem
    found = [*world.runtime.glob(f"{first}*"), *(world.state / "log").glob(f"{first}*")]
    for stem in sorted({path.name.partition(".")[0] for path in found}):
        yield _place(world.runtime / f"{stem}.sock", world)


def _place(socket: Path, world: World) -> Place:
    return Place(socket, world.state / "log" / f"{socket.stem}.log", remembered_path(socket))
