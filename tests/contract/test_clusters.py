"""What every Clusters does, on a fake and with real kind; a real cluster is made only with DEVENV_TEST_CREATE=1."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from devenv import problems
from devenv.clusters.kind import KindClusters
from devenv.config.model import Settings
from devenv.errors import ClusterError
from devenv.host.commands import LocalCommands
from devenv.images.nodes import DockerNodes
from devenv.ports import Access, Clusters
from tests.conftest import Machine
from tests.fakes.clusters import FakeClusters

NAME = f"devenv-contract-{os.getpid()}"
MIRRORS = {"docker.io": "http://devenv-testbed-mirror:5000"}


def real(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KindClusters:
    machine: Machine = request.getfixturevalue("machine")
    values = yaml.safe_load(machine.settings.read_text())
    tools, image = values.get("tools") or {}, (values.get("cluster") or {}).get("node_image")
    settings = Settings(file=machine.settings, cluster=NAME, node_image=image)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    clusters = KindClusters(LocalCommands(tools), settings, DockerNodes(), state=tmp_path / "state")
    request.addfinalizer(clusters.delete)
    return clusters


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.cluster)])
def clusters(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clusters:
    return FakeClusters(name=NAME) if request.param == "fake" else real(request, tmp_path, monkeypatch)


def test_a_missing_cluster_is_missing_in_every_way(clusters: Clusters) -> None:
    assert clusters.inspect().status == "missing"
    assert clusters.inspect().nodes == ()
    assert not clusters.delete()
    clusters.start()
    with pytest.raises(ClusterError) as raised:
        clusters.access()
    assert raised.value.problem is problems.CLUSTER_MISSING


def life_of_a_cluster(clusters: Clusters) -> None:
    clusters.create()
    state = clusters.inspect()
    assert state.status == "running"
    assert state.nodes == (f"{NAME}-control-plane",)
    assert clusters.access() == Access(f"kind-{NAME}")
    assert clusters.connect_registry("r", 5990, MIRRORS) == [f"{NAME}-control-plane learned 2 registries"]
    assert clusters.connect_registry("r", 5990, MIRRORS) == []
    clusters.create()
    assert clusters.inspect().status == "running"
    assert clusters.delete()
    assert clusters.inspect().status == "missing"


def test_the_life_of_a_fake_cluster() -> None:
    life_of_a_cluster(FakeClusters(name=NAME))


@pytest.mark.cluster
@pytest.mark.skipif(os.environ.get("DEVENV_TEST_CREATE") != "1", reason="makes a cluster: DEVENV_TEST_CREATE=1")
def test_the_life_of_a_real_cluster(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    life_of_a_cluster(real(request, tmp_path, monkeypatch))
    assert not (tmp_path / "state" / f"creating-{NAME}").exists()
    assert not yaml.safe_load((tmp_path / "kubeconfig").read_text()).get("contexts")
