"""The pods of an environment as a session knows them, fed by one watch."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from devenv.errors import DevenvError
from devenv.health.verdict import is_ready
from devenv.plan.marks import UNIT, selector
from devenv.ports import Kube, Object, Stop
from devenv.sync.places import AGENT

RETRY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Container:
    """One running container: its pod, its unit, and its ID, which changes with every start.

    `has_agent` says that it runs under devenv's agent.
    """

    unit: str
    pod: str
    name: str
    id: str
    has_agent: bool = False


class PodTable:
    """Newest pods by name; `changed` is called (from the watching thread) after each change."""

    def __init__(self, changed: Callable[[], None] = lambda: None) -> None:
        self._condition = threading.Condition()
        self._pods: dict[str, Object] = {}
        self._changed = changed

    def follow(self, kube: Kube, namespace: str, environment: str, stop: Stop) -> None:
        """Watch until `stop`; errors are ridden out, as a laptop sleeps and a cluster restarts."""
        while not stop.is_set():
            try:
                for event in kube.objects.watch(
                    "v1", "Pod", namespace=namespace, labels=selector(environment), stop=stop
                ):
                    self.put(event.object, deleted=event.type == "DELETED")
            except DevenvError:
                stop.wait(RETRY_SECONDS)

    def put(self, pod: Object, *, deleted: bool = False) -> None:
        """Take in one change."""
        with self._condition:
            if deleted:
                self._pods.pop(pod["metadata"]["name"], None)
            else:
                self._pods[pod["metadata"]["name"]] = pod
            self._condition.notify_all()
        self._changed()

    def containers(self, unit: str | None = None) -> list[Container]:
        """The running containers, of one unit or of all."""
        with self._condition:
            pods = list(self._pods.values())
        found = [container for pod in pods for container in running_containers(pod)]
        return [c for c in found if unit in (None, c.unit)]

    def ready_pod(self, unit: str, *, timeout: float, stop: Stop) -> str | None:
        """The newest ready pod of a unit, waited for up to `timeout` seconds."""
        deadline = time.monotonic() + timeout
        with self._condition:
            while not stop.is_set():
                name = self._newest_ready(unit)
                left = deadline - time.monotonic()
                if name or left <= 0:
                    return name
                self._condition.wait(min(left, 0.5))
        return None

    def _newest_ready(self, unit: str) -> str | None:
        ready = [p for p in self._pods.values() if _unit_of(p) == unit and is_ready(p)]
        newest = max(ready, key=lambda p: str(p["metadata"].get("creationTimestamp", "")), default=None)
        return str(newest["metadata"]["name"]) if newest else None


def _unit_of(pod: Object) -> str:
    return str(pod["metadata"].get("labels", {}).get(UNIT, ""))


def running_containers(pod: Object) -> list[Container]:
    """The containers of a pod that run now, of its init containers those with an agent; none while it is removed."""
    if pod["metadata"].get("deletionTimestamp"):
        return []
    marks = (pod["metadata"].get("annotations") or {}).get(AGENT, "").split(",")
    status = pod.get("status", {})
    steps = [each for each in status.get("initContainerStatuses") or [] if each["name"] in marks]
    return [
        Container(_unit_of(pod), pod["metadata"]["name"], name, each.get("containerID", ""), name in marks)
        for each in [*(status.get("containerStatuses") or []), *steps]
        if (name := each["name"]) and (each.get("state") or {}).get("running")
    ]
