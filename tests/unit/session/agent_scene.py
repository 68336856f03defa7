"""A service whose container runs under an agent: the fake one, or the real one as processes of this machine."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from devenv.config.model import Origin, Reload, Service, SyncRule
from devenv.ports import Change
from devenv.session.podtable import Container
from devenv.session.sync.syncing import Outcome, SyncLoop
from tests.fakes.agent import FakeContainer
from tests.fakes.agent_pods import AgentPods, FakeContainers
from tests.fakes.host import FakeWatcher
from tests.unit.sync.trees import read_tree

PATIENCE = 20.0
RESTART = Reload("restart")
STAGE = ".devenv-stage"


class AgentScene:
    """A source, one pod's target, what the loop told; `boxes` are the fake containers."""

    def __init__(self, folder: Path, *, reload: Reload = RESTART, take_over: bool = False) -> None:
        self.source, self.target = folder / "source", folder / "container/app"
        self.source.mkdir(exist_ok=True)
        self.target.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.boxes = FakeContainers()
        self.pods = AgentPods(self.boxes.open)
        self.watcher = FakeWatcher()
        self.found = [Container("orders", "orders-1", "orders", "containerd://one", has_agent=True)]
        self.outcomes: list[Outcome] = []
        self._came = threading.Condition()
        self.rules = [SyncRule(self.source, str(self.target), reload, origin=Origin(folder / "devenv.yaml", 14, 5))]
        self.take_over = take_over
        self.loop = self.make_loop()

    @property
    def box(self) -> FakeContainer:
        return self.boxes.containers.setdefault("orders-1", FakeContainer())

    def make_loop(self) -> SyncLoop:
        """A new session's loop for the same pods."""
        origin = Origin(self.folder, 1, 1)
        self.loop = SyncLoop(
            Service("orders", None, "x", {}, {}, None, tuple(self.rules), None, (), (), origin),
            self.pods,
            self.watcher,
            namespace="shop",
            find_pods=lambda: list(self.found),
            on_outcome=self._tell,
            take_over=self.take_over,
        )
        return self.loop

    def _tell(self, outcome: Outcome) -> None:
        with self._came:
            self.outcomes.append(outcome)
            self._came.notify_all()

    def wait_for(self, condition: Callable[[Outcome], bool]) -> Outcome:
        with self._came:
            assert self._came.wait_for(lambda: any(map(condition, self.outcomes)), PATIENCE), self.outcomes
            return next(filter(condition, self.outcomes))

    def wait_synced(self) -> None:
        assert self.loop.wait_synced(PATIENCE), (self.outcomes, self.loop.status())

    def write(self, name: str, content: str | bytes) -> Path:
        place = self.source / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.encode() if isinstance(content, str) else content)
        return place

    def save(self, name: str, content: str | bytes) -> None:
        """Write a file, and have the watcher tell."""
        self.changed(self.write(name, content))

    def changed(self, *places: Path) -> None:
        for place in places:
            self.watcher.tell(Change(place))

    def expect_equal(self) -> None:
        assert read_tree(self.target) == read_tree(self.source)
