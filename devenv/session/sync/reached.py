"""A service's sources and its containers, within reach of a command: in the live session, or for the moment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Protocol, TypeVar

from devenv import problems
from devenv.config.model import Service
from devenv.errors import ClusterError
from devenv.flows.agent_stream import SILENT
from devenv.flows.units import container_of
from devenv.plan.marks import selector
from devenv.ports import Kube
from devenv.session.podtable import running_containers
from devenv.session.sync.opening import Opening
from devenv.session.sync.sources import EVERYTHING, Sources
from devenv.session.sync.sync_worker import make_sources
from devenv.session.sync.target import Target

T = TypeVar("T")


class Reached(Protocol):
    """What the verbs of `devenv sync` work on."""

    service: Service

    @property
    def sources(self) -> Sources:
        """Its sources, looked at."""

    def each(self, step: Callable[[Target], T]) -> dict[str, T]:
        """Do something with the connection to each of its containers; gives the results by pod. SyncError."""


class Momentary:
    """Connections for one command."""

    def __init__(self, service: Service, sources: Sources, targets: dict[str, Target]) -> None:
        self.service = service
        self._sources = sources
        self._targets = targets

    @property
    def sources(self) -> Sources:
        """Its sources, looked at."""
        return self._sources

    def each(self, step: Callable[[Target], T]) -> dict[str, T]:
        """Do something with the connection to each of its containers; gives the results by pod. SyncError."""
        return {pod: step(target) for pod, target in self._targets.items()}


@contextmanager
def reach_for_a_moment(service: Service, kube: Kube, *, environment: str, namespace: str) -> Iterator[Momentary]:
    """Connect to a service's containers without syncing. ClusterError where there are none, SyncError."""
    sources = make_sources(service)
    for _ in sources.look_again(frozenset({EVERYTHING})):
        pass
    pods = kube.objects.select("v1", "Pod", namespace=namespace, labels=selector(environment))
    name = container_of(service)
    found = [each for pod in pods for each in running_containers(pod) if each.unit == service.name]
    wanted = [each for each in found if each.has_agent or each.name == name]
    if not wanted:
        raise ClusterError(problems.NO_POD, name=service.name)
    opening = Opening(service, kube.pods, sources, namespace=namespace, take_over=False, stop=threading.Event())
    with ExitStack() as stack:
        targets = {}
        for container in wanted:
            targets[container.pod] = opening.connect(container, SILENT)
            stack.callback(targets[container.pod].close)
        yield Momentary(service, sources, targets)
