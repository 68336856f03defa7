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

RETRY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Container:
    """One running container: its pod, its unit, and its ID, which changes with every start."""

    unit: str
    pod: str
    name: str
    id: str


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
    """The containers of a pod that run now; none of a pod that is being removed."""
    if pod["metadata"].get("deletionTimestamp"):
        return []
    return [
        Container(_unit_of(pod), pod["metadata"]["name"], status["name"], status.get("containerID", ""))
        for status in pod.get("status", {}).get("containerStatuses", [])
        if status.get("state", {}).get("running")
    ]
