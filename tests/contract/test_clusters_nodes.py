"""What every Nodes does, on a fake and on a real container that carries kind's label."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from devenv.images.nodes import KIND_LABEL, DockerNodes
from devenv.ports import Node, Nodes
from tests.fakes.images import FakeNodes

CLUSTER = f"devenv-contract-{os.getpid()}"
NODE = f"{CLUSTER}-control-plane"
DEEP = "/etc/containerd/certs.d/localhost:5990/hosts.toml"


@dataclass(frozen=True)
class Stage:
    """Nodes with one running node, and a way to stop it."""

    nodes: Nodes
    stop: Callable[[], None]


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.cluster)])
def stage(request: pytest.FixtureRequest) -> Stage:
    return fake() if request.param == "fake" else real(request)


def fake() -> Stage:
    nodes = FakeNodes()
    nodes.add(NODE)
    return Stage(nodes, lambda: nodes.running.update({NODE: False}))


def real(request: pytest.FixtureRequest) -> Stage:
    # So that Docker runs and has its mirror.
    request.getfixturevalue("machine")
    import docker

    client = docker.from_env()
    request.addfinalizer(client.close)
    for left in client.containers.list(all=True, filters={"name": NODE}):
        left.remove(force=True)
    client.images.pull("busybox", tag="latest")
    container = client.containers.run(
        "busybox", ["sleep", "3600"], name=NODE, labels={KIND_LABEL: CLUSTER}, detach=True
    )
    request.addfinalizer(lambda: container.remove(force=True))
    return Stage(DockerNodes(), container.kill)


def test_nodes_are_found_running_and_stopped_and_started(stage: Stage) -> None:
    assert stage.nodes.find(CLUSTER) == [Node(NODE, running=True)]
    stage.stop()
    assert stage.nodes.find(CLUSTER) == [Node(NODE, running=False)]
    stage.nodes.start(NODE)
    assert stage.nodes.find(CLUSTER) == [Node(NODE, running=True)]


def test_another_cluster_has_none(stage: Stage) -> None:
    assert stage.nodes.find("devenv-contract-none") == []


def test_what_was_written_is_read(stage: Stage) -> None:
    assert stage.nodes.read(NODE, "/kind/devenv") is None
    stage.nodes.write(NODE, {"/kind/devenv": "ours\n", DEEP: "é"})
    assert stage.nodes.read(NODE, "/kind/devenv") == "ours\n"
    assert stage.nodes.read(NODE, DEEP) == "é"
    stage.nodes.write(NODE, {DEEP: ""})
    assert stage.nodes.read(NODE, DEEP) == ""


def test_a_stopped_node_is_read_and_written_too(stage: Stage) -> None:
    stage.nodes.write(NODE, {"/kind/devenv": "ours\n"})
    stage.stop()
    assert stage.nodes.read(NODE, "/kind/devenv") == "ours\n"
    stage.nodes.write(NODE, {DEEP: "x"})
    assert stage.nodes.read(NODE, DEEP) == "x"
    assert stage.nodes.read(NODE, "/etc/nothing") is None
