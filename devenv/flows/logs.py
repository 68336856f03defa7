"""`devenv logs`: the lines of many containers as one stream."""

from __future__ import annotations

import queue
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from devenv import problems
from devenv.config.model import Environment
from devenv.errors import ClusterError, DevenvError, UsageError
from devenv.flows.up import check_names
from devenv.plan.engine import NAME as ENGINE
from devenv.plan.marks import UNIT, selector
from devenv.ports import Kube, Object, Stop

Line = Callable[[str, str], None]
"""Takes a unit's name and one line of it."""

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True, slots=True)
class LogRequest:
    """Whose lines (none: everybody's), whether to go on, how many of the old ones, how many seconds back.

    Of the units in `fresh`, no old lines. What is old does not count for containers that start while following.
    """

    environment: Environment
    names: Sequence[str] = ()
    follow: bool = False
    tail: int | None = None
    since: int | None = None
    fresh: frozenset[str] = frozenset()


def seconds(text: str) -> int:
    """A duration such as 90s, 5m or 1h in seconds. UsageError for anything else."""
    match = re.fullmatch(r"(\d+)([smhd]?)", text)
    if not match:
        raise UsageError(problems.DURATION_INVALID, text=text)
    return int(match[1]) * UNITS[match[2] or "s"]


def read_logs(request: LogRequest, kube: Kube, stop: Stop, line: Line) -> None:
    """Hand over each line of the chosen units' containers; pods that come later join while following.

    Raises UsageError for unknown names, ClusterError environment-missing.
    """
    check_names(request.environment, request.names)
    name = request.environment.name
    pods = kube.objects.select("v1", "Pod", namespace=name, labels=selector(name))
    if not pods and not request.follow:
        raise ClusterError(problems.ENVIRONMENT_MISSING, name=name)
    lines: queue.Queue[tuple[str, str] | None] = queue.Queue(maxsize=100_000)
    if request.follow:
        old = {status.get("containerID", "") for pod in pods for status in _statuses(pod)}
        threading.Thread(target=_join_all, args=(request, kube, stop, lines, old), daemon=True).start()
    else:
        threading.Thread(target=_read_once, args=(request, kube, pods, stop, lines), daemon=True).start()
    _drain(lines, stop, line)


def _drain(lines: queue.Queue[tuple[str, str] | None], stop: Stop, line: Line) -> None:
    while not stop.is_set():
        try:
            item = lines.get(timeout=0.5)
        except queue.Empty:
            continue
        if item is None:
            return
        line(*item)


def unit_of(pod: Object) -> str:
    """The unit a pod belongs to, as people call it: the engine of all stubs is `stubs`."""
    unit = str(pod["metadata"].get("labels", {}).get(UNIT, ""))
    return "stubs" if unit == ENGINE else unit


def _wanted(request: LogRequest, pod: Object) -> bool:
    stubbed = {n for n, d in request.environment.dependencies.items() if d.mode == "stub"}
    names = {"stubs" if name in stubbed else name for name in request.names}
    return not names or unit_of(pod) in names


def _read_once(
    request: LogRequest, kube: Kube, pods: Sequence[Object], stop: Stop, lines: queue.Queue[tuple[str, str] | None]
) -> None:
    for pod in sorted(pods, key=lambda p: (unit_of(p), str(p["metadata"].get("creationTimestamp")))):
        if _wanted(request, pod):
            _read_pod(request, kube, pod, stop, lines)
    lines.put(None)


def _read_pod(
    request: LogRequest, kube: Kube, pod: Object, stop: Stop, lines: queue.Queue[tuple[str, str] | None]
) -> None:
    for container in pod["spec"]["containers"]:
        try:
            for text in kube.pods.logs(
                request.environment.name,
                pod["metadata"]["name"],
                container["name"],
                follow=request.follow,
                tail=request.tail,
                since=request.since,
                stop=stop,
            ):
                lines.put((unit_of(pod), text))
        except DevenvError as error:
            lines.put((unit_of(pod), f"[devenv: {error.message}]"))


def _join_all(
    request: LogRequest, kube: Kube, stop: Stop, lines: queue.Queue[tuple[str, str] | None], old: set[str]
) -> None:
    name = request.environment.name
    followed: set[str] = set()
    for event in kube.objects.watch("v1", "Pod", namespace=name, labels=selector(name), stop=stop):
        pod = event.object
        for status in _statuses(pod):
            key = status.get("containerID", "")
            running = status.get("state", {}).get("running")
            if running and key not in followed and _wanted(request, pod):
                followed.add(key)
                arguments = (_share(request, pod, is_old=key in old), kube, pod, stop, lines)
                threading.Thread(target=_read_pod, args=arguments, name="logs", daemon=True).start()


def _statuses(pod: Object) -> list[Object]:
    found = pod.get("status", {}).get("containerStatuses", [])
    return list(found)


def _share(request: LogRequest, pod: Object, *, is_old: bool) -> LogRequest:
    """The request as it is meant for a container of a pod."""
    if not is_old:
        return replace(request, tail=None, since=None)
    fresh = unit_of(pod) in request.fresh or (unit_of(pod) == "stubs" and request.fresh)
    return replace(request, tail=0, since=None) if fresh else request
