"""Finds, asks and ends the session of an environment, from whichever process needs it."""

from __future__ import annotations

import time
from pathlib import Path

from devenv import problems
from devenv.config.model import Environment
from devenv.errors import SyncError
from devenv.flows.logs import Line, LogRequest, read_logs
from devenv.flows.world import World
from devenv.ports import Kube
from devenv.session.control import ControlClient, Message, find_session, socket_path
from devenv.session.live import Session
from devenv.session.local_ports import remembered_path

SYNC_SECONDS = 60.0
POLL_SECONDS = 0.05


def end_client(client: ControlClient, path: Path) -> None:
    """Tell a session to end, and wait until it has."""
    client.ask("stop", timeout=10)
    client.close()
    deadline = time.monotonic() + 10
    while path.exists() and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)


def end_session(kube: Kube, runtime: Path, name: str) -> bool:
    """End the live session of an environment, its log included; True if there was one."""
    return _end_at(socket_path(runtime, kube.uid(), name), log_path(runtime, name))


def end_all_sessions(kube: Kube, runtime: Path) -> int:
    """End the sessions of all environments of a cluster; gives how many there were."""
    first = socket_path(runtime, kube.uid(), "")
    name_at = len(first.stem)
    paths = sorted({path.with_suffix(".sock") for path in runtime.glob(f"{first.stem}*")})
    return sum(_end_at(path, log_path(runtime, path.stem[name_at:])) for path in paths)


def log_path(runtime: Path, name: str) -> Path:
    """Where the background session of an environment writes what it has to say."""
    return runtime / f"{name}.log"


def _end_at(path: Path, log: Path) -> bool:
    client = find_session(path)
    if client is not None:
        end_client(client, path)
    log.unlink(missing_ok=True)
    remembered_path(path).unlink(missing_ok=True)
    return client is not None


def describe_session(kube: Kube, runtime: Path, name: str) -> Message | None:
    """What the live session says of itself, or None where none lives."""
    client = find_session(socket_path(runtime, kube.uid(), name))
    if client is None:
        return None
    answer = client.ask("status", timeout=10)
    client.close()
    keys = ("pid", "foreground", "synced", "forwards", "problems", "sync")
    return {key: answer.get(key) for key in keys} if answer.get("ok") else None


def bring_in_sync(environment: Environment, service: str, kube: Kube, world: World) -> None:
    """Return once what is saved is in the service's pods: by the live session, else by a short one. SyncError."""
    if not environment.services[service].sync:
        return
    client = find_session(socket_path(world.runtime, kube.uid(), environment.name))
    if client is None:
        _sync_once(environment, service, kube, world)
        return
    answer = client.ask("wait-synced", service=service, timeout=SYNC_SECONDS + 5)
    client.close()
    if not answer.get("ok"):
        raise SyncError(problems.SYNC_FAILED, service=service, reason=answer.get("error"))


def _sync_once(environment: Environment, service: str, kube: Kube, world: World) -> None:
    session = Session(environment, kube, world, only_sync=service)
    try:
        session.open()
        session.wait_ready(SYNC_SECONDS)
    finally:
        session.close()


def follow_session(session: Session, kube: Kube, world: World, line: Line, *, since: int) -> None:
    """Print what all units print from `since` seconds ago until Ctrl-C, then end the session; the environment stays."""
    request = LogRequest(session.environment, follow=True, since=since)
    try:
        read_logs(request, kube, world.stop, line)
    except KeyboardInterrupt:
        name = session.environment.name
        world.progress.note(f"\nthe session ended; {name} stays up: devenv up goes on, devenv down removes it")
    finally:
        world.stop.set()
        session.close()
