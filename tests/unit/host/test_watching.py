"""Which kinds of changes are told, and as settled or not. That changes are told at all: tests/contract."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from devenv.host.observing import ObservedFolder
from devenv.host.watching import FolderWatcher
from devenv.ports import Change
from tests.unit.host.told import Told


@contextmanager
def watching(*folders: Path, tick: float = 0.05, poll: bool = False) -> Iterator[Told]:
    told = Told()
    with FolderWatcher(tick=tick).watch(folders, told.put, poll=poll):
        yield told


@contextmanager
def observing(*folders: Path) -> Iterator[Told]:
    """By watchdog's observers, as where the system has no inotify."""
    told = Told()
    watched = [ObservedFolder(folder, told.put) for folder in folders]
    for each in watched:
        each.start()
    yield told
    for each in watched:
        each.stop()


Watching = Callable[..., AbstractContextManager[Told]]
by_any_means = pytest.mark.parametrize("watching", [watching, observing], ids=["inotify", "observers"])


@by_any_means
def test_a_written_file_is_unsettled_until_it_is_closed(watching: Watching, tmp_path: Path) -> None:
    with watching(tmp_path) as told:
        with (tmp_path / "a").open("w") as file:
            file.write("1")
            file.flush()
            assert not told.until(lambda c: c.path == tmp_path / "a")[-1].settled
        assert told.until(lambda c: c == Change(tmp_path / "a", settled=True))


@by_any_means
def test_a_file_moved_into_place_is_settled_and_its_old_name_is_told(watching: Watching, tmp_path: Path) -> None:
    (tmp_path / "a.tmp").write_text("1")
    with watching(tmp_path) as told:
        (tmp_path / "a.tmp").rename(tmp_path / "a")
        seen = told.until(lambda c: c == Change(tmp_path / "a", settled=True))
    assert Change(tmp_path / "a.tmp", settled=False) in seen


@by_any_means
@pytest.mark.parametrize("act", [lambda p: p.unlink(), lambda p: os.truncate(p, 0)], ids=["deleted", "truncated"])
def test_what_never_closes_is_unsettled(watching: Watching, tmp_path: Path, act: Callable[[Path], None]) -> None:
    (tmp_path / "a").write_text("1")
    with watching(tmp_path) as told:
        act(tmp_path / "a")
        assert told.until(lambda c: c == Change(tmp_path / "a", settled=False))


@by_any_means
def test_a_change_of_mode_is_told(watching: Watching, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    with watching(tmp_path) as told:
        (tmp_path / "a").chmod(0o755)
        assert told.until(lambda c: c.path == tmp_path / "a")


@by_any_means
def test_a_file_moved_away_is_told(watching: Watching, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a").write_text("1")
    with watching(tmp_path / "in") as told:
        (tmp_path / "in" / "a").rename(tmp_path / "a")
        assert told.until(lambda c: c.path == tmp_path / "in" / "a" and not c.settled)


@by_any_means
def test_reading_is_not_told(watching: Watching, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    with watching(tmp_path) as told:
        (tmp_path / "a").read_text()
        (tmp_path / "b").write_text("2")
        seen = told.until(lambda c: c.path == tmp_path / "b")
    assert [c for c in seen if c.path == tmp_path / "a"] == []


@by_any_means
def test_a_folder_through_a_link_keeps_its_name(watching: Watching, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    with watching(tmp_path / "link") as told:
        (tmp_path / "real" / "a").write_text("1")
        assert told.until(lambda c: c.path == tmp_path / "link" / "a" and c.settled)


@by_any_means
def test_a_single_file_is_watched_through_replacements(watching: Watching, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    with watching(tmp_path / "a") as told:
        for text in ("2", "3"):
            (tmp_path / "other").write_text(text)
            (tmp_path / "other").rename(tmp_path / "a")
            seen = told.until(lambda c: c == Change(tmp_path / "a", settled=True))
            assert {c.path for c in seen} == {tmp_path / "a"}


@by_any_means
def test_two_files_of_one_folder_are_both_watched(watching: Watching, tmp_path: Path) -> None:
    with watching(tmp_path / "a", tmp_path / "b") as told:
        (tmp_path / "a").write_text("1")
        assert told.until(lambda c: c == Change(tmp_path / "a", settled=True))
        (tmp_path / "b").write_text("1")
        assert told.until(lambda c: c == Change(tmp_path / "b", settled=True))
