from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from devenv.errors import Refused
from devenv.flows.down import DownRequest, down
from devenv.plan.marks import DATA, ENVIRONMENT, MANAGED_BY, ROLE, SEED, UNIT
from devenv.ports import Ref
from tests.fakes.clusters import FakeClusters
from tests.fakes.kube import FakeObjects
from tests.fakes.world import FakeKube, fake_world

LABELS = {MANAGED_BY: "devenv", ENVIRONMENT: "shop"}


def namespace(name: str, *, ours: bool = True) -> dict[str, Any]:
    labels = {MANAGED_BY: "devenv", ENVIRONMENT: name} if ours else {}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def mine(kind: str, name: str, *, api: str = "v1", labels: dict[str, str] = LABELS) -> dict[str, Any]:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name, "namespace": "shop", "labels": labels}}


@pytest.fixture
def kube() -> FakeKube:
    return FakeKube(
        objects=FakeObjects(
            namespace("shop"),
            mine("Deployment", "orders", api="apps/v1"),
            mine("Service", "orders"),
            mine("PersistentVolumeClaim", "postgres-data"),
            mine("ConfigMap", "users-own", labels={}),
        )
    )


def names(kube: FakeKube) -> set[str]:
    kinds = ("v1", "Namespace"), ("apps/v1", "Deployment"), ("v1", "Service"), ("v1", "PersistentVolumeClaim")
    found = {o["metadata"]["name"] for api, kind in kinds for o in kube.objects.select(api, kind)}
    return found | {o["metadata"]["name"] for o in kube.objects.select("v1", "ConfigMap", namespace="shop")}


def take_down(tmp_path: Path, kube: FakeKube, request: DownRequest, *, answer: bool = False, **changes: Any) -> Any:
    ended = changes.pop("ended", [])
    world = fake_world(tmp_path, kube, **changes)
    return down(
        request,
        world,
        end_session=lambda kube: True,
        end_all_sessions=lambda kube: ended.append(kube.context) or 1,
        confirm=lambda action: answer,
    )


def test_what_devenv_made_goes_and_data_and_what_others_made_stays(tmp_path: Path, kube: FakeKube) -> None:
    result = take_down(tmp_path, kube, DownRequest("shop"))
    assert result.removed == ["the session", "deployment/orders", "service/orders"]
    assert result.remains == ["namespace shop", "volume postgres-data"]
    assert ("delete", "configmap/users-own") not in kube.objects.calls
    assert ("delete", "persistentvolumeclaim/postgres-data") not in kube.objects.calls


def test_a_namespace_that_devenv_did_not_make_is_left_alone(tmp_path: Path) -> None:
    kube = FakeKube(objects=FakeObjects(namespace("shop", ours=False)))
    result = take_down(tmp_path, kube, DownRequest("shop", volumes=True))
    assert result.removed == []
    assert [call for call in kube.objects.calls if call[0] == "delete"] == []


def test_other_environments_on_the_cluster_ask_for_a_yes(tmp_path: Path, kube: FakeKube) -> None:
    kube.objects.apply(namespace("billing"))
    clusters = FakeClusters(status="running")
    with pytest.raises(Refused) as caught:
        take_down(tmp_path, kube, DownRequest("shop", cluster=True), clusters=clusters)
    assert caught.value.code == "unconfirmed"
    assert "billing" in caught.value.message
    assert "delete" not in clusters.calls
    ended: list[str] = []
    take_down(tmp_path, kube, DownRequest("shop", cluster=True), clusters=clusters, answer=True, ended=ended)
    assert "delete" in clusters.calls
    assert ended == ["kind-devenv"]


def test_data_that_goes_with_the_cluster_asks_for_a_yes(tmp_path: Path, kube: FakeKube) -> None:
    with pytest.raises(Refused, match=r"deleting cluster devenv with the data of shop \(postgres-data\) was not"):
        take_down(tmp_path, kube, DownRequest("shop", cluster=True))
    clusters = FakeClusters(status="running")
    take_down(tmp_path, kube, DownRequest("shop", volumes=True, cluster=True), clusters=clusters)
    assert "delete" in clusters.calls


def test_a_stopped_cluster_is_deleted_only_after_a_yes(tmp_path: Path, kube: FakeKube) -> None:
    clusters = FakeClusters(status="stopped")
    with pytest.raises(Refused, match="the stopped cluster devenv with all that is in it"):
        take_down(tmp_path, kube, DownRequest("shop", volumes=True, cluster=True), clusters=clusters)
    assert "delete" not in clusters.calls
    take_down(tmp_path, kube, DownRequest("shop", cluster=True), clusters=clusters, answer=True)
    assert "delete" in clusters.calls


def test_twice_is_no_error(tmp_path: Path, kube: FakeKube) -> None:
    take_down(tmp_path, kube, DownRequest("shop", volumes=True))
    assert take_down(tmp_path, kube, DownRequest("shop", volumes=True)).removed == []


@pytest.mark.parametrize("there", [True, False])
def test_what_comes_before_meets_an_environment_that_is_up_and_whole(tmp_path: Path, there: bool) -> None:
    kube = FakeKube(objects=FakeObjects(*([namespace("shop"), mine("Service", "orders")] if there else [])))
    seen: list[object] = []

    def end_session(kube: object) -> bool:
        seen.append("session")
        return True

    down(
        DownRequest("shop"),
        fake_world(tmp_path, kube),
        end_session=end_session,
        end_all_sessions=lambda kube: 0,
        confirm=lambda action: True,
        before=lambda: seen.append(names(kube)),
    )
    assert seen == ([{"shop", "orders"}, "session"] if there else [])


def seed(status: dict[str, int]) -> list[dict[str, Any]]:
    labels = {**LABELS, UNIT: "orders.load", ROLE: SEED, DATA: "kept"}
    return [
        {**mine("Job", "orders-load", api="batch/v1", labels=labels), "status": status},
        mine("Pod", "orders-load-x", labels=labels),
    ]


@pytest.mark.parametrize(
    ("request_", "status", "kept"),
    [
        (DownRequest("shop"), {"succeeded": 1}, True),
        (DownRequest("shop"), {"failed": 1}, False),
        (DownRequest("shop", volumes=True), {"succeeded": 1}, False),
    ],
)
def test_a_seed_that_is_done_stays_while_the_data_stay(
    tmp_path: Path, request_: DownRequest, status: dict[str, int], kept: bool
) -> None:
    claim = mine("PersistentVolumeClaim", "postgres-data")
    kube = FakeKube(objects=VanishingPods(namespace("shop"), claim, *seed(status)))
    take_down(tmp_path, kube, request_)
    assert bool(kube.objects.select("batch/v1", "Job", namespace="shop")) is kept
    assert kube.objects.select("v1", "Pod", namespace="shop") == []


class VanishingPods(FakeObjects):
    """The pods of a job go with it."""

    def delete(self, ref: Ref) -> bool:
        if ref.kind == "Job":
            super().delete(Ref("v1", "Pod", f"{ref.name}-x", ref.namespace))
        return super().delete(ref)
