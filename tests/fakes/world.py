"""A World of fakes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from devenv.config.model import Settings
from devenv.flows.world import World
from tests.fakes.clusters import FakeClusters
from tests.fakes.host import FakeTrust
from tests.fakes.images import FakeImages, FakeRegistry
from tests.fakes.kube import FakeObjects, FakePods
from tests.fakes.terminal import FakeProgress


@dataclass
class FakeKube:
    """One cluster of fakes."""

    context: str = "kind-devenv"
    objects: FakeObjects = field(default_factory=FakeObjects)
    pods: FakePods = field(default_factory=FakePods)

    def uid(self) -> str:
        return "0123456789"


class FakeProcesses:
    """Processes that live for as many questions as they are given."""

    def __init__(self, *, answers: int = 0, log: str = "") -> None:
        self.spawned: list[list[str]] = []
        self._answers = answers
        self._log = log

    def spawn(self, argv: Any, *, log: Path) -> int:
        self.spawned.append(list(argv))
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a") as file:
            file.write(self._log)
        return 4711

    def is_alive(self, pid: int) -> bool:
        self._answers -= 1
        return self._answers >= 0


def fake_world(tmp_path: Path, kube: FakeKube, **changes: Any) -> World:
    """A world in which the cluster runs, unless changed."""
    values: dict[str, Any] = {
        "settings": Settings(tmp_path / "settings.yaml"),
        "commands": None,
        "clusters": FakeClusters(status="running"),
        "registry": FakeRegistry(),
        "images": FakeImages(),
        "watcher": None,
        "processes": FakeProcesses(),
        "progress": FakeProgress(),
        "connect": lambda access: kube,
        "runtime": tmp_path,
        "state": tmp_path / "state",
        "trust": FakeTrust(),
        "environ": {},
    }
    return World(**{**values, **changes})
