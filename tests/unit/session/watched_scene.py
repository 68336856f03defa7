"""A scene whose source is really watched, and whose container is looked at after each frame that reached it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from devenv.host.watching import FolderWatcher
from devenv.sync.ignore import Ignore
from tests.fakes.agent import FakeAgent, FakeContainer
from tests.fakes.agent_pods import FakeAgentExec, FakeContainers
from tests.unit.session.agent_scene import AgentScene
from tests.unit.sync.trees import read_tree


class LookedAt(FakeAgentExec):
    """A stream that calls `look` after each write, with nothing under way."""

    def __init__(self, agent: FakeAgent, look: Callable[[], None]) -> None:
        super().__init__(agent)
        self._look = look

    def write(self, data: bytes) -> None:
        super().write(data)
        self._look()


class LookedAtContainers(FakeContainers):
    look: Callable[[], None] = staticmethod(lambda: None)

    def open(self, pod: str, container: str, command: Sequence[str]) -> FakeAgentExec:
        box = self.containers.setdefault(pod, FakeContainer())
        self.streams.append(LookedAt(FakeAgent(box), lambda: self.look()))
        return self.streams[-1]


class WatchedScene(AgentScene):
    """`seen` has what `look` said of the container, each change once."""

    def __init__(self, folder: Path, look: Callable[[Path], object]) -> None:
        super().__init__(folder)
        self.boxes = LookedAtContainers()
        self.pods.open = self.boxes.open
        self.seen: list[Any] = []
        self._look = look
        self.watcher = FolderWatcher()  # type: ignore[assignment]
        self.loop = self.make_loop()

    def begin(self) -> None:
        """From here on: what comes before is the first sync."""
        self.wait_synced()
        self.outcomes.clear()
        self.starts = self.box.starts
        self.boxes.look = self._note  # type: ignore[attr-defined]
        self._note()

    @property
    def batches(self) -> list[tuple[int, int]]:
        """Files and deletes of each batch."""
        return [(done.files, done.deleted) for done in list(self.outcomes) if done.files or done.deleted]

    @property
    def reloads(self) -> int:
        return self.box.starts - self.starts

    def end(self) -> None:
        """Wait until it is quiet, by events alone, and compare."""
        self.wait_for(lambda outcome: bool(outcome.reloaded))
        self.wait_synced()
        ignore = Ignore(self.source)
        mine = {path: what for path, what in read_tree(self.source).items() if not _ignores(ignore, path, what)}
        assert read_tree(self.target) == mine

    def _note(self) -> None:
        seen = self._look(self.target)
        if not self.seen or self.seen[-1] != seen:
            self.seen.append(seen)


def _ignores(ignore: Ignore, path: str, what: object) -> bool:
    return ignore.matches(path, is_dir=what == "dir")


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=me", "-c", "user.email=me@x", "-c", "commit.gpgsign=false", "-c", "gc.auto=0"]
    done = subprocess.run(["git", "-C", str(folder), *who, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
