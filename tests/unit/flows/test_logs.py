from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from devenv.config.model import Environment
from devenv.flows.logs import LogRequest, read_logs
from devenv.plan.marks import UNIT
from tests.fakes.kube import FakeObjects, FakePods
from tests.fakes.world import FakeKube

LABELS = {"app.kubernetes.io/managed-by": "devenv", "dev.devenv/environment": "shop"}


def pod(unit: str, name: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "shop", "labels": {**LABELS, UNIT: unit}},
        "spec": {"containers": [{"name": "c"}]},
        "status": {"containerStatuses": [{"name": "c", "containerID": f"id-{name}", "state": {"running": {"x": 1}}}]},
    }


class NotingPods(FakePods):
    """Notes from where on lines are asked for, and says one line each."""

    def logs(self, namespace: str, pod: str, container: str, **how: Any) -> Iterator[str]:
        self.asked[pod] = (how["tail"], how["since"])
        yield "a line"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.asked: dict[str, tuple[int | None, int | None]] = {}


def follow(request: LogRequest) -> dict[str, tuple[int | None, int | None]]:
    """From where on each pod's lines are asked for: two that are there, one that comes later."""
    kube = FakeKube(objects=FakeObjects(pod("web", "web-1"), pod("redis", "redis-1")), pods=NotingPods())
    stop = threading.Event()
    seen: list[str] = []

    def line(unit: str, text: str) -> None:
        seen.append(unit)
        if len(seen) == 2:
            kube.objects.apply(pod("redis", "redis-2"))
        if len(seen) == 3:
            stop.set()

    read_logs(request, kube, stop, line)
    assert isinstance(kube.pods, NotingPods)
    return kube.pods.asked


def test_what_is_old_is_not_told_again_of_who_is_fresh_and_not_cut_of_who_comes_later() -> None:
    shop = Environment("shop", Path("/p"), "default", {}, {})
    asked = follow(LogRequest(shop, follow=True, since=7, fresh=frozenset({"redis"})))
    assert asked == {"web-1": (None, 7), "redis-1": (0, None), "redis-2": (None, None)}
    asked = follow(LogRequest(shop, follow=True, tail=5))
    assert asked == {"web-1": (5, None), "redis-1": (5, None), "redis-2": (None, None)}
