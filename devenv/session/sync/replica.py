"""One container's sync, in a thread of its own: a slow or dead one is no other's concern."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

from devenv.errors import DevenvError, SyncError
from devenv.flows.agent_stream import Listener
from devenv.ports import Stop
from devenv.problems import SYNC_FAILED
from devenv.session.podtable import Container
from devenv.session.sync.inbox import Inbox
from devenv.session.sync.outcome import Outcome, Report
from devenv.session.sync.program import describe_program
from devenv.session.sync.reasons import Reason
from devenv.session.sync.sources import Sources
from devenv.session.sync.sync_status import Record, ReplicaStatus
from devenv.session.sync.target import Target
from devenv.session.sync.troubles import state_of, trouble
from devenv.sync import protocol, replies
from devenv.sync.debounce import is_held

FIRST_RETRY = 0.2
LONGEST_RETRY = 5.0
FIRST_AGAIN, LONGEST_AGAIN = 0.02, 1.0
CHECK_SECONDS = 10.0
LOCK_POLL = 0.02


class Replica(Listener):
    """Keeps one container equal to the sources, from `start` to `close`.

    `connect` opens the way to it; `report` is called from its thread. The others' methods are called from any thread
    and do not wait.
    """

    def __init__(
        self,
        container: Container,
        *,
        service: str,
        sources: Sources,
        connect: Callable[[Listener], Target],
        report: Callable[[Report], None],
        stop: Stop,
    ) -> None:
        self.container = container
        self._service = service
        self._sources = sources
        self._connect = connect
        self._report = report
        self._stop = stop
        self._news = threading.Condition()
        self._inbox = Inbox()
        self._works = False
        self._closed = False
        self._target: Target | None = None
        self._owed: Mapping[int, str] = {}
        self._problem: DevenvError | None = None
        self._told: set[str] = set()
        self._retry = FIRST_RETRY
        self._retry_at = math.inf
        self._check_at = math.inf
        self._again = FIRST_AGAIN
        self._since = math.inf
        self._state: int | None = None
        self._record = Record()
        self._thread = threading.Thread(target=self._run, name=f"sync-{container.pod}", daemon=True)

    def start(self) -> None:
        """Begin: once."""
        self._thread.start()

    @property
    def synced(self) -> bool:
        """True where the container has everything, its program was reloaded, and nothing waits or failed."""
        with self._news:
            target = self._target
            there = target is not None and target.alive and target.complete and not target.wants_reload
            return there and not self._inbox and not self._works and self._problem is None

    @property
    def connected(self) -> bool:
        """Whether there is a connection to the container."""
        return self._target is not None and self._target.alive

    @property
    def rebuild(self) -> tuple[Reason, ...]:
        """Why its image must be built anew, by each rule that says so, since the container is there."""
        return self._record.rebuild

    def mark(self, rule: int, paths: Collection[str], *, since: float) -> None:
        """These paths of a rule's source changed, the first of them at `since`."""
        with self._news:
            self._inbox.marks.append((rule, paths))
            self._inbox.since = min(self._inbox.since, since)
            self._inbox.reload = False  # it is not quiet any more: asked again once these are there
            self._news.notify()

    def reload(self) -> None:
        """It is quiet: the program may be reloaded, if files came that ask for it."""
        with self._news:
            self._inbox.reload = True
            self._news.notify()

    def prove(self) -> None:
        """Find out whether the way to the container works."""
        with self._news:
            self._inbox.prove = True
            self._news.notify()

    def ask(self, step: Callable[[Target], Any]) -> Future[Any]:
        """Do something with the connection, in its turn. The future has SyncError where there is none."""
        future: Future[Any] = Future()
        with self._news:
            self._inbox.calls.append((step, future))
            self._news.notify()
        return future

    def close(self) -> None:
        """End; does not wait for the thread."""
        with self._news:
            self._closed = True
            self._news.notify()
        if self._target:
            self._target.close()

    def join(self, timeout: float) -> None:
        """Wait for the end."""
        self._thread.join(timeout)

    def status(self) -> ReplicaStatus:
        """How it stands."""
        target, problem = self._target, self._problem
        synced, connected = self.synced, self.connected
        return ReplicaStatus(
            pod=self.container.pod,
            container=self.container.name,
            way="agent" if self.container.has_agent else "shell",
            state=state_of(problem, synced=synced, connected=connected, stale=bool(self.rebuild)),
            connected=connected,
            synced=synced,
            files=target.files if target else 0,
            batches=self._record.batches,
            last=self._record.last,
            lag=self._record.lag,
            program=target.program if target else None,
            problem=trouble(problem) if problem else None,
            rebuild=self.rebuild,
        )

    def _run(self) -> None:
        while not self._is_over():
            with self._news:
                while not self._inbox and not self._closed and (patience := self._patience()) != 0:
                    self._news.wait(patience)
                if self._is_over():
                    break
                work, self._inbox = self._inbox, Inbox(look=False)
                self._works = True
            self._step(work)
            with self._news:
                self._works = False
            self._report(Report())
        self._cancel(self._inbox)
        if self._target:
            self._target.close()

    def _is_over(self) -> bool:
        return self._closed or self._stop.is_set()

    def _patience(self) -> float | None:
        until = min(self._retry_at, self._check_at)
        return max(0.0, until - time.monotonic()) if until < math.inf else None

    def _step(self, work: Inbox) -> None:
        """Take a turn. Nothing may end the thread."""
        self._retry_at = math.inf
        try:
            self._carry_out(work)
        except DevenvError as error:
            self._complain(error)
        except Exception as error:
            reason = f"unexpectedly, {type(error).__name__}: {error}"
            self._complain(SyncError(SYNC_FAILED, service=self._service, reason=reason))
        finally:
            self._cancel(work)

    def _carry_out(self, work: Inbox) -> None:
        target = self._reach()
        for rule, paths in work.marks:
            target.mark(rule, paths)
        if work.prove or time.monotonic() >= self._check_at:
            target.ping()
            self._check_at = time.monotonic() + CHECK_SECONDS
        try:
            self._bring(target, work)
        finally:
            self._serve(target, work)

    def _bring(self, target: Target, work: Inbox) -> None:
        if is_held(self._sources.lock_age()):
            # Git began after the look that asked for this: half a checkout is not to be seen.
            self._retry_at = time.monotonic() + LOCK_POLL
            self._since = min(self._since, work.since)
            return
        self._send(target, work)
        if work.reload and target.wants_reload and target.complete:
            self._reload(target)

    def _serve(self, target: Target, work: Inbox) -> None:
        """Do what others ask for; what could not be brought may go now."""
        while work.calls:
            work.answer(target)
            if not target.alive or not target.complete:
                self._retry_at = 0.0

    def _reach(self) -> Target:
        target = self._target
        if target and not target.alive:
            self._owed, self._target, target = {**self._owed, **target.owed}, None, None
        if target is None:
            target = self._connect(self)
            self._target = target
            target.adopt(list(self._sources.indexes), self._sources.seen)
            target.owe(self._owed)
            self._owed = {}
            self._check_at = time.monotonic() + CHECK_SECONDS
        return target

    def _send(self, target: Target, work: Inbox) -> None:
        since, self._since = min(self._since, work.since), math.inf
        outcome = target.send(list(self._sources.indexes), kept=self._sources.is_kept)
        self._record.note(outcome, lag=time.monotonic() - since if since < math.inf else None)
        if outcome.again:
            self._retry_at = time.monotonic() + self._again
            self._again = min(2 * self._again, LONGEST_AGAIN)
        healed = target.complete and self._problem is not None
        if target.complete:
            self._problem, self._retry, self._again = None, FIRST_RETRY, FIRST_AGAIN
            self._told.clear()
        if outcome.problem:
            self._complain(outcome.problem)
        wants_reload = target.complete and target.wants_reload and not work.reload
        if healed or outcome.files or outcome.deleted or outcome.again or outcome.rebuild or wants_reload:
            self._report(Report(replace(outcome, problem=None), wants_reload=wants_reload))

    def on_state(self, state: replies.State) -> None:
        """Called from the thread that reads: a program that crashed is told of, and that it runs again."""
        before, self._state = self._state, state.state
        if protocol.CRASHED in (before, state.state) and before != state.state:
            self._report(Report(Outcome(self._service, self.container.pod, program=describe_program(state))))

    def on_end(self) -> None:
        """Called from the thread that reads: an idle one must see itself that its connection is gone."""
        with self._news:
            if not self._works and not self._is_over():
                self._retry_at = min(self._retry_at, time.monotonic() + self._retry)
                self._news.notify()

    def _reload(self, target: Target) -> None:
        try:
            self._report(Report(target.reload()))
        except DevenvError as error:
            if not target.alive:
                raise
            # A command of the user's that failed: told, and not done again before the next save.
            self._report(Report(Outcome(self._service, self.container.pod, problem=error)))

    def _complain(self, error: DevenvError) -> None:
        """Tell once what is wrong, and try again later."""
        if self._is_over():
            return
        self._retry_at = time.monotonic() + self._retry if self._retry_at else 0.0
        self._retry = min(2 * self._retry, LONGEST_RETRY)
        self._problem = error
        # A cluster that restarts fails in several ways by turns: each is told once until all is well again.
        if error.message not in self._told:
            self._told.add(error.message)
            self._report(Report(Outcome(self._service, self.container.pod, problem=error)))

    def _cancel(self, work: Inbox) -> None:
        """Nobody waits for ever: what could not be asked has failed."""
        while work.calls:
            _, future = work.calls.popleft()
            reason = self._problem.message if self._problem else "there is no connection to its container"
            future.set_exception(self._problem or SyncError(SYNC_FAILED, service=self._service, reason=reason))
