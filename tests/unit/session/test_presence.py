from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from devenv.session.forwards.presence import Presence


def until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.005)


class Scene:
    """Pods by unit; what was told; whether a probe gets through."""

    def __init__(self) -> None:
        self.pods: dict[str, str] = {}
        self.told: list[str] = []
        self.reached = True
        self.stop = threading.Event()
        self._looks = 0

    def presence(self, *, grace: float = 0.0) -> Presence:
        presence = Presence(self._look, lambda unit, pod: self.reached, self.told.append, grace=grace)
        threading.Thread(target=presence.run, args=(self.stop,), daemon=True).start()
        self._refresh = presence.refresh
        return presence

    def seen(self) -> None:
        """Return once the units were looked at as they are now, and what is to be told of that was."""
        for _ in range(2):  # the second look begins after the first is over
            before = self._looks
            self._refresh()
            until(partial(self._looked_since, before))

    def _looked_since(self, before: int) -> bool:
        return self._looks > before

    def end(self) -> None:
        self.stop.set()
        self._refresh()

    def _look(self, unit: str) -> str | None:
        self._looks += 1
        return self.pods.get(unit)


@pytest.fixture
def scene() -> Iterator[Scene]:
    scene = Scene()
    yield scene
    scene.end()


def test_loss_and_return_are_told_once_each(scene: Scene) -> None:
    presence = scene.presence()
    scene.pods["orders"] = "orders-1"
    presence.watch("orders", "orders")
    scene.seen()
    assert presence.pod("orders") == "orders-1"
    del scene.pods["orders"]
    scene.seen()
    scene.seen()
    scene.pods["orders"] = "orders-2"
    scene.seen()
    scene.seen()
    assert scene.told == ["orders: its forward lost the pod; waiting", "orders: forward is back (pod/orders-2)"]


def test_a_first_pod_that_is_awaited_was_not_lost(scene: Scene) -> None:
    presence = scene.presence()
    presence.watch("orders", "orders")
    scene.seen()
    scene.pods["orders"] = "orders-1"
    scene.seen()
    assert scene.told == []


def test_a_loss_that_is_over_at_once_is_not_told(scene: Scene) -> None:
    presence = scene.presence(grace=30.0)
    scene.pods["orders"] = "orders-1"
    presence.watch("orders", "orders")
    scene.seen()
    del scene.pods["orders"]
    scene.seen()
    scene.pods["orders"] = "orders-2"
    scene.seen()
    assert scene.told == []


def test_a_way_that_is_broken_is_told_and_tried_until_it_is_whole(scene: Scene) -> None:
    presence = scene.presence()
    scene.pods["devenv-stubs"] = "stubs-1"
    presence.watch("payments", "devenv-stubs")
    scene.seen()
    scene.reached = False
    presence.failed("payments")
    scene.seen()
    assert presence.pod("payments") is None
    scene.reached = True
    until(lambda: len(scene.told) == 2)
    assert scene.told == ["payments: its forward lost the cluster; waiting", "payments: forward is back (pod/stubs-1)"]


def test_who_is_left_is_not_told_of(scene: Scene) -> None:
    presence = scene.presence()
    scene.pods |= {"orders": "orders-1", "web": "web-1"}
    presence.watch("orders", "orders")
    presence.watch("web", "web")
    scene.seen()
    presence.leave("orders")
    scene.pods.clear()
    scene.seen()
    assert scene.told == ["web: its forward lost the pod; waiting"]
