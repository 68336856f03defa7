"""The loop that keeps a service's containers equal to its sources while files change and pods come and go.

Events are hints: what they name is looked at again, and each container gets what differs from what it acknowledged.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import TypeVar

from devenv.config.model import Service
from devenv.errors import SyncError
from devenv.ports import Pods, Watcher
from devenv.problems import SYNC_FAILED
from devenv.session.sync.opening import Opening
from devenv.session.sync.outcome import Outcome
from devenv.session.sync.reasons import Reason
from devenv.session.sync.sources import Sources
from devenv.session.sync.sync_status import SyncStatus
from devenv.session.sync.sync_worker import Close, FindPods, Flush, Message, Refresh, Worker, make_sources

__all__ = ["FindPods", "Outcome", "SyncLoop"]
from devenv.session.sync.target import Target

T = TypeVar("T")
ASK_SECONDS = 60.0


class SyncLoop:
    """One service's sync: a watcher and one worker thread, from `with loop:` to its end.

    Each container has a thread besides, so that none waits for another. `on_outcome` is called from the worker's for
    each batch sent, reload done, crash and problem met. A problem is told once and tried again until it is gone, which
    an outcome without one tells, with no files where none were needed. With `take_over`, another session that holds
    the pods is put out of them.
    """

    def __init__(
        self,
        service: Service,
        pods: Pods,
        watcher: Watcher,
        *,
        namespace: str,
        find_pods: FindPods,
        on_outcome: Callable[[Outcome], None],
        take_over: bool = False,
    ) -> None:
        self.service = service
        self._watcher = watcher
        self._messages: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._stop = threading.Event()
        sources = make_sources(service)
        self._worker = Worker(
            service,
            sources,
            Opening(service, pods, sources, namespace=namespace, take_over=take_over, stop=self._stop),
            messages=self._messages,
            find_pods=find_pods,
            on_outcome=on_outcome,
            stop=self._stop,
        )
        self._thread = threading.Thread(target=self._worker.run, name=f"sync-{service.name}", daemon=True)
        self._watching = ExitStack()

    def __enter__(self) -> SyncLoop:
        if self.service.sync:
            folders = [rule.source for rule in self.service.sync]
            self._watching.enter_context(
                self._watcher.watch(folders, self._messages.put, poll=self.service.syncing.watch == "poll")
            )
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._watching.close()
        self._stop.set()
        if self._thread.is_alive():
            self._messages.put(Close())
            self._thread.join()

    def refresh(self) -> None:
        """The service's pods may have changed: look now."""
        self._messages.put(Refresh())

    def connected(self) -> bool:
        """True where there are containers, each with a connection."""
        replicas = list(self._worker.replicas.values())
        return bool(replicas) and all(replica.connected for replica in replicas)

    @property
    def pods(self) -> frozenset[str]:
        """The pods of its containers."""
        return frozenset(replica.container.pod for replica in list(self._worker.replicas.values()))

    @property
    def rebuild(self) -> tuple[Reason, ...]:
        """Why its image must be built anew."""
        found = {reason.place: reason for each in list(self._worker.replicas.values()) for reason in each.rebuild}
        return tuple(found.values())

    def synced(self) -> bool:
        """True where nothing is known to be on its way: every container has the sources, and was reloaded."""
        return not self.service.sync or (self._worker.synced and self._messages.empty())

    def status(self) -> SyncStatus:
        """How it stands, with each container."""
        return self._worker.status()

    @property
    def sources(self) -> Sources:
        """Its sources, as they were last looked at."""
        return self._worker.sources

    def each(self, step: Callable[[Target], T]) -> dict[str, T]:
        """Do something with the connection to each container, in its turn; gives the results by pod. SyncError."""
        asked = [(replica.container.pod, replica.ask(step)) for replica in list(self._worker.replicas.values())]
        try:
            return {pod: future.result(ASK_SECONDS) for pod, future in asked}
        except TimeoutError as error:
            reason = "its container did not answer in time"
            raise SyncError(SYNC_FAILED, service=self.service.name, reason=reason) from error

    def wait_synced(self, timeout: float) -> bool:
        """Look at all sources again and wait until every container has them; False after `timeout` seconds."""
        if not self.service.sync:
            return True
        flush = Flush()
        self._messages.put(flush)
        return flush.done.wait(timeout)
