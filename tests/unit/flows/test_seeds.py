"""A seed runs once, runs again when it is another one or failed, and is explained where it fails."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from devenv import problems
from devenv.config.model import ContainerStep, Running
from devenv.errors import NotReady
from devenv.flows.observe import Observed
from devenv.flows.seeds import bring_seed
from devenv.flows.units import Run, UnitResult, prune
from devenv.plan.image import Image
from devenv.plan.marks import ROLE, SEED, UNIT
from devenv.plan.units import units_of
from tests.fakes.kube import FakeObjects, FakePods
from tests.fakes.world import FakeKube, fake_world
from tests.unit.plan.test_units import FILES, environment, service

SUCCEEDED = {"succeeded": 1}
FAILED = {"failed": 1}


class Jobs(FakeObjects):
    """Jobs end as told as soon as they are applied; those that fail leave a pod."""

    def __init__(self, observed: Observed, status: dict[str, int], *objects: Any) -> None:
        super().__init__(*objects)
        self._observed, self._status = observed, status

    def apply(self, obj: dict[str, Any]) -> dict[str, Any]:
        stored = super().apply(obj)
        if self._status is FAILED:
            self._observed.put("Pod", failed_pod(stored["metadata"]["uid"]), deleted=False)
        self._observed.put("Job", {**stored, "status": self._status}, deleted=False)
        return stored


def failed_pod(uid: str) -> dict[str, Any]:
    ended = {"terminated": {"exitCode": 4, "reason": "Error"}}
    return {
        "kind": "Pod",
        "metadata": {
            "name": "orders-load-x",
            "labels": {UNIT: "orders.load", ROLE: SEED},
            "ownerReferences": [{"uid": uid}],
        },
        "spec": {"restartPolicy": "Never", "containers": [{"name": "load"}]},
        "status": {"containerStatuses": [{"name": "load", "state": ended}]},
    }


def bring(
    tmp_path: Path, status: dict[str, int], *, command: str = "load", live: dict[str, Any] | None = None
) -> tuple[Run, FakeKube, Callable[[], UnitResult]]:
    running = Running(seed=(ContainerStep("load", (command,)),))
    spec = environment(orders=service(running=running))
    observed = Observed()
    pods = FakePods(lines={("shop", "orders-load-x", "load"): ["no table"]})
    kube = FakeKube(objects=Jobs(observed, status, *([live] if live else [])), pods=pods)
    run = Run(spec, FILES, fake_world(tmp_path, kube), 1.0, images={"orders": Image("orders:1")})
    run.live.update({("Job", "orders-load"): live} if live else {})

    def go() -> UnitResult:
        bring_seed(run, kube, observed, units_of(spec)["orders.load"], lambda note: None)
        return run.results["orders.load"]

    return run, kube, go


def stored(tmp_path: Path, status: dict[str, int], **options: Any) -> dict[str, Any]:
    """The job as the cluster has it after a run."""
    _, kube, go = bring(tmp_path, SUCCEEDED, **options)
    go()
    (job,) = kube.objects.select("batch/v1", "Job")
    return {**job, "status": status}


def test_a_seed_is_run_and_waited_for(tmp_path: Path) -> None:
    run, _, go = bring(tmp_path, SUCCEEDED)
    assert (go().action, run.planned) == ("created", {"orders.load": {("Job", "orders-load")}})


def test_a_seed_that_is_done_is_left(tmp_path: Path) -> None:
    _, kube, go = bring(tmp_path, SUCCEEDED, live=stored(tmp_path, SUCCEEDED))
    assert go().action == "unchanged"
    assert kube.objects.calls == []


@pytest.mark.parametrize(
    ("status", "command", "reason"),
    [(SUCCEEDED, "another", "command changed"), (FAILED, "load", "it failed before")],
)
def test_a_seed_is_run_again(tmp_path: Path, status: dict[str, int], command: str, reason: str) -> None:
    _, kube, go = bring(tmp_path, SUCCEEDED, command=command, live=stored(tmp_path, status))
    result = go()
    assert (result.action, result.reason) == ("updated", reason)
    methods = [call for call in kube.objects.calls if call[0] != "find"]
    assert methods == [("delete", "job/orders-load"), ("apply", "job/orders-load")]


def test_a_seed_that_fails_is_explained_with_its_last_lines(tmp_path: Path) -> None:
    _, _, go = bring(tmp_path, FAILED)
    with pytest.raises(NotReady) as caught:
        go()
    assert caught.value.problem is problems.SEED_FAILED
    assert caught.value.message == "the seed orders.load ended with code 4"
    assert caught.value.details == ("pod/orders-load-x ended with code 4", "  log: no table")


def test_a_seed_that_does_not_end_in_time(tmp_path: Path) -> None:
    _, _, go = bring(tmp_path, {})
    with pytest.raises(NotReady) as caught:
        go()
    assert caught.value.code == "not-ready"


def test_pruning_takes_what_a_unit_no_longer_has_and_leaves_data_and_what_was_seeded(tmp_path: Path) -> None:
    job = stored(tmp_path, SUCCEEDED)
    labels = {UNIT: "payments"}

    def mine(kind: str, name: str, unit: str = "payments", api: str = "v1") -> dict[str, Any]:
        metadata = {"name": name, "namespace": "shop", "labels": {**labels, UNIT: unit}}
        return {"apiVersion": api, "kind": kind, "metadata": metadata}

    there = [
        mine("Deployment", "payments", api="apps/v1"),
        mine("Service", "payments"),
        mine("PersistentVolumeClaim", "payments-data"),
        mine("Service", "other", "other"),
        job,
    ]
    run, kube, _ = bring(tmp_path, SUCCEEDED)
    kube.objects = FakeObjects(*there)
    run.live.update({(obj["kind"], obj["metadata"]["name"]): obj for obj in there})
    run.planned["payments"] = {("Service", "payments")}
    assert [str(ref) for ref in prune(run, kube, ["payments"], others=False)] == ["deployment/payments"]
    assert [str(ref) for ref in prune(run, kube, ["payments"], others=True)] == ["service/other"]
