from __future__ import annotations

import pytest

from devenv.checks import remains
from devenv.checks.facts import ContainerFacts
from tests.fakes.machine import RUNTIME, STATE, Fakes


@pytest.fixture
def fakes() -> Fakes:
    return Fakes()


@pytest.mark.parametrize(
    ("state", "status", "code"),
    [
        ("missing", "ok", ""),
        ("running", "ok", ""),
        ("partial", "warn", ""),
        ("foreign", "fail", "cluster-foreign"),
    ],
)
def test_clusters(fakes: Fakes, state: str, status: str, code: str) -> None:
    fakes.clusters.status = state
    verdict = remains.cluster(fakes.scene)
    assert (verdict.status, verdict.code) == (status, code)


def test_a_stopped_cluster_is_started_by_its_nodes(fakes: Fakes) -> None:
    fakes.clusters.status = "stopped"
    fakes.nodes.add("devenv-control-plane", running=False)
    fakes.nodes.add("devenv-worker")
    verdict = remains.cluster(fakes.scene)
    assert (verdict.status, verdict.fixes) == ("warn", (("docker", "start", "devenv-control-plane"),))


@pytest.mark.parametrize(
    ("container", "status", "fixes"),
    [
        (None, "ok", ()),
        (ContainerFacts(running=True, ours=True), "ok", ()),
        (ContainerFacts(running=False, ours=True), "warn", (("docker", "start", "devenv-registry"),)),
        (ContainerFacts(running=True, ours=False), "fail", ()),
    ],
)
def test_registries(
    fakes: Fakes, container: ContainerFacts | None, status: str, fixes: tuple[tuple[str, ...], ...]
) -> None:
    if container:
        fakes.daemon.containers["devenv-registry"] = container
    verdict = remains.registry(fakes.scene)
    assert (verdict.status, verdict.fixes) == (status, fixes)
    assert (verdict.code == "registry-foreign") == (status == "fail")


def test_sockets(fakes: Fakes) -> None:
    for name in ("a.sock", "b.sock", "notes.sock"):
        fakes.files.put(RUNTIME / name, kind="file" if name == "notes.sock" else "socket")
    fakes.files.put(RUNTIME / "a.log")
    fakes.network.live = {RUNTIME / "a.sock", RUNTIME / "b.sock"}
    assert remains.sockets(fakes.scene).text == "2 live sessions"
    fakes.network.live = {RUNTIME / "a.sock"}
    verdict = remains.sockets(fakes.scene)
    assert (verdict.status, verdict.text) == ("warn", "1 dead socket: b.sock")
    assert verdict.fixes == (("rm", "-f", str(RUNTIME / "b.sock")),)


def test_markers(fakes: Fakes) -> None:
    assert remains.markers(fakes.scene).status == "ok"
    for name in ("creating-a", "creating-b", "log"):
        fakes.files.put(STATE / name)
    fakes.nodes.add("b-control-plane")
    verdict = remains.markers(fakes.scene)
    assert (verdict.status, verdict.fixes) == ("warn", (("rm", "-f", str(STATE / "creating-a")),))
    fakes.files.locked.add(STATE)
    assert remains.markers(fakes.scene).status == "ok"
