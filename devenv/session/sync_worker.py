"""What a sync's thread does, one turn after the other: look, compare, send, reload, mend."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from devenv.config.model import Service
from devenv.errors import DevenvError, SyncError
from devenv.ports import Change, Pods, Stop
from devenv.problems import SYNC_FAILED
from devenv.session.outcome import Outcome
from devenv.session.service_sync import ServiceSync, file_name
from devenv.session.sources import EVERYTHING, Sources
from devenv.sync.debounce import Debounce, is_held

FIRST_RETRY = 0.2
LONGEST_RETRY = 5.0
CHECK_SECONDS = 10.0
LOCK_POLL = 0.02

FindPods = Callable[[], Sequence[tuple[str, str]]]
"""Gives the service's pods as they are now: name, and the id of the running container that is synced."""


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


Message = Change | Flush | Refresh | Close


class Worker:
    """The state of one service's sync; only its thread touches it, others read `synced`."""

    def __init__(
        self,
        service: Service,
        pods: Pods,
        *,
        messages: queue.SimpleQueue[Message],
        place: tuple[str, str],
        find_pods: FindPods,
        on_outcome: Callable[[Outcome], None],
        stop: Stop,
    ) -> None:
        self.synced = False
        self._stop = stop
        self._service = service
        self._pods = pods
        self._messages = messages
        self._namespace, self._container = place
        self._find_pods = find_pods
        self._tell = on_outcome
        self._sources = Sources(
            [(rule.source, file_name(rule, is_file=rule.source.is_file())) for rule in service.sync]
        )
        self._debounce = Debounce()
        self._targets: dict[str, ServiceSync] = {}
        self._owed: dict[str, frozenset[int]] = {}
        self._problems: dict[str, str] = {}
        self._flushes: list[Flush] = []
        self._retry = FIRST_RETRY
        self._check_at = 0.0

    def run(self) -> None:
        """Work until `stop` is set; a message ends the wait for one."""
        self._debounce.note(EVERYTHING, settled=True, now=time.monotonic())
        while not self._stop.is_set():
            self._receive(self._step())
        for target in self._targets.values():
            target.close()

    def _step(self) -> float:
        """Take a turn; gives how long to wait for a message before the next. Nothing may end the thread."""
        try:
            self._turn()
            return self._wait()
        except Exception as error:
            reason = f"unexpectedly, {type(error).__name__}: {error}"
            self._complain("", "", SyncError(SYNC_FAILED, service=self._service.name, reason=reason))
            self._debounce.note(EVERYTHING, settled=True, now=time.monotonic())
            return self._retry

    def _wait(self) -> float:
        if is_held(self._sources.lock_age()):
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
        match message:
            case Change(path=path, settled=settled, overflow=overflow):
                for dirty in {EVERYTHING} if overflow else self._sources.relevant(path):
                    self.synced = False
                    self._debounce.note(dirty, settled=settled, now=time.monotonic())
            case Flush():
                self._flushes.append(message)
                self._check_at = 0.0
                self._debounce.note(EVERYTHING, settled=True, now=time.monotonic())
            case Refresh():
                self._check_at = 0.0
            case Close():
                pass

    def _turn(self) -> None:
        if is_held(self._sources.lock_age()):
            return
        decision = self._debounce.decide(now=time.monotonic())
        for rule, paths in self._sources.look_again(decision.send):
            for target in self._targets.values():
                target.mark(rule, paths)
        if time.monotonic() >= self._check_at:
            self._check()
        for identity, target in list(self._targets.items()):
            self._attempt(identity, target.pod, partial(self._send, target))
        if decision.reload:
            self._reload()
        self._conclude()

    def _check(self) -> None:
        """Compare the containers that are there with those we have, and prove that these still answer."""
        self._check_at = time.monotonic() + CHECK_SECONDS
        if self._sources.missing:
            self._debounce.note(EVERYTHING, settled=True, now=time.monotonic())
        try:
            found = {identity: pod for pod, identity in self._find_pods() if identity}
        except DevenvError as error:
            self._complain("", "", error)
            return
        if self._problems.pop("", None):
            self._tell(Outcome(self._service.name, ""))
        self._forget_others(found)
        for identity, pod in found.items():
            target = self._targets.get(identity)
            self._attempt(identity, pod, target.ping if target else partial(self._connect, identity, pod))

    def _forget_others(self, found: dict[str, str]) -> None:
        for identity in self._targets.keys() - found.keys():
            self._targets.pop(identity).close()
        self._problems = {identity: text for identity, text in self._problems.items() if identity in found}
        self._owed = {identity: rules for identity, rules in self._owed.items() if identity in found}

    def _connect(self, identity: str, pod: str) -> None:
        indexes = self._sources.indexes
        place = (self._namespace, pod, self._container)
        target = ServiceSync.connect(
            self._service, self._pods, indexes, place=place, container_id=identity, stop=self._stop
        )
        self._targets[identity] = target
        target.owe(self._owed.pop(identity, frozenset()))
        target.adopt(indexes, self._sources.seen)

    def _send(self, target: ServiceSync) -> None:
        outcome = target.send(self._sources.indexes, kept=self._sources.is_kept)
        if target.wants_reload:
            self._debounce.want_reload(now=time.monotonic())
        for rule, path in outcome.again:
            place = self._sources.indexes[rule].locate(path)
            self._debounce.note(str(place), settled=False, now=time.monotonic())
        if outcome.files or outcome.deleted:
            self._tell(outcome)

    def _reload(self) -> None:
        for identity, target in list(self._targets.items()):
            if target.wants_reload and target.complete:
                try:
                    self._tell(target.reload())
                except DevenvError as error:
                    self._drop_if_lost(identity)
                    if not self._stop.is_set():
                        self._tell(Outcome(self._service.name, target.pod, problem=error))

    def _attempt(self, identity: str, pod: str, step: Callable[[], None]) -> None:
        """Take a step for one container; what fails does not concern the others, is told once and tried again."""
        try:
            step()
        except DevenvError as error:
            self._complain(identity, pod, error)
        else:
            target = self._targets.get(identity)
            if target and target.complete and identity in self._problems:
                del self._problems[identity]
                self._tell(Outcome(self._service.name, pod))

    def _complain(self, identity: str, pod: str, error: DevenvError) -> None:
        if self._stop.is_set():
            return
        self._drop_if_lost(identity)
        self._check_at = min(self._check_at, time.monotonic() + self._retry)
        self._retry = min(2 * self._retry, LONGEST_RETRY)
        if self._problems.get(identity) != error.message:
            self._problems[identity] = error.message
            self._tell(Outcome(self._service.name, pod, problem=error))

    def _drop_if_lost(self, identity: str) -> None:
        target = self._targets.get(identity)
        if target and not target.alive:
            self._owed[identity] = target.owed
            del self._targets[identity]
            self._check_at = min(self._check_at, time.monotonic() + self._retry)

    def _conclude(self) -> None:
        there = self._targets and all(target.synced for target in self._targets.values())
        self.synced = bool(there) and self._debounce.idle and not self._problems
        if not self.synced:
            return
        self._retry = FIRST_RETRY
        for flush in self._flushes:
            flush.done.set()
        self._flushes.clear()
