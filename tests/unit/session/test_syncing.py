"""The loop over a real shell, with a watcher that says what it is told to."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devenv.config.model import Origin, Reload, Service, SyncRule
from devenv.errors import ClusterError, SyncError
from devenv.ports import Change
from devenv.problems import BUG
from devenv.session.podtable import Container
from devenv.session.sync.sync_stream import SyncStream
from devenv.session.sync.syncing import Outcome, SyncLoop
from tests.fakes.host import FakeWatcher
from tests.unit.sync.shells import make_pods
from tests.unit.sync.trees import read_tree

PATIENCE = 20.0


class Scene:
    """A service with one rule, one container, and what its loop told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.source, self.target = folder / "source", folder / "container/app"
        self.source.mkdir()
        (self.source / "main.py").write_text("one")
        self.local = make_pods("dash", folder)
        self.watcher = FakeWatcher()
        self.found = [Container("orders", "orders-1", "orders", "containerd://one")]
        self.outcomes: list[Outcome] = []
        self.deaf = False
        self._came = threading.Condition()
        self.loop = self.make_loop((SyncRule(self.source, str(self.target), Reload("restart")),))

    def make_loop(self, rules: tuple[SyncRule, ...]) -> SyncLoop:
        return SyncLoop(
            Service("orders", None, "x", {}, {}, None, rules, None, (), (), Origin(self.folder, 1, 1)),
            self.local,
            self.watcher,
            namespace="shop",
            find_pods=lambda: list(self.found),
            on_outcome=self._tell,
        )

    def _tell(self, outcome: Outcome) -> None:
        if self.deaf:
            raise UnicodeEncodeError("utf-8", "\udcff", 0, 1, "surrogates not allowed")
        with self._came:
            self.outcomes.append(outcome)
            self._came.notify_all()

    def wait_for(self, condition: Callable[[Outcome], bool]) -> Outcome:
        with self._came:
            assert self._came.wait_for(lambda: any(map(condition, self.outcomes)), PATIENCE), self.outcomes
            return next(filter(condition, self.outcomes))

    def wait_synced(self) -> None:
        assert self.loop.wait_synced(PATIENCE), self.outcomes

    def save(self, name: str, text: str) -> None:
        (self.source / name).write_text(text)
        self.watcher.tell(Change(self.source / name))

    def expect_equal(self) -> None:
        assert read_tree(self.target) == read_tree(self.source)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    scene = Scene(tmp_path)
    with scene.loop:
        scene.wait_synced()
        scene.outcomes.clear()
        yield scene
    scene.local.close()


def test_a_container_is_brought_in_sync_at_the_start(scene: Scene) -> None:
    scene.expect_equal()
    assert scene.local.sent() == ["-s USR1 1"]


def test_a_save_is_sent_and_reloads_once(scene: Scene) -> None:
    scene.save("main.py", "two")
    outcome = scene.wait_for(lambda outcome: bool(outcome.files))
    assert (outcome.files, outcome.size, outcome.paths) == (1, 3, ("main.py",))
    scene.wait_for(lambda outcome: outcome.reloaded == ("restart",))
    scene.expect_equal()


def test_an_ignored_path_is_none_of_its_business(scene: Scene) -> None:
    (scene.source / "__pycache__").mkdir()
    scene.watcher.tell(Change(scene.source / "__pycache__/main.pyc"))
    scene.wait_synced()
    assert scene.loop.synced()
    assert scene.outcomes == []


def test_lost_events_are_made_up_for(scene: Scene) -> None:
    (scene.source / "unseen.py").touch()
    scene.watcher.tell(Change(scene.source, overflow=True))
    scene.wait_for(lambda outcome: outcome.paths == ("unseen.py",))


def test_waiting_for_sync_does_not_depend_on_events(scene: Scene) -> None:
    (scene.source / "unseen.py").touch()
    scene.wait_synced()
    scene.expect_equal()


def test_an_edit_of_the_ignore_file_brings_what_was_ignored(scene: Scene) -> None:
    scene.save(".gitignore", "*.txt\n")
    scene.save("notes.txt", "x")
    scene.wait_synced()
    assert not (scene.target / "notes.txt").exists()
    scene.save(".gitignore", "")
    scene.wait_synced()
    scene.expect_equal()


def test_a_new_container_gets_everything_and_loses_what_was_deleted_meanwhile(scene: Scene) -> None:
    scene.save("old.py", "x")
    scene.wait_synced()
    (scene.source / "old.py").unlink()
    scene.found = [Container("orders", "orders-2", "orders", "containerd://two")]
    scene.loop.refresh()
    scene.wait_synced()
    assert len(scene.local.streams) == 2
    scene.expect_equal()


def test_a_lost_stream_is_opened_again(scene: Scene) -> None:
    scene.local.streams[0].process.kill()
    scene.local.streams[0].process.wait()
    scene.save("main.py", "two")
    scene.wait_for(lambda outcome: outcome.problem is not None)
    scene.wait_synced()
    scene.expect_equal()
    assert scene.outcomes[-1].problem is None


def test_a_reload_that_a_lost_stream_left_undone_is_made_up_for(scene: Scene) -> None:
    stream = scene.local.streams[0]
    write = stream.write

    def fail_at_signal(data: bytes) -> None:
        if data.startswith(b"signal"):
            stream.process.kill()
            stream.process.wait()
        write(data)

    stream.write = fail_at_signal  # type: ignore[method-assign]
    scene.save("main.py", "two")
    scene.wait_for(lambda outcome: outcome.problem is not None)
    scene.wait_synced()
    assert scene.local.sent() == ["-s USR1 1"] * 2


def test_a_problem_is_told_once_and_its_end_too(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.target.mkdir(parents=True)
    (scene.target / "main.py").write_text("one")
    scene.local.failures = [ClusterError(BUG, reason="no such pod", log="")] * 3
    with scene.loop:
        scene.wait_synced()
    problems = [outcome.problem is not None for outcome in scene.outcomes]
    assert problems == [True, False]
    scene.local.close()


def test_who_can_not_hear_what_is_told_does_not_end_the_sync(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    scene.deaf = True
    scene.save("main.py", "two")
    scene.wait_synced()
    assert "surrogates not allowed" in capsys.readouterr().err
    scene.deaf = False
    scene.save("main.py", "three")
    scene.wait_for(lambda outcome: outcome.files == 1)
    scene.wait_synced()
    scene.expect_equal()


def test_a_source_that_vanishes_deletes_nothing_and_heals(scene: Scene) -> None:
    scene.source.rename(scene.folder / "away")
    scene.watcher.tell(Change(scene.source))
    scene.wait_for(lambda outcome: outcome.problem is not None)
    assert (scene.target / "main.py").exists()
    (scene.folder / "away").rename(scene.source)
    scene.wait_synced()
    scene.expect_equal()


def test_everything_waits_for_git(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    lock = tmp_path / ".git/index.lock"
    scene = Scene(tmp_path)
    with scene.loop:
        scene.wait_synced()
        scene.outcomes.clear()
        lock.touch()
        scene.save("a.py", "x")
        scene.save("b.py", "x")
        assert not scene.loop.synced()
        lock.unlink()
        scene.wait_synced()
    assert [outcome.files for outcome in scene.outcomes if outcome.files] == [2]
    scene.local.close()


class SilentStream:
    """A container that never answers."""

    closed = False

    def write(self, data: bytes) -> None:
        assert not self.closed

    def close_stdin(self) -> None:
        raise NotImplementedError

    def read(self, timeout: float) -> tuple[bytes, bytes] | None:
        return b"", b""

    def returncode(self) -> int | None:
        return None

    def close(self) -> None:
        self.closed = True


def test_the_end_of_the_session_does_not_wait_for_a_container() -> None:
    stop, silent = threading.Event(), SilentStream()
    stop.set()
    stream = SyncStream(silent, service="orders", stop=stop)
    with pytest.raises(SyncError, match="the session ends"):
        stream.greet()
    assert silent.closed
    assert not stream.alive


def test_without_an_agent_too_no_rule_deletes_what_another_of_its_target_has_or_ignores(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    second = tmp_path / "second"
    second.mkdir()
    (second / ".gitignore").write_text("*.log\n")
    (second / "both.py").write_text("of the second")
    for name in ("both.py", "trace.log", "gone.py"):
        (scene.source / name).write_text("of the first")
    rules = (*scene.loop.service.sync, SyncRule(second, str(scene.target)))
    loop = scene.make_loop(rules)
    with loop:
        assert loop.wait_synced(PATIENCE)
        for name in ("both.py", "trace.log", "gone.py"):
            (scene.source / name).unlink()
            scene.watcher.tell(Change(scene.source / name))
        assert loop.wait_synced(PATIENCE)
    scene.local.close()
    assert sorted(read_tree(scene.target)) == [".gitignore", "both.py", "main.py", "trace.log"]
    assert (scene.target / "both.py").read_text() == "of the second"
