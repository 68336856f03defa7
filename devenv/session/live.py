"""The live session of one environment: sync, forwards, and the socket by which other commands reach it."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from dataclasses import asdict

from devenv import problems
from devenv.config.model import Environment, Service
from devenv.errors import DevenvError, SyncError
from devenv.flows.units import container_of
from devenv.flows.world import World
from devenv.plan.marks import content_hash
from devenv.plan.units import namespace_of
from devenv.ports import Kube, Ref
from devenv.printable import printable
from devenv.session.control import ControlServer, Message, socket_path
from devenv.session.forwards.forward_requests import ForwardRequests
from devenv.session.forwards.forwarding import Forwarder
from devenv.session.forwards.local_ports import Remembered, remembered_path
from devenv.session.holder import me
from devenv.session.podtable import PodTable
from devenv.session.sync.program import program_sentence
from devenv.session.sync.sync_requests import SyncRequests
from devenv.session.sync.syncing import Outcome, SyncLoop
from devenv.session.sync.troubles import Troubles, rebuilds

TAKEN_OVER = "taken over"
LOOK_SECONDS = 5.0
PASSING_SECONDS = 2.0
RETURN_SECONDS = 30.0
SETTLE_SECONDS = 5.0
LOOK_AGAIN_SECONDS = 0.25


def fingerprint(environment: Environment) -> str:
    """Stands for everything of an environment that its session depends on."""
    return content_hash(repr(environment))


class Session:
    """What lives after `up`. `open`, then `run` until ended; `close` may be called at any time, from anywhere.

    `stopped` is set once it ends, `taken_by` says who took it over.
    """

    def __init__(
        self,
        environment: Environment,
        kube: Kube,
        world: World,
        *,
        foreground: bool = False,
        only_sync: str | None = None,
        take_over: bool = False,
    ) -> None:
        self.environment = environment
        self._kube = kube
        self._world = world
        self._foreground = foreground
        self._only_sync = only_sync
        self._take_over = take_over
        self._namespace = namespace_of(environment)
        self.stopped = threading.Event()
        self.taken_by = ""
        self._closed = threading.Lock()
        self._stack = contextlib.ExitStack()
        self._loops: dict[str, SyncLoop] = {}
        self._looked: dict[str, float] = {}
        self._troubles = Troubles()
        self._pods = PodTable(self._pods_changed)
        path = socket_path(world.runtime, kube.uid(), self._namespace)
        self._remembered = Remembered(None if only_sync else remembered_path(path))
        self._forwarder = Forwarder(
            kube.pods,
            self._namespace,
            find_pod=self._ready_pod,
            settle=self.settle,
            stop=self.stopped,
            tell=world.progress.note,
            remembered=self._remembered,
        )
        self._forwards = ForwardRequests(environment, self._forwarder)

    def open(self) -> None:
        """Start to watch, sync and, unless it only syncs, to forward and to listen."""
        arguments = (self._kube, self._namespace, self.environment.name, self.stopped)
        threading.Thread(target=self._pods.follow, args=arguments, name="pods", daemon=True).start()
        for service in self.environment.services.values():
            if service.sync and self._only_sync in (None, service.name):
                self._loops[service.name] = self._stack.enter_context(self._loop(service))
        if self._only_sync:
            return
        for service in self.environment.services.values():
            self._forwarder.open(service.name, list(service.ports.items()))
        self._forwards.restore(self._remembered)
        path = socket_path(self._world.runtime, self._kube.uid(), self._namespace)
        handlers = {"status": self._status, "ready": self._ready, "wait-synced": self._wait_synced, "stop": self._end}
        handlers |= {**self._forwards.handlers, **SyncRequests(self._loops).handlers}
        server = ControlServer(path, handlers)
        self._stack.callback(server.close)

    def _loop(self, service: Service) -> SyncLoop:
        container = container_of(service)
        return SyncLoop(
            service,
            self._kube.pods,
            self._world.watcher,
            namespace=self._namespace,
            find_pods=lambda: [c for c in self._pods.containers(service.name) if c.has_agent or c.name == container],
            on_outcome=self._tell,
            take_over=self._take_over,
        )

    def run(self) -> None:
        """Wait until the session is ended, or its namespace or cluster is gone."""
        try:
            while not self.stopped.wait(LOOK_SECONDS) and not self._world.stop.is_set():
                if not self._still_there():
                    self._world.progress.note(f"{self.environment.name} is gone, and so is its session")
                    break
        finally:
            self.close()

    def _still_there(self) -> bool:
        """False only where that is certain: a cluster that does not answer may be asleep."""
        try:
            return self._kube.objects.find(Ref("v1", "Namespace", self._namespace)) is not None
        except DevenvError:
            pass
        try:
            return self._world.clusters.inspect().status != "missing"
        except DevenvError:
            return True

    def close(self) -> None:
        """End everything; the environment stays up."""
        with self._closed:
            self.stopped.set()
            self._forwarder.close()
            self._stack.close()

    def wait_ready(self, timeout: float) -> None:
        """Return once every service is in sync. The first problem where one is not, in time."""
        deadline = time.monotonic() + timeout
        for name, loop in self._loops.items():
            self._await_synced(name, loop, deadline - time.monotonic())

    def _await_synced(self, name: str, loop: SyncLoop, timeout: float) -> None:
        """Return once a service is in sync; its problem where it has one that does not pass soon, or in time."""
        began = time.monotonic()
        while not loop.wait_synced(max(0.0, min(LOOK_AGAIN_SECONDS, began + timeout - time.monotonic()))):
            problem, waited = self._troubles.of(name), time.monotonic() - began
            # A cluster that was just started knows its pods only after a while.
            returns = problem and problem.code == problems.SYNC_FAILED.code
            lost = returns and not loop.connected()
            if problem and waited >= min(RETURN_SECONDS if lost else PASSING_SECONDS, timeout):
                raise problem.with_traceback(None)
            if waited >= timeout:
                raise SyncError(problems.SYNC_FAILED, service=name, reason=f"not in sync after {int(timeout)} s")

    def forwards(self) -> list[Message]:
        """The local ports as JSON values."""
        return [asdict(forward) for forward in self._forwarder.forwards]

    def settle(self, unit: str) -> None:
        """Wait while a save is on its way into the unit's pods, so that who asks next meets it."""
        loop = self._loops.get(unit)
        if loop is None or self._troubles.of(unit):
            return
        # The kernel tells of a save within a millisecond or two; a look at the files does not depend on that.
        if loop.synced() and time.monotonic() - self._looked.get(unit, 0.0) < LOOK_AGAIN_SECONDS:
            return
        loop.wait_synced(SETTLE_SECONDS)
        self._looked[unit] = time.monotonic()

    def _ready_pod(self, unit: str, timeout: float) -> str | None:
        return self._pods.ready_pod(unit, timeout=timeout, stop=self.stopped)

    def _pods_changed(self) -> None:
        for loop in self._loops.values():
            loop.refresh()
        self._forwarder.refresh()

    def _tell(self, outcome: Outcome) -> None:
        note = self._world.progress.note
        if outcome.warning:
            self._world.progress.warn(f"{outcome.warning.message}; {outcome.warning.hint}")
            return
        self._troubles.note(outcome)
        if outcome.problem:
            self._world.progress.warn(f"{outcome.problem.message}; {outcome.problem.hint}")
            return
        if outcome.files or outcome.deleted:
            what = ", ".join(map(printable, outcome.paths[:3])) + (
                " …" if outcome.files > len(outcome.paths[:3]) else ""
            )
            deleted = f", {outcome.deleted} deleted" if outcome.deleted else ""
            note(f"synced {outcome.files} to {outcome.service} in {outcome.seconds * 1000:.0f} ms: {what}{deleted}")
        if outcome.reloaded:
            why = f" ({outcome.reasons[0]})" if outcome.reasons else ""
            note(f"reloaded {outcome.service}: {', '.join(outcome.reloaded)}{why}")
        for reason in outcome.reasons if outcome.rebuild else ():
            note(f"{outcome.service} must be built anew: devenv up ({reason})")
        if outcome.program:
            note(f"{outcome.service}: {program_sentence(outcome.program)}")

    def _status(self, _request: Message) -> Message:
        self._troubles.keep({name: loop.pods for name, loop in self._loops.items()})
        return {
            "pid": os.getpid(),
            "holder": me().message(),
            "foreground": self._foreground,
            "fingerprint": fingerprint(self.environment),
            "synced": all(loop.synced() for loop in self._loops.values()),
            "sync": {name: loop.synced() for name, loop in self._loops.items()},
            "forwards": self.forwards(),
            "problems": [asdict(each) for each in self._troubles.all()],
            "rebuild": [asdict(each) for each in rebuilds({name: loop.rebuild for name, loop in self._loops.items()})],
        }

    def _ready(self, request: Message) -> Message:
        self.wait_ready(50.0)
        return self._status(request)

    def _wait_synced(self, request: Message) -> Message:
        name = str(request.get("service"))
        if loop := self._loops.get(name):
            self._await_synced(name, loop, float(request.get("seconds", 60.0)))
        return {"synced": True}

    def _end(self, request: Message) -> Message:
        by, why = str(request.get("by") or "another"), str(request.get("why") or "ended")
        self._world.progress.note(f"{why} by {by}")
        self.taken_by = by if why == TAKEN_OVER else ""
        # Answered first, ended then: the asker waits for the socket to vanish.
        threading.Timer(0.05, self.stopped.set).start()
        return {"ending": True}
