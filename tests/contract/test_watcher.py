"""What every Watcher tells, on a fake and on this machine's file system."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from devenv.host.watching import FolderWatcher
from devenv.ports import Change, Watcher
from tests.fakes.host import FakeWatcher

Write = Callable[[Path], object]


@pytest.fixture(params=["fake", "real"])
def watched(request: pytest.FixtureRequest) -> tuple[Watcher, Write]:
    """A watcher, and a function that writes a file in a way that it sees."""
    if request.param == "real":
        return FolderWatcher(), lambda path: path.write_text("x")
    watcher = FakeWatcher()

    def write(path: Path) -> None:
        path.write_text("x")
        watcher.tell(Change(path))

    return watcher, write


@contextmanager
def told(watcher: Watcher, *folders: Path) -> Iterator[queue.SimpleQueue[Change]]:
    changes: queue.SimpleQueue[Change] = queue.SimpleQueue()
    with watcher.watch(folders, changes.put):
        yield changes


def until(changes: queue.SimpleQueue[Change], path: Path) -> set[Path]:
    """The paths told up to a settled change of `path`; queue.Empty where it does not come."""
    seen: set[Path] = set()
    while (change := changes.get(timeout=10)) != Change(path):
        seen.add(change.path)
    return seen


def test_a_written_file_is_told_with_its_path(watched: tuple[Watcher, Write], tmp_path: Path) -> None:
    watcher, write = watched
    (tmp_path / "src" / "deep").mkdir(parents=True)
    with told(watcher, tmp_path / "src") as changes:
        write(tmp_path / "src" / "deep" / "a.py")
        until(changes, tmp_path / "src" / "deep" / "a.py")


def test_other_folders_are_not_told(watched: tuple[Watcher, Write], tmp_path: Path) -> None:
    watcher, write = watched
    for name in ("one", "two", "other"):
        (tmp_path / name).mkdir()
    with told(watcher, tmp_path / "one", tmp_path / "two") as changes:
        write(tmp_path / "other" / "x")
        write(tmp_path / "one" / "x")
        write(tmp_path / "two" / "x")
        # Which of two folders is told of first, nobody promises.
        seen: set[Change] = set()
        while not {Change(tmp_path / "one" / "x"), Change(tmp_path / "two" / "x")} <= seen:
            seen.add(changes.get(timeout=10))
        assert tmp_path / "other" / "x" not in {change.path for change in seen}


def test_a_single_file_may_be_watched(watched: tuple[Watcher, Write], tmp_path: Path) -> None:
    watcher, write = watched
    (tmp_path / "a").write_text("")
    with told(watcher, tmp_path / "a") as changes:
        write(tmp_path / "b")
        write(tmp_path / "a")
        assert tmp_path / "b" not in until(changes, tmp_path / "a")


def test_after_its_end_nothing_is_told(watched: tuple[Watcher, Write], tmp_path: Path) -> None:
    watcher, write = watched
    with told(watcher, tmp_path) as changes:
        pass
    write(tmp_path / "a")
    assert changes.empty()
