"""Gives an environment its session: begun as soon as its namespace is there, since pods wait for their first sync."""

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
from devenv.flows.world import World
from devenv.ports import Kube
from devenv.session.control import ControlClient, Message, find_session, socket_path
from devenv.session.lifecycle import POLL_SECONDS, end_client, log_path
from devenv.session.live import Session, fingerprint

START_SECONDS = 60.0
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


class Starting:
    """A session on its way: the one that lives if it is the same, else a new one in its place.

    `begin` may be called again (for another attempt at what the session is for) and then does nothing.
    """

    def __init__(self, start: Start, world: World) -> None:
        self._start = start
        self._world = world
        self._path: Path | None = None
        self._kept = False
        self._pid = 0
        self.here: Session | None = None

    @property
    def begun(self) -> bool:
        """Whether there is a session, this one's or that which was kept."""
        return self._path is not None

    def begin(self, kube: Kube) -> None:
        """Have it begin to sync, and to answer. Refused session-runs where another terminal has it."""
        if self._path is not None:
            return
        path = socket_path(self._world.runtime, kube.uid(), self._start.environment.name)
        client = find_session(path)
        if client:
            self._kept = self._keep_or_end(client, path)
        if not self._kept and self._start.detach:
            self._pid = self._spawn()
        elif not self._kept:
            self.here = Session(self._start.environment, kube, self._world, foreground=True)
            self.here.open()
        self._path = path

    def finish(self) -> Started:
        """Return once its forwards listen and everything is in sync. ToolError session-failed, SyncError."""
        assert self._path is not None, "it has begun"
        if self._kept:
            return Started(self._await_ready(self._path).get("forwards", []))
        with self._world.progress.step("session") as note:
            if self.here:
                self.here.wait_ready(START_SECONDS)
                note("in sync")
                return Started(self.here.forwards(), self.here)
            answer = self._await_ready(self._path)
            note("in sync, in the background")
        return Started(answer.get("forwards", []))

    def close(self) -> None:
        """End what lives in this process."""
        if self.here:
            self.here.close()

    def _keep_or_end(self, client: ControlClient, path: Path) -> bool:
        """True where the living session will do; False once it has been ended to make room."""
        with contextlib.closing(client):
            about = client.ask("status")
            if self._start.detach and about.get("fingerprint") == fingerprint(self._start.environment):
                return True
            if about.get("foreground"):
                raise Refused(problems.SESSION_RUNS, name=self._start.environment.name, pid=about.get("pid"))
            end_client(client, path)
        return False

    def _spawn(self) -> int:
        log = log_path(self._world.runtime, self._start.environment.name)
        return self._world.processes.spawn([sys.executable, "-m", "devenv", "session", *self._start.arguments], log=log)

    def _await_ready(self, path: Path) -> Message:
        name = self._start.environment.name
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and (self._kept or self._world.processes.is_alive(self._pid)):
            client = find_session(path)
            if client:
                answer = client.ask("ready", timeout=START_SECONDS)
                client.close()
                if answer.get("ok"):
                    return answer
                raise SyncError(problems.SYNC_FAILED, service=name, reason=answer.get("error"))
            self._world.stop.wait(POLL_SECONDS)
        log = log_path(self._world.runtime, name)
        lines = log.read_text(errors="replace").splitlines()[-LOG_TAIL:] if log.exists() else []
        raise ToolError(problems.SESSION_FAILED, name=name, log=log, details=lines)
