from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devenv import problems
from devenv.config.load import load_layers
from devenv.config.model import Environment
from devenv.errors import ClusterError, NotReady, UsageError
from devenv.flows.world import World
from devenv.plan.marks import UNIT
from devenv.session.control import ControlServer, socket_path
from devenv.session.waiting import Waiting, WaitRequest
from devenv.sync.places import AGENT, PROGRAM
from tests.fakes.kube import FakeObjects, FakePods, Ran
from tests.fakes.world import FakeKube, fake_world

SHOP = """\
name: shop
services:
  orders: {image: acme/orders, sync: [{from: src, to: /app}]}
  worker: {image: acme/worker}
"""
LABELS = {"app.kubernetes.io/managed-by": "devenv", "dev.devenv/environment": "shop"}


@pytest.fixture
def shop(tmp_path: Path) -> Environment:
    (tmp_path / "devenv.yaml").write_text(SHOP)
    (tmp_path / "src").mkdir()
    return load_layers(tmp_path / "devenv.yaml", start=tmp_path, profiles=(), modes={}).environment


def deployment(unit: str, *, ready: bool) -> dict[str, Any]:
    status = {"observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1, "readyReplicas": 1}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": unit, "namespace": "shop", "generation": 1, "labels": {**LABELS, UNIT: unit}},
        "spec": {"replicas": 1},
        "status": status if ready else {},
    }


def pending_pod(unit: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"{unit}-1", "namespace": "shop", "labels": {**LABELS, UNIT: unit}},
        "spec": {"containers": [{"name": "c"}]},
        "status": {"containerStatuses": [{"name": "c", "state": {"waiting": {"reason": "ContainerCreating"}}}]},
    }


class Asked:
    """A session as `wait` sees it."""

    def __init__(self, tmp_path: Path) -> None:
        self.synced = True
        self.problems: list[dict[str, str]] = []
        self.state = "up"
        self.asked: list[str] = []
        handlers = {"wait-synced": self._sync, "status": self._status, "forward-list": self._list}
        self.server = ControlServer(socket_path(tmp_path, "0123456789", "shop"), handlers)

    def _sync(self, request: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(str(request["service"]))
        if not self.synced:
            time.sleep(request["seconds"])
            raise problems_error(str(request["service"]))
        return {}

    def _status(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"problems": self.problems}

    def _list(self, request: dict[str, Any]) -> dict[str, Any]:
        return {"forwards": [{"unit": "orders", "local": 8000, "state": self.state}]}


def problems_error(service: str) -> Exception:
    return ClusterError(problems.SYNC_FAILED, service=service, reason="it is read-only")


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Asked]:
    session = Asked(tmp_path)
    yield session
    session.server.close()


def kube_with(*units: str) -> FakeKube:
    workloads = [deployment(unit, ready=unit in units) for unit in ("orders", "worker")]
    objects = FakeObjects(*workloads, *(pending_pod(u) for u in ("orders", "worker") if u not in units))
    lines = {("shop", f"{unit}-1", "c"): [f"{unit} says"] for unit in ("orders", "worker")}
    return FakeKube(objects=objects, pods=FakePods(lines=lines))


def wait(shop: Environment, kube: FakeKube, world: World, wanted: Any, *names: str, timeout: float = 0.0) -> list[str]:
    """The names of the units that were waited for; the details of the error where that was in vain."""
    try:
        result = Waiting(WaitRequest(shop, wanted, names, timeout), kube, world).run()
    except NotReady as error:
        return list(error.details)
    return [unit.name for unit in result.units if unit.done]


def test_ready_is_waited_for_and_else_explained(shop: Environment, tmp_path: Path) -> None:
    kube = kube_with("orders")
    world = fake_world(tmp_path, kube)
    assert wait(shop, kube, world, "ready", "orders") == ["orders"]
    details = wait(shop, kube, world, "ready")
    assert details[0].startswith("worker: ")
    assert any("pod/worker-1" in line for line in details)
    assert not any("orders" in line for line in details)
    later = threading.Timer(0.3, lambda: kube.objects.apply(deployment("worker", ready=True)))
    later.start()
    assert wait(shop, kube, world, "ready", timeout=20) == ["orders", "worker"]


def test_synced_is_what_the_session_says(shop: Environment, tmp_path: Path, session: Asked) -> None:
    kube = kube_with()
    world = fake_world(tmp_path, kube)
    assert wait(shop, kube, world, "synced") == ["orders"]
    session.synced = False
    assert wait(shop, kube, world, "synced") == [
        "orders: orders can't be synced: it is read-only; see the reason; the next save tries again"
    ]
    assert wait(shop, kube, world, "synced", "worker") == []


def test_healthy_is_all_of_it(shop: Environment, tmp_path: Path, session: Asked) -> None:
    kube = kube_with("orders", "worker")
    world = fake_world(tmp_path, kube)
    assert wait(shop, kube, world, "healthy") == ["orders", "worker"]
    session.problems = [{"service": "worker", "message": "worker lost its way", "hint": "devenv sync accept worker"}]
    session.state = "waiting"
    details = wait(shop, kube, world, "healthy")
    assert "worker: worker lost its way; devenv sync accept worker" in details
    assert "orders: its forward on port 8000 has no pod" in details
    session.state = "up"
    assert wait(shop, kube, world, "healthy", "orders") == ["orders"]


def test_without_a_session_nothing_is_synced(shop: Environment, tmp_path: Path) -> None:
    kube = kube_with("orders", "worker")
    assert "session: no session lives" in wait(shop, kube, fake_world(tmp_path, kube), "synced")[0]


def test_a_cluster_that_is_away_is_waited_for(shop: Environment, tmp_path: Path) -> None:
    kube = kube_with("orders", "worker")
    world = fake_world(tmp_path, kube)
    for _ in range(3):
        kube.objects.fail("select", ClusterError(problems.API_FAILED, action="list", reason="away"))
    assert wait(shop, kube, world, "ready", timeout=20) == ["orders", "worker"]


def test_what_is_in_vain_has_a_code(shop: Environment, tmp_path: Path) -> None:
    kube = kube_with("orders")
    with pytest.raises(NotReady, match="worker is not ready after 0 s") as caught:
        Waiting(WaitRequest(shop, "ready", (), 0.0), kube, fake_world(tmp_path, kube)).run()
    assert (caught.value.code, caught.value.exit_code) == ("wait-timeout", 13)


def test_a_program_that_crashed_and_stays_so_is_not_waited_for(
    shop: Environment, tmp_path: Path, session: Asked
) -> None:
    crashed = pending_pod("orders")
    crashed["metadata"]["annotations"] = {AGENT: "c"}
    crashed["status"]["containerStatuses"][0]["state"] = {"running": {"startedAt": "2026-01-01T00:00:00Z"}}
    kube = kube_with("worker")
    kube.objects.apply(crashed)
    kube.pods.commands[f"{PROGRAM} ready"] = Ran(b"crashed 3 2\n", code=1)
    with pytest.raises(NotReady) as caught:
        Waiting(WaitRequest(shop, "healthy", (), 3600.0), kube, fake_world(tmp_path, kube)).run()
    assert caught.value.message == "the program of orders ends soon after its start (exit code 3)"
    assert caught.value.details[-1] == "  log: orders says"
    assert session.asked == ["orders"], "a save may be on its way to mend it"


def test_unknown_names_are_told(shop: Environment, tmp_path: Path) -> None:
    kube = kube_with()
    with pytest.raises(UsageError, match="did you mean"):
        wait(shop, kube, fake_world(tmp_path, kube), "ready", "ordres")
