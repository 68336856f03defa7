"""kind is a fake program whose effects on nodes are scripted."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from devenv import problems
from devenv.clusters.kind import KindClusters
from devenv.clusters.kind_files import MARK
from devenv.config.model import Settings
from devenv.errors import ClusterError, Refused, ToolError
from tests.fakes.host import FakeCommands
from tests.fakes.images import FakeNodes

NODE = "shop-control-plane"


@dataclass
class Machine:
    """A machine with kind, its nodes, and the clusters that devenv sees."""

    commands: FakeCommands
    nodes: FakeNodes
    clusters: KindClusters
    state: Path

    @property
    def status(self) -> str:
        return self.clusters.inspect().status

    @property
    def marker(self) -> Path:
        return self.state / "creating-shop"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    commands, nodes = FakeCommands(), FakeNodes()
    commands.effects["kind create cluster"] = lambda: nodes.add(NODE)
    commands.effects["kind delete cluster"] = nodes.clear
    settings = Settings(file=tmp_path / "settings.yaml", cluster="shop", node_image="kindest/node:v1.34.4")
    clusters = KindClusters(commands, settings, nodes, state=tmp_path / "state")
    return Machine(commands, nodes, clusters, tmp_path / "state")


def test_a_cluster_is_made_from_a_config_on_stdin_and_marked(machine: Machine) -> None:
    machine.clusters.create()
    (command,) = machine.commands.calls
    assert " ".join(command.argv) == (
        "kind create cluster --name shop --config - --retain --wait 120s --image kindest/node:v1.34.4"
    )
    assert yaml.safe_load(command.stdin or "")["name"] == "shop"
    assert MARK in machine.nodes.files[NODE]
    assert machine.status == "running"
    assert not machine.marker.exists()


def test_without_kind_nothing_is_begun(machine: Machine) -> None:
    machine.commands.tools = ("docker",)
    with pytest.raises(ToolError) as raised:
        machine.clusters.create()
    assert raised.value.problem is problems.KIND_MISSING
    assert not machine.marker.exists()


def test_a_failure_keeps_the_logs_and_leaves_no_cluster(machine: Machine) -> None:
    machine.commands.answers["kind create"] = (1, "".join(f"line {n}\n" for n in range(40)))
    with pytest.raises(ClusterError) as raised:
        machine.clusters.create()
    assert raised.value.problem is problems.CLUSTER_CREATE_FAILED
    assert raised.value.details[-1] == "line 39"
    logs = machine.state / "log" / "kind-shop"
    assert (logs / "create.log").read_text().endswith("line 39\n")
    assert machine.commands.lines[1:] == [
        f"kind export logs {logs} --name shop",
        "kind delete cluster --name shop",
    ]
    assert machine.status == "missing"
    assert not machine.marker.exists()


def test_an_interrupt_leaves_no_cluster(machine: Machine) -> None:
    machine.commands.failures.append(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        machine.clusters.create()
    assert machine.commands.lines[-1] == "kind delete cluster --name shop"
    assert machine.status == "missing"
    assert not machine.marker.exists()


def test_a_stop_leaves_no_cluster_and_is_no_failure(machine: Machine) -> None:
    stop = threading.Event()
    machine.commands.effects["kind create"] = stop.set
    machine.commands.answers["kind create"] = (-15, "")
    machine.clusters.create(stop=stop)
    assert machine.status == "missing"
    assert not any(line.startswith("kind export logs") for line in machine.commands.lines)


def test_what_a_killed_creation_left_is_partial_and_removed_first(machine: Machine) -> None:
    machine.state.mkdir()
    machine.marker.touch()
    machine.nodes.add(NODE, running=False)
    assert machine.status == "partial"
    said: list[str] = []
    machine.clusters.create(on_line=said.append)
    assert said == ["removing what an interrupted creation left behind"]
    assert [line.split()[1] for line in machine.commands.lines] == ["delete", "create"]
    assert machine.status == "running"


def test_a_marker_left_over_does_not_make_a_whole_cluster_partial(machine: Machine) -> None:
    machine.clusters.create()
    machine.marker.touch()
    assert machine.status == "running"


def test_somebody_elses_cluster_is_foreign_and_not_touched(machine: Machine) -> None:
    machine.nodes.add(NODE)
    assert machine.status == "foreign"
    with pytest.raises(Refused) as raised:
        machine.clusters.create()
    assert raised.value.problem is problems.CLUSTER_FOREIGN
    assert machine.commands.lines == []
    assert machine.status == "foreign"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    held = os.open(folder, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    yield
    os.close(held)


def test_the_cluster_of_another_command_is_waited_for(machine: Machine) -> None:
    machine.state.mkdir()
    stop = threading.Event()
    with locked(machine.state):
        waiting = threading.Thread(target=machine.clusters.create, kwargs={"stop": stop})
        waiting.start()
        machine.nodes.add(NODE)
        machine.nodes.write(NODE, {MARK: ""})
    waiting.join(10)
    assert not waiting.is_alive()
    assert machine.commands.lines == []


def test_waiting_for_another_command_can_be_stopped(machine: Machine) -> None:
    machine.state.mkdir()
    stop = threading.Event()
    stop.set()
    with locked(machine.state):
        machine.clusters.create(stop=stop)
    assert machine.commands.lines == []


def test_a_stopped_cluster_is_started_node_by_node(machine: Machine) -> None:
    machine.clusters.create()
    machine.nodes.running[NODE] = False
    assert machine.status == "stopped"
    machine.clusters.start()
    assert machine.status == "running"
    assert f"start {NODE}" in machine.nodes.calls


def test_registry_files_are_written_where_they_differ(machine: Machine) -> None:
    machine.clusters.create()
    mirrors = {"docker.io": "http://m:5000"}
    assert machine.clusters.connect_registry("r", 5001, mirrors) == [f"{NODE} learned 2 registries"]
    assert machine.clusters.connect_registry("r", 5001, mirrors) == []
    assert machine.clusters.connect_registry("r", 5001, {"docker.io": "http://n:5000"}) == [
        f"{NODE} learned 1 registry"
    ]


def test_delete_says_whether_there_was_one(machine: Machine) -> None:
    machine.clusters.create()
    assert machine.clusters.delete()
    assert not machine.clusters.delete()


def test_a_failing_delete_tells_what_kind_said(machine: Machine) -> None:
    machine.commands.answers["kind delete"] = (1, "ERROR: no\n")
    with pytest.raises(ToolError) as raised:
        machine.clusters.delete()
    assert raised.value.details == ("ERROR: no",)


def test_access_to_a_missing_cluster_is_an_error(machine: Machine) -> None:
    with pytest.raises(ClusterError) as raised:
        machine.clusters.access()
    assert raised.value.problem is problems.CLUSTER_MISSING


def test_access_needs_no_kind_where_the_kubeconfig_knows_the_cluster(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "kubeconfig").write_text("contexts: [{name: kind-shop, context: {}}]\n")
    assert machine.clusters.access().context == "kind-shop"
    assert machine.commands.lines == []


@pytest.mark.parametrize("text", [None, "", "[1, 2]", "contexts: {", "contexts: [7]", "contexts: [{name: kind-x}]"])
def test_a_lost_kubeconfig_entry_is_written_again(machine: Machine, tmp_path: Path, text: str | None) -> None:
    machine.clusters.create()
    if text is not None:
        (tmp_path / "kubeconfig").write_text(text)
    assert machine.clusters.access().context == "kind-shop"
    assert machine.commands.lines[-1] == "kind export kubeconfig --name shop"


def test_an_entry_that_can_not_be_written_is_told(machine: Machine) -> None:
    machine.clusters.create()
    machine.commands.answers["kind export kubeconfig"] = (1, "ERROR: node is stopped\n")
    with pytest.raises(ClusterError) as raised:
        machine.clusters.access()
    assert raised.value.details == ("ERROR: node is stopped",)
