"""Opens the way to a container: by its agent where it has one, else by its shell."""

from __future__ import annotations

from functools import partial

from devenv.config.model import Service
from devenv.errors import SyncError
from devenv.flows.agent_stream import Listener
from devenv.ports import Pods, Stop
from devenv.session.holder import me
from devenv.session.podtable import Container
from devenv.session.sync.agent_sync import AgentSync
from devenv.session.sync.service_sync import ServiceSync
from devenv.session.sync.sources import Sources
from devenv.session.sync.target import Target


class Opening:
    """Makes connections for one service. With `take_over`, who holds a pod is put out of it, once for each pod."""

    def __init__(
        self, service: Service, pods: Pods, sources: Sources, *, namespace: str, take_over: bool, stop: Stop
    ) -> None:
        self._service = service
        self._pods = pods
        self._sources = sources
        self._namespace = namespace
        self._take_over = take_over
        self._taken: set[str] = set()
        self._holder = me().words()
        self._stop = stop

    def connect(self, container: Container, listener: Listener) -> Target:
        """A connection to a container. SyncError, ClusterError."""
        place = (self._namespace, container.pod, container.name)
        indexes = list(self._sources.indexes)
        if not container.has_agent:
            return ServiceSync.connect(
                self._service, self._pods, indexes, place=place, container_id=container.id, stop=self._stop
            )
        open_agent = partial(
            AgentSync.connect,
            self._service,
            self._pods,
            indexes,
            place=place,
            holder=self._holder,
            stop=self._stop,
            listener=listener,
        )
        take_over = self._take_over and container.pod not in self._taken
        try:
            opened = open_agent(take_over=take_over)
        except SyncError as error:
            # What is left of a connection of ours that was lost.
            if error.facts.get("holder") != self._holder:
                raise
            opened = open_agent(take_over=True)
        self._taken.add(container.pod)
        return opened
