"""Watches an environment's workloads and pods, and waits for units to be ready or found hopeless."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from devenv import problems
from devenv.errors import DevenvError, NotReady
from devenv.flows.programs import crash_verdicts
from devenv.flows.steps import Cancelled
from devenv.health.verdict import Verdict, is_rolled_out, judge_pod
from devenv.plan.marks import REVISION, UNIT, selector
from devenv.ports import Kube, Object, Stop

WORKLOADS = (("apps/v1", "Deployment"), ("apps/v1", "StatefulSet"), ("apps/v1", "DaemonSet"))
LOG_LINES = 15
EVENT_LINES = 5
LOOK_SECONDS = 1.0
STEADY_SECONDS = 2.0


class Observed:
    """The newest state of workloads and pods, fed by watches and read under one condition."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._objects: dict[tuple[str, str], Object] = {}
        self._error: DevenvError | None = None

    def put(self, kind: str, obj: Object, *, deleted: bool) -> None:
        """Take in one change."""
        key = (kind, obj["metadata"]["name"])
        with self._changed:
            if deleted:
                self._objects.pop(key, None)
            else:
                self._objects[key] = obj
            self._changed.notify_all()

    def fail(self, error: DevenvError) -> None:
        """A watch ended for good: who waits is told."""
        with self._changed:
            self._error = error
            self._changed.notify_all()

    def find(self, kind: str, name: str) -> Object | None:
        """The newest state of one object, if there is one."""
        with self._changed:
            return self._objects.get((kind, name))

    def pods(self, unit: str, revisions: Collection[str] | None = None) -> list[Object]:
        """The pods of a unit (made from one of some templates) that are not being removed."""
        with self._changed:
            return [
                obj
                for (kind, _), obj in self._objects.items()
                if kind == "Pod"
                and obj["metadata"].get("labels", {}).get(UNIT) == unit
                and (revisions is None or obj["metadata"].get("labels", {}).get(REVISION) in revisions)
                and not obj["metadata"].get("deletionTimestamp")
            ]

    def wait(self, done: Callable[[], bool], *, timeout: float, stop: Stop) -> bool:
        """Wait until `done()`; False on timeout. Cancelled once `stop` is set."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while not done():
                if self._error:
                    raise self._error
                if stop.is_set():
                    raise Cancelled
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(min(left, 0.5))
        return True


@contextmanager
def observing(kube: Kube, namespace: str, environment: str) -> Iterator[Observed]:
    """While entered, watches the environment's workloads and pods from a few threads."""
    observed, stop = Observed(), threading.Event()
    kinds = [*WORKLOADS, ("batch/v1", "Job"), ("v1", "Pod")]
    threads = [
        threading.Thread(target=_follow, args=(kube, namespace, environment, *kind, observed, stop), daemon=True)
        for kind in kinds
    ]
    for thread in threads:
        thread.start()
    try:
        yield observed
    finally:
        stop.set()


def _follow(kube: Kube, namespace: str, environment: str, api: str, kind: str, observed: Observed, stop: Stop) -> None:
    try:
        for event in kube.objects.watch(api, kind, namespace=namespace, labels=selector(environment), stop=stop):
            observed.put(kind, event.object, deleted=event.type == "DELETED")
    except DevenvError as error:
        observed.fail(error)


def wait_ready(
    kube: Kube, observed: Observed, *, namespace: str, unit: str, objects: Sequence[Object], timeout: float, stop: Stop
) -> None:
    """Wait until every workload among `objects` is rolled out.

    Raises NotReady with the verdict of each pod as soon as one is hopeless, or after `timeout` seconds.
    """
    revisions = {revision_of(obj) for obj in objects}
    workloads = [(o["kind"], o["metadata"]["name"], _generation(o)) for o in objects if o["kind"] in _KINDS]

    def there() -> bool:
        return all(_is_there(observed, *w) for w in workloads)

    def settled() -> bool:
        return there() or any(judge_pod(pod).fatal for pod in observed.pods(unit, revisions))

    deadline = time.monotonic() + timeout
    crashes: dict[str, Verdict] = {}
    while workloads and not crashes:
        slice_ = min(LOOK_SECONDS, max(0.0, deadline - time.monotonic()))
        if observed.wait(settled, timeout=slice_, stop=stop):
            if not there() or _stays(observed, there, observed.pods(unit, revisions), stop):
                break
            continue
        if time.monotonic() >= deadline:
            break
        crashes = crash_verdicts(kube, observed.pods(unit, revisions))
    if there():
        return
    raise explain(kube, namespace, unit, observed.pods(unit, revisions), timeout, crashes)


def _stays(observed: Observed, there: Callable[[], bool], pods: Sequence[Object], stop: Stop) -> bool:
    """Whether it stays there: a program that ended before may run just for as long as it takes to end again."""
    statuses = [status for pod in pods for status in pod.get("status", {}).get("containerStatuses", [])]
    if not any(status.get("restartCount") for status in statuses):
        return True
    return not observed.wait(lambda: not there(), timeout=STEADY_SECONDS, stop=stop)


_KINDS = frozenset(kind for _, kind in WORKLOADS)


def _generation(obj: Object) -> int:
    found = obj["metadata"].get("generation", 0)
    return int(found)


def _is_there(observed: Observed, kind: str, name: str, generation: int) -> bool:
    found = observed.find(kind, name)
    return found is not None and _generation(found) >= generation and is_rolled_out(found)


def revision_of(workload: Object) -> str:
    """The revision label of a workload's pods."""
    template = workload.get("spec", {}).get("template", {})
    return str(template.get("metadata", {}).get("labels", {}).get(REVISION, ""))


def events_of(kube: Kube, namespace: str, pod: str) -> list[Object]:
    """The events that involve a pod, oldest first; none where they can't be read."""
    with contextlib.suppress(DevenvError):
        events = kube.objects.select("v1", "Event", namespace=namespace)
        mine = [e for e in events if e.get("involvedObject", {}).get("name") == pod]
        return sorted(mine, key=lambda e: str(e.get("lastTimestamp") or e.get("eventTime") or ""))
    return []


def explain(
    kube: Kube,
    namespace: str,
    unit: str,
    pods: Sequence[Object],
    timeout: float,
    known: Mapping[str, Verdict] | None = None,
) -> NotReady:
    """The error for a unit that is not ready: each pod's verdict, last events and log lines, and what to do next.

    `known` has verdicts on pods that their status alone does not give.
    """
    verdicts = []
    details: list[str] = []
    for pod in pods:
        events = events_of(kube, namespace, pod["metadata"]["name"])
        verdict = (known or {}).get(pod["metadata"]["name"]) or judge_pod(pod, events)
        if verdict.ready:
            continue
        verdicts.append(verdict)
        details += [
            f"pod/{verdict.pod} {verdict.message}",
            *_event_lines(events),
            *_log_lines(kube, namespace, pod, verdict),
        ]
    worst = next((v for v in verdicts if v.problem), None)
    if worst and worst.problem:
        facts: dict[str, Any] = dict(worst.facts)
        return NotReady(worst.problem, details=details, name=unit, **facts)
    return NotReady(problems.NOT_READY, details=details or ["no pod was made for it"], name=unit, seconds=int(timeout))


def _event_lines(events: Sequence[Object]) -> list[str]:
    wanted = [e for e in events if e.get("type") == "Warning"][-EVENT_LINES:]
    return [f"  event: {e.get('reason')}: {e.get('message')}" for e in wanted]


def _log_lines(kube: Kube, namespace: str, pod: Object, verdict: Verdict) -> list[str]:
    container = verdict.container or pod["spec"]["containers"][0]["name"]
    for previous in (False, True):
        with contextlib.suppress(DevenvError):
            lines = list(kube.pods.logs(namespace, verdict.pod, container, tail=LOG_LINES, previous=previous))
            if lines:
                return [f"  log: {line}" for line in lines]
    return []
