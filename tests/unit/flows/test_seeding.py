from __future__ import annotations

from typing import Any

from devenv.errors import ClusterError
from devenv.flows.seeding import seeding
from devenv.problems import API_FAILED
from tests.fakes.kube import FakePods
from tests.fakes.world import FakeKube


def pod(name: str, *steps: str) -> dict[str, Any]:
    metadata = {"namespace": "shop", "name": name}
    return {"metadata": metadata, "spec": {"initContainers": [{"name": step} for step in steps]}}


def told(*lines: str) -> str:
    said = {("shop", f"p{i}", "devenv-seed"): ["devenv: /app/x: EACCES", line] for i, line in enumerate(lines)}
    kube = FakeKube(pods=FakePods(lines=said))
    return seeding(kube, [pod(f"p{index}", "devenv-seed", "migrate") for index in range(len(lines))])


def test_the_pod_that_took_longest_is_told() -> None:
    lines = ("devenv: seeded 9 files, 9 bytes in 0.20 s", "devenv: seeded 1204 files, 80 bytes in 1.31 s (2 left out)")
    assert told(*lines) == "1204 files seeded in 1.3 s"
    assert told("devenv: seeded 1 files, 9 bytes in 0.20 s") == "1 file seeded in 0.2 s"


def test_nothing_is_told_of_what_is_done_at_once_or_not_at_all() -> None:
    assert told("devenv: seeded 1204 files, 80 bytes in 0.09 s") == ""
    assert told("") == ""
    assert told() == ""
    assert seeding(FakeKube(pods=FakePods()), [pod("p", "migrate"), {"metadata": {}}]) == ""


def test_a_pod_that_is_gone_is_left_out() -> None:
    pods = FakePods()
    pods.fail("logs", ClusterError(API_FAILED, action="read logs", reason="gone"))
    assert seeding(FakeKube(pods=pods), [pod("p", "devenv-seed")]) == ""
