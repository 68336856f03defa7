"""Starts, finds, asks and ends the session of an environment, from whichever process needs it."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from devenv import problems
from devenv.config.model import Environment
from devenv.errors import Refused, SyncError, ToolError
from devenv.flows.logs import Line, LogRequest, read_logs
from devenv.flows.world import World
from devenv.ports import Kube
from devenv.session.control import ControlClient, Message, find_session, socket_path
from devenv.session.live import Session, fingerprint

START_SECONDS = 60.0
SYNC_SECONDS = 60.0
POLL_SECONDS = 0.05
LOG_TAIL = 15


@dataclass(frozen=True, slots=True)
class Start:
    """Which session to have: of an environment, here or in a process of its own started with `arguments`."""

    environment: Environment
    arguments: Sequence[str] = ()
    detach: bool = False


@dataclass(slots=True)
class Started:
    """What a session offers; `here` is the session itself where it lives in this process."""

    forwards: list[Message] = field(default_factory=list)
    here: Session | None = None


def start_session(start: Start, kube: Kube, world: World) -> Started:
    """Have a session for the environment: the one that lives if it is the same, else a new one in its place.

    Returns once its forwards listen and the first sync is done. Refused session-runs where another terminal has it;
    ToolError session-failed, SyncError.
    """
    path = socket_path(world.runtime, kube.uid(), start.environment.name)
    found = find_session(path)
    kept = _keep_or_end(found, start, path) if found else None
    if kept:
        return kept
    return _spawn(start, path, world) if start.detach else _open(start, kube, world)


def _keep_or_end(client: ControlClient, start: Start, path: Path) -> Started | None:
    """What the living session offers where it will do; None once it has been ended to make room."""
    with contextlib.closing(client):
        about = client.ask("status")
        if start.detach and about.get("fingerprint") == fingerprint(start.environment):
            return Started(client.ask("ready", timeout=START_SECONDS).get("forwards", []))
        if about.get("foreground"):
            raise Refused(problems.SESSION_RUNS, name=start.environment.name, pid=about.get("pid"))
        _end(client, path)
    return None


def _open(start: Start, kube: Kube, world: World) -> Started:
    with world.progress.step("session") as note:
        session = Session(start.environment, kube, world, foreground=True)
        session.open()
        session.wait_ready(START_SECONDS)
        note("in sync")
    return Started(session.forwards(), session)


def _spawn(start: Start, path: Path, world: World) -> Started:
    log = log_path(world.runtime, start.environment.name)
    with world.progress.step("session") as note:
        pid = world.processes.spawn([sys.executable, "-m", "devenv", "session", *start.arguments], log=log)
        answer = _await_ready(path, pid, log, start.environment.name, world)
        note("in sync, in the background")
    return Started(answer.get("forwards", []))


def _await_ready(path: Path, pid: int, log: Path, name: str, world: World) -> Message:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and world.processes.is_alive(pid):
        client = find_session(path)
        if client:
            answer = client.ask("ready", timeout=START_SECONDS)
            client.close()
            if answer.get("ok"):
                return answer
            raise SyncError(problems.SYNC_FAILED, service=name, reason=answer.get("error"))
        world.stop.wait(POLL_SECONDS)
    lines = log.read_text(errors="replace").splitlines()[-LOG_TAIL:] if log.exists() else []
    raise ToolError(problems.SESSION_FAILED, name=name, log=log, details=lines)


def _end(client: ControlClient, path: Path) -> None:
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
    paths = sorted(runtime.glob(f"{first.stem}*.sock"))
    return sum(_end_at(path, log_path(runtime, path.stem[name_at:])) for path in paths)


def log_path(runtime: Path, name: str) -> Path:
    """Where the background session of an environment writes what it has to say."""
    return runtime / f"{name}.log"


def _end_at(path: Path, log: Path) -> bool:
    client = find_session(path)
    if client is not None:
        _end(client, path)
    log.unlink(missing_ok=True)
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
