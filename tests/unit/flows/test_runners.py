from __future__ import annotations

from pathlib import Path

import pytest

from devenv.flows.runners import AgentRunner, Place
from tests.fakes.agent_pods import AgentPods, FakeContainers
from tests.fakes.world import FakeKube


@pytest.fixture
def boxes() -> FakeContainers:
    return FakeContainers()


@pytest.fixture
def runner(boxes: FakeContainers) -> AgentRunner:
    return AgentRunner(FakeKube(pods=AgentPods(boxes.open)), Place("shop", "web-1", "web"))  # type: ignore[arg-type]


def test_a_file_and_what_matches_come_home(runner: AgentRunner, tmp_path: Path) -> None:
    for name in ("a.xml", "b.xml", "c.txt"):
        (tmp_path / name).write_text(name)
    assert runner.fetch(f"{tmp_path}/a.xml") == {f"{tmp_path}/a.xml": b"a.xml"}
    assert runner.fetch(f"{tmp_path}/*.xml") == {f"{tmp_path}/{name}": name.encode() for name in ("a.xml", "b.xml")}


def test_what_is_not_there_is_left_out(runner: AgentRunner, tmp_path: Path) -> None:
    assert runner.fetch(f"{tmp_path}/none") == {}
    assert runner.fetch(f"{tmp_path}/*.none") == {}


def test_a_pod_that_is_gone_has_nothing(runner: AgentRunner, boxes: FakeContainers, tmp_path: Path) -> None:
    boxes.remove("web-1")
    assert runner.fetch(f"{tmp_path}/a") == {}
