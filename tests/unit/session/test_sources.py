"""S12, S19: what the sources are, however they changed, by what a watcher says of it."""

from __future__ import annotations

import os
import queue
import random
import shutil
from contextlib import suppress
from pathlib import Path

import pytest

from devenv.host.watching import FolderWatcher
from devenv.ports import Change
from devenv.session.sync.sources import Sources
from devenv.sync.ignore import Ignore
from devenv.sync.index import Digest, Index, scan
from tests.scale import scaled, seconds


class Scribble:
    """Does random things to a tree, and says which paths an honest watcher would name for it."""

    def __init__(self, seed: int, root: Path) -> None:
        self._random = random.Random(seed)
        self._root = root

    def path(self, *, follow: bool = False) -> str:
        """A path as the watcher names it: where links on the way lead, and with `follow` the last one too."""
        return self.real(
            "/".join(self._random.choice("abcd") for _ in range(self._random.randint(1, 4))), follow=follow
        )

    def real(self, path: str, *, follow: bool) -> str:
        place = os.path.join(os.path.realpath(self._root), path)
        parent, name = os.path.split(place)
        real = os.path.realpath(place) if follow else os.path.join(os.path.realpath(parent), name)
        path = os.path.relpath(real, os.path.realpath(self._root))
        if path.startswith(".."):
            raise FileNotFoundError(path)
        return path

    def step(self) -> set[str]:
        acts = (self.write, self.write, self.delete, self.move, self.folder, self.link, self.ignore, self.mode)
        try:
            return self._random.choice(acts)()
        except OSError:
            return set()

    def write(self) -> set[str]:
        path = self.path(follow=True)
        parts = path.split("/")
        above = ("/".join(parts[:count]) for count in range(1, len(parts)))
        first = next((folder for folder in above if not (self._root / folder).exists()), path)
        with suppress(OSError):
            (self._root / path).parent.mkdir(parents=True, exist_ok=True)
            (self._root / path).write_text(self._random.choice(["1", "2"]))
        return {first, path}

    def delete(self) -> set[str]:
        path = self.path()
        place = self._root / path
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place)
        else:
            place.unlink()
        return {path}

    def move(self) -> set[str]:
        one, two = self.path(), self.path()
        (self._root / one).rename(self._root / two)
        return {one, two}

    def folder(self) -> set[str]:
        path = self.path()
        (self._root / path).mkdir(parents=True)
        return {path.split("/")[0]}

    def link(self) -> set[str]:
        path = self.path()
        (self._root / path).symlink_to(self._random.choice(["a", "../a", "/x", "b/c"]))
        return {path}

    def mode(self) -> set[str]:
        path = self.path(follow=True)
        place = self._root / path
        if place.is_file() and not place.is_symlink():
            place.chmod(self._random.choice([0o644, 0o755]))
        return {path}

    def ignore(self) -> set[str]:
        folder = self._random.choice(["", "a/", "b/"])
        rules = self._random.sample(["a", "/b", "c/", "!a", "d"], self._random.randint(0, 2))
        path = self.real(f"{folder}.gitignore", follow=True)
        (self._root / path).write_text("\n".join(rules))
        return {path}


@pytest.mark.timeout(seconds())
def test_s19_looking_at_what_changed_equals_looking_at_everything(tmp_path: Path) -> None:
    changes = 0
    for seed in range(scaled(60, full=1_000)):
        root = tmp_path / str(seed)
        root.mkdir()
        scribble, sources = Scribble(seed, root), Sources([(root, "")])
        acked: dict[str, Digest] = {}
        list(sources.look_again(frozenset([""])))
        for _ in range(12):
            touched = {path for _ in range(random.Random(seed).randint(1, 4)) for path in scribble.step()}
            dirty = {place for path in touched for place in sources.relevant(root / path)}
            changes += note_all(sources, dirty, acked)
            check(sources.indexes[0], acked, (seed, touched))
    assert changes > 500


@pytest.mark.timeout(seconds())
def test_s19_what_the_watcher_tells_is_enough(tmp_path: Path) -> None:
    for seed in range(scaled(20, full=500)):
        root = tmp_path / str(seed)
        root.mkdir()
        told: queue.SimpleQueue[Change] = queue.SimpleQueue()
        scribble, sources = Scribble(seed, root), Sources([(root, "")])
        acked: dict[str, Digest] = {}
        with FolderWatcher().watch([root], told.put):
            list(sources.look_again(frozenset([""])))
            for turn in range(8):
                for _ in range(random.Random(seed + turn).randint(1, 12)):
                    scribble.step()
                note_all(sources, until_written(told, sources, root / "last"), acked)
                check(sources.indexes[0], acked, (seed, turn))


def until_written(told: queue.SimpleQueue[Change], sources: Sources, last: Path) -> set[str]:
    """What is dirty by all that was told up to a file that is written last."""
    dirty: set[str] = set()
    last.write_text("x")
    while True:
        change = told.get(timeout=10)
        dirty |= {""} if change.overflow else sources.relevant(change.path)
        if change == Change(last):
            return dirty


def note_all(sources: Sources, dirty: set[str], acked: dict[str, str]) -> int:
    """Look again, and have `acked` follow; gives how many paths changed."""
    count = 0
    for _, paths in sources.look_again(frozenset(dirty)):
        entries = sources.indexes[0].entries
        for path in paths:
            acked.pop(path, None)
        acked.update((path, entries[path].digest) for path in paths if path in entries)
        count += len(paths)
    return count


def check(index: Index, acked: dict[str, str], when: object) -> None:
    fresh = scan(index.source, Ignore(index.source))
    digests = {path: entry.digest for path, entry in index.entries.items()}
    assert digests == {path: entry.digest for path, entry in fresh.entries.items()}, when
    assert index.notes == fresh.notes, when
    assert acked == digests, when
    names = {f"{folder}/{name}".lstrip("/") for folder, names in index.names.items() for name in names}
    assert names == index.entries.keys() | index.notes.keys(), when


def changed(sources: Sources, *places: Path) -> set[str]:
    dirty = frozenset(path for place in places for path in sources.relevant(place))
    return {path for _, paths in sources.look_again(dirty) for path in paths}


def test_s12_a_folder_that_brings_its_ignore_file_is_looked_at_by_it(tmp_path: Path) -> None:
    for folder in ("plain", "strict"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.log").write_text("x")
    (tmp_path / "strict/.gitignore").write_text("*.log\n")
    sources = Sources([(tmp_path, "")])
    list(sources.look_again(frozenset([""])))
    assert "plain/a.log" in sources.indexes[0].entries
    (tmp_path / "plain").rename(tmp_path / "was")
    (tmp_path / "strict").rename(tmp_path / "plain")
    changed(sources, *(tmp_path / name for name in ("plain", "was", "strict")))
    assert sources.indexes[0].entries.keys() == {"plain", "plain/.gitignore", "was", "was/a.log"}


def test_s12_what_is_no_longer_ignored_comes_and_what_is_from_now_on_is_kept(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("*.log\n")
    for name in ("a.log", "a.txt"):
        (tmp_path / name).write_text("x")
    sources = Sources([(tmp_path, "")])
    list(sources.look_again(frozenset([""])))
    (tmp_path / ".gitignore").write_text("*.txt\n")
    assert changed(sources, tmp_path / ".gitignore") == {".gitignore", "a.log", "a.txt"}
    assert "a.log" in sources.indexes[0].entries
    assert sources.is_kept(0, "a.txt")
    assert not sources.is_kept(0, "a.log")
