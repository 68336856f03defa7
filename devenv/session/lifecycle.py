"""Finds, asks and ends the session of an environment, from whichever process needs it."""

from __future__ import annotations

import time
from pathlib import Path

from devenv.config.model import Environment
from devenv.flows.world import World
from devenv.ports import Kube
from devenv.session.control import ControlClient, Message, checked, find_session, socket_path
from devenv.session.holder import me
from devenv.session.live import Session
from devenv.session.place import Place, place_of, places_of_cluster

SYNC_SECONDS = 60.0
POLL_SECONDS = 0.05


def end_client(client: ControlClient, path: Path, *, why: str = "ended") -> None:
    """Tell a session to end, by whom and why ("ended", "taken over"), and wait until it has."""
    client.ask("stop", timeout=10, by=me().words(), why=why)
    client.close()
    deadline = time.monotonic() + 10
    while path.exists() and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)


def end_session(kube: Kube, world: World, name: str, *, forget: bool) -> bool:
    """End the live session of an environment; `forget` removes what it kept, too. True if there was one."""
    return _end_at(place_of(kube, world, name), forget=forget)


def end_all_sessions(kube: Kube, world: World) -> int:
    """End the sessions of all environments of a cluster, and remove what they kept; gives how many there were."""
    return sum(_end_at(place, forget=True) for place in places_of_cluster(kube, world))


def _end_at(place: Place, *, forget: bool) -> bool:
    client = find_session(place.socket)
    if client is not None:
        end_client(client, place.socket)
    if forget:
        place.forget()
    return client is not None


def describe_session(kube: Kube, runtime: Path, name: str) -> Message | None:
    """What the live session says of itself, or None where none lives."""
    client = find_session(socket_path(runtime, kube.uid(), name))
    if client is None:
        return None
    answer = client.ask("status", timeout=10)
    client.close()
    keys = ("pid", "holder", "foreground", "synced", "forwards", "problems", "rebuild", "sync")
    return {key: answer.get(key) for key in keys} if answer.get("ok") else None


def bring_in_sync(environment: Environment, service: str, kube: Kube, world: World) -> None:
    """Return once what is saved is in the service's pods: by the live session, else by a short one. SyncError."""
    if not environment.services[service].sync:
        return
    client = find_session(socket_path(world.runtime, kube.uid(), environment.name))
    if client is None:
        _sync_once(environment, service, kube, world)
        return
    answer = client.ask("wait-synced", service=service, seconds=SYNC_SECONDS, timeout=SYNC_SECONDS + 5)
    client.close()
    checked(answer)


def _sync_once(environment: Environment, service: str, kube: Kube, world: World) -> None:
    session = Session(environment, kube, world, only_sync=service)
    try:
        session.open()
        session.wait_ready(SYNC_SECONDS)
    finally:
        session.close()
