from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from devenv import problems
from devenv.errors import ToolError
from devenv.flows.version import Deadline, Part, look
from devenv.ports import Access
from tests.fakes.clusters import FakeClusters
from tests.fakes.host import FakeCommands
from tests.fakes.kube import FakeObjects
from tests.fakes.world import FakeKube, fake_world

NODE = {
    "apiVersion": "v1",
    "kind": "Node",
    "metadata": {"name": "one"},
    "status": {"nodeInfo": {"kubeletVersion": "v1.34.0"}},
}
ANSWERS = {
    "docker version": (0, '{"Client": {"Version": "28.1"}, "Server": {"Version": "27.0"}}'),
    "kind version": (0, "kind v0.30.0 go1.25 linux/amd64"),
    "kubectl version": (0, '{"clientVersion": {"gitVersion": "v1.33.1"}}'),
}


@pytest.fixture
def commands() -> FakeCommands:
    commands = FakeCommands()
    commands.answers.update(ANSWERS)
    return commands


def told(tmp_path: Path, commands: FakeCommands, **changes: Any) -> dict[str, Part]:
    world = fake_world(tmp_path, FakeKube(objects=FakeObjects(NODE)), commands=commands, **changes)
    return {part.name: part for part in look(world, seconds=0.3)}


def test_all_that_is_there(tmp_path: Path, commands: FakeCommands) -> None:
    assert {name: part.version for name, part in told(tmp_path, commands).items()} == {
        "docker client": "28.1",
        "docker server": "27.0",
        "kind": "v0.30.0",
        "kubectl": "v1.33.1",
        "cluster": "v1.34.0",
    }


def test_a_stopped_daemon_has_a_client(tmp_path: Path, commands: FakeCommands) -> None:
    commands.answers["docker version"] = (1, '{"Client": {"Version": "28.1"}, "Server": null}')
    found = told(tmp_path, commands)
    assert found["docker client"].version == "28.1"
    assert found["docker server"] == Part("docker server", None, "it does not answer")


def test_each_missing_one_has_a_reason(tmp_path: Path, commands: FakeCommands) -> None:
    commands.failures += [ToolError(problems.KIND_MISSING)] * 3
    found = told(tmp_path, commands, clusters=FakeClusters(status="missing"))
    assert {part.reason for name, part in found.items() if name != "cluster"} == {"kind is not installed"}
    assert found["cluster"] == Part("cluster", None, "there is no cluster devenv")


@pytest.mark.parametrize("answer", [(0, "no json"), (0, "[]"), (0, "{}"), (0, '"x"'), (1, ""), (0, "")])
def test_what_a_program_prints_is_no_error(tmp_path: Path, commands: FakeCommands, answer: tuple[int, str]) -> None:
    commands.answers = dict.fromkeys(ANSWERS, answer)
    found = told(tmp_path, commands)
    for name in ("docker client", "docker server", "kubectl"):
        assert (found[name].version, bool(found[name].reason)) == (None, True)


def test_one_that_hangs_keeps_nobody_waiting(tmp_path: Path, commands: FakeCommands) -> None:
    never = threading.Event()

    def connect(access: Access) -> FakeKube:
        never.wait(20)
        return FakeKube()

    found = told(tmp_path, commands, connect=connect)
    never.set()
    assert found["cluster"] == Part("cluster", None, "no answer within 0.3 s")
    assert found["kind"].version == "v0.30.0"


def test_a_deadline() -> None:
    assert Deadline(0).is_set()
    assert not Deadline(60).is_set()
    assert not Deadline(60).wait(0.001)
    assert Deadline(0.01).wait()
