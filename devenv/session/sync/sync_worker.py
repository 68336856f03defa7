"""What a sync's thread does, one turn after the other: look, say what changed, decide when to reload."""

from __future__ import annotations

import math
import queue
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from devenv.config.model import Service
from devenv.errors import DevenvError, SyncError
from devenv.ports import Change, Stop
from devenv.problems import SYNC_FAILED
from devenv.session.podtable import Container
from devenv.session.sync.claims import file_name
from devenv.session.sync.opening import Opening
from devenv.session.sync.outcome import Outcome, Report
from devenv.session.sync.replica import CHECK_SECONDS, FIRST_RETRY, Replica
from devenv.session.sync.sources import EVERYTHING, Sources
from devenv.session.sync.sync_status import SyncStatus
from devenv.sync.debounce import Debounce, is_held

LOCK_POLL = 0.02
JOIN_SECONDS = 5.0

FindPods = Callable[[], Sequence[Container]]
"""Gives the containers that are synced, as they are now."""


@dataclass(frozen=True, slots=True)
class Flush:
    """Look at everything; `done` is set once every container has it."""

    done: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True, slots=True)
class Refresh:
    """The pods may have changed."""


@dataclass(frozen=True, slots=True)
class Close:
    """The thread should end: only wakes it."""


Message = Change | Flush | Refresh | Close | Report


def make_sources(service: Service) -> Sources:
    """The sources of a service's rules."""
    sources = Sources([(rule.source, file_name(rule, is_file=rule.source.is_file())) for rule in service.sync])
    for index in sources.indexes:
        index.newlines = True
    return sources


class Worker:
    """The state of one service's sync; only its thread changes it, others read `synced` and `replicas`."""

    def __init__(
        self,
        service: Service,
        sources: Sources,
        opening: Opening,
        *,
        messages: queue.SimpleQueue[Message],
        find_pods: FindPods,
        on_outcome: Callable[[Outcome], None],
        stop: Stop,
    ) -> None:
        self.synced = False
        self.replicas: dict[str, Replica] = {}
        self.sources = sources
        self._service = service
        self._opening = opening
        self._messages = messages
        self._find_pods = find_pods
        self._on_outcome = on_outcome
        self._stop = stop
        self._debounce = Debounce()
        self._differing: dict[int, set[str]] = {}
        self._since = math.inf
        self._problem: DevenvError | None = None
        self._flushes: list[Flush] = []
        self._check_at = 0.0

    def run(self) -> None:
        """Work until `stop` is set; a message ends the wait for one."""
        self._debounce.note(EVERYTHING, settled=True, now=time.monotonic())
        while not self._stop.is_set():
            self._step()
        replicas = list(self.replicas.values())
        for replica in replicas:
            replica.close()
        for replica in replicas:
            replica.join(JOIN_SECONDS)

    def status(self) -> SyncStatus:
        """How it stands; from any thread."""
        indexes = list(self.sources.indexes)
        return SyncStatus(
            service=self._service.name,
            synced=self.synced,
            files=sum(entry.kind != "dir" for index in indexes for entry in dict(index.entries).values()),
            skipped={str(index.locate(path)): note for index in indexes for path, note in dict(index.notes).items()},
            replicas=tuple(replica.status() for replica in list(self.replicas.values())),
        )

    def _step(self) -> None:
        """Take a turn, and wait for the messages that ask for the next. Nothing may end the thread."""
        try:
            self._turn()
            self._receive(self._wait())
        except Exception as error:
            reason = f"unexpectedly, {type(error).__name__}: {error}"
            self._complain(SyncError(SYNC_FAILED, service=self._service.name, reason=reason))
            self._debounce.note(EVERYTHING, settled=True, now=time.monotonic())
            self._stop.wait(FIRST_RETRY)

    def _wait(self) -> float:
        if is_held(self.sources.lock_age()):
            return LOCK_POLL
        now = time.monotonic()
        return max(min(self._debounce.wait(now=now), self._check_at - now), 0.0)

    def _receive(self, wait: float) -> None:
        try:
            self._note(self._messages.get(timeout=wait) if wait else self._messages.get_nowait())
            while True:
                self._note(self._messages.get_nowait())
        except queue.Empty:
            return

    def _note(self, message: Message) -> None:
        now = time.monotonic()
        match message:
            case Change(problem=SyncError() as problem):
                self._tell(Outcome(self._service.name, "", warning=problem))
            case Change(path=path, settled=settled, overflow=overflow):
                for dirty in {EVERYTHING} if overflow else self.sources.relevant(path):
                    self.synced = False
                    self._since = min(self._since, now)
                    self._debounce.note(dirty, settled=settled, now=now)
            case Report():
                self._hear(message)
            case Flush():
                self._flushes.append(message)
                self._check_at = 0.0
                self._debounce.note(EVERYTHING, settled=True, now=now)
                for replica in self.replicas.values():
                    replica.prove()
            case Refresh():
                self._check_at = 0.0
            case Close():
                pass

    def _hear(self, report: Report) -> None:
        now = time.monotonic()
        if report.wants_reload:
            self._debounce.want_reload(now=now)
        if report.outcome:
            for rule, path in report.outcome.again:
                self._debounce.note(str(self.sources.indexes[rule].locate(path)), settled=False, now=now)
            self._tell(report.outcome)

    def _turn(self) -> None:
        if is_held(self.sources.lock_age()):
            return
        decision = self._debounce.decide(now=time.monotonic())
        if decision.send:
            self._look(decision.send)
        if time.monotonic() >= self._check_at:
            self._check()
        if decision.reload:
            for replica in self.replicas.values():
                replica.reload()
        self._conclude()

    def _look(self, dirty: frozenset[str]) -> None:
        """Look again, and have each replica send what differs: not what git changed while it was looked at."""
        before = self.sources.git_state()
        for rule, paths in self.sources.look_again(dirty):
            self._differing.setdefault(rule, set()).update(paths)
        if is_held(self.sources.lock_age()) or self.sources.git_state() != before:
            for path in dirty:
                self._debounce.note(path, settled=True, now=time.monotonic())
            return
        since, self._since = self._since, math.inf
        differing, self._differing = self._differing, {}
        for rule, found in differing.items():
            for replica in self.replicas.values() if found else ():
                replica.mark(rule, found, since=since)

    def _check(self) -> None:
        """Have a replica for each container that is there."""
        self._check_at = time.monotonic() + CHECK_SECONDS
        if self.sources.missing:
            self._debounce.note(EVERYTHING, settled=True, now=time.monotonic())
        try:
            found = {container.id: container for container in self._find_pods() if container.id}
        except DevenvError as error:
            self._complain(error)
            return
        if self._problem:
            self._problem = None
            self._tell(Outcome(self._service.name, ""))
        for identity in self.replicas.keys() - found.keys():
            self.replicas.pop(identity).close()
        for identity in found.keys() - self.replicas.keys():
            self._begin(found[identity])

    def _begin(self, container: Container) -> None:
        replica = Replica(
            container,
            service=self._service.name,
            sources=self.sources,
            connect=partial(self._opening.connect, container),
            report=self._messages.put,
            stop=self._stop,
        )
        self.replicas[container.id] = replica
        replica.start()

    def _tell(self, outcome: Outcome) -> None:
        try:
            self._on_outcome(outcome)
        except Exception:  # noqa: BLE001 - who can't hear it (a closed terminal) must not end the sync
            sys.excepthook(*sys.exc_info())

    def _complain(self, error: DevenvError) -> None:
        self._check_at = min(self._check_at, time.monotonic() + FIRST_RETRY)
        if self._problem is None or self._problem.message != error.message:
            self._problem = error
            self._tell(Outcome(self._service.name, "", problem=error))

    def _conclude(self) -> None:
        there = self.replicas and all(replica.synced for replica in self.replicas.values())
        self.synced = bool(there) and self._debounce.idle and self._problem is None
        if self.synced:
            for flush in self._flushes:
                flush.done.set()
            self._flushes.clear()
