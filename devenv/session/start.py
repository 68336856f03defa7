"""Gives an environment its session: begun as soon as its namespace is there, since pods wait for their first sync."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from devenv import problems
from devenv.config.model import Environment
from devenv.errors import DevenvError, Refused, ToolError
from devenv.flows.world import World
from devenv.ports import Kube
from devenv.session.control import ControlClient, Message, checked, find_session
from devenv.session.holder import me
from devenv.session.journal import BEGINS, Journal, Kept, lines_of_last_start
from devenv.session.lifecycle import POLL_SECONDS, end_client
from devenv.session.live import TAKEN_OVER, Session, fingerprint
from devenv.session.place import Place, place_of

START_SECONDS = 60.0
LOG_TAIL = 15


@dataclass(frozen=True, slots=True)
class Start:
    """Which session to have: of an environment, here or in a process of its own started with `arguments`.

    `take_over` ends one that lives in another terminal.
    """

    environment: Environment
    arguments: Sequence[str] = ()
    detach: bool = False
    take_over: bool = False


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
        self._place: Place | None = None
        self._kept = False
        self._ended = False
        self._pid = 0
        self.here: Session | None = None

    @property
    def begun(self) -> bool:
        """Whether there is a session, this one's or that which was kept."""
        return self._place is not None

    def look(self) -> None:
        """Refused session-runs where another terminal has it; nothing where no cluster answers that could tell."""
        try:
            # A context may be left of a cluster that is gone; once connected to, it would be that to the end.
            if self._world.clusters.inspect().status != "running":
                return
            kube = self._world.connect(self._world.clusters.access())
            place = place_of(kube, self._world, self._start.environment.name)
        except DevenvError:
            return
        client = find_session(place.socket)
        if client:
            with contextlib.closing(client):
                self._will_do(client)

    def begin(self, kube: Kube) -> None:
        """Have it begin to sync, and to answer. Refused session-runs where another terminal has it."""
        if self._place is not None:
            return
        place = place_of(kube, self._world, self._start.environment.name)
        client = find_session(place.socket)
        if client:
            self._kept = self._keep_or_end(client, place.socket)
            self._ended = not self._kept
        if not self._kept:
            journal = Journal(place.journal)
            journal.line(f"{BEGINS}: {me().words()}")
            self._spawn(place) if self._start.detach else self._open(kube, journal)
        self._place = place

    def finish(self) -> Started:
        """Return once its forwards listen and everything is in sync. ToolError session-failed, SyncError."""
        assert self._place is not None, "it has begun"
        if self._kept:
            about = self._await_ready(self._place)
            if about.get("foreground"):
                note = self._world.progress.note
                note(f"the session is that of another devenv up, {_holder(about)}, and ends with it;")
                note("  devenv up -d --take-over starts one of its own")
            return Started(about.get("forwards", []))
        with self._world.progress.step("session") as told:
            if self.here:
                self.here.wait_ready(START_SECONDS)
                told("in sync")
                return Started(self.here.forwards(), self.here)
            answer = self._await_ready(self._place)
            told("in sync, in the background")
        return Started(answer.get("forwards", []))

    def close(self) -> None:
        """End what lives in this process."""
        if self.here:
            self.here.close()

    def leave(self) -> None:
        """End what lives in this process, and say what of a session there is after an `up` that did not succeed."""
        self.close()
        note, name = self._world.progress.note, self._start.environment.name
        if self._place and self._start.detach:
            if self._kept or self._world.processes.is_alive(self._pid):
                note(f"a session of {name} goes on, so that a save can mend what failed: devenv attach follows it,")
                note("  devenv down ends it and takes the environment down")
        elif self._place or self._ended:
            made_room = ": the one in the background was ended to make room" if self._ended else ""
            note(f"no session of {name} runs now{made_room}; devenv up -d starts one")

    def _will_do(self, client: ControlClient) -> bool:
        """Whether the living session is the one that is wanted. Refused where it may not be ended."""
        about = client.ask("status")
        # One in the background that another machine keeps out of the pods must make room, too.
        taken = (about.get("foreground") or about.get("problems")) and self._start.take_over
        if self._start.detach and not taken and about.get("fingerprint") == fingerprint(self._start.environment):
            return True
        if about.get("foreground") and not taken:
            raise Refused(problems.SESSION_RUNS, name=self._start.environment.name, holder=_holder(about))
        return False

    def _keep_or_end(self, client: ControlClient, path: Path) -> bool:
        """True where the living session will do; False once it has been ended to make room."""
        with contextlib.closing(client):
            if self._will_do(client):
                return True
            end_client(client, path, why=TAKEN_OVER)
        return False

    def _open(self, kube: Kube, journal: Journal) -> None:
        world = replace(self._world, progress=Kept(journal, self._world.progress))
        take_over = self._start.take_over
        self.here = Session(self._start.environment, kube, world, foreground=True, take_over=take_over)
        self.here.open()

    def _spawn(self, place: Place) -> None:
        command = [sys.executable, "-m", "devenv", "session", *self._start.arguments]
        self._pid = self._world.processes.spawn(command, log=place.journal)

    def _await_ready(self, place: Place) -> Message:
        name = self._start.environment.name
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and (self._kept or self._world.processes.is_alive(self._pid)):
            client = find_session(place.socket)
            if client:
                answer = client.ask("ready", timeout=START_SECONDS)
                client.close()
                return checked(answer)
            self._world.stop.wait(POLL_SECONDS)
        lines = lines_of_last_start(place.journal, LOG_TAIL)
        raise ToolError(problems.SESSION_FAILED, name=name, log=place.journal, details=lines)


def _holder(about: Message) -> str:
    """Who has a session, by what it says of itself."""
    return (about.get("holder") or {}).get("words") or f"process {about.get('pid')}"
