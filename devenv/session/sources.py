"""A service's source folders as they are now, looked at again where something changed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from devenv.sync.ignore import IGNORE_FILES, Ignore
from devenv.sync.index import Index, rescan

EVERYTHING = ""
"""Stands for all sources where a dirty path is expected."""


class Sources:
    """The indexes of some sources: each a path and, where it is one file, its name in the container."""

    def __init__(self, sources: Sequence[tuple[Path, str]]) -> None:
        self.indexes = [Index(source, name, missing=True) for source, name in sources]
        self.seen: list[set[str]] = [set() for _ in sources]
        self._ignores = [Ignore(source) for source, _ in sources]
        self._roots = [str(source) for source, _ in sources]
        self._locks = sorted({lock for source, _ in sources for lock in find_locks(source)})

    @property
    def missing(self) -> bool:
        """True where one of the sources is not there."""
        return any(index.missing for index in self.indexes)

    def relevant(self, path: Path) -> set[str]:
        """What is to be looked at again for a change of `path`: itself, everything, or nothing (ignored)."""
        text = str(path)
        places = [(rule, self._below(rule, text)) for rule in range(len(self._roots))]
        return {
            EVERYTHING if place == "" or path.name in IGNORE_FILES else text
            for rule, place in places
            if place is not None and not (place and self._ignores[rule].matches(place, is_dir=False))
        }

    def look_again(self, dirty: frozenset[str]) -> Iterator[tuple[int, frozenset[str]]]:
        """Bring the indexes up to date; gives for each rule the paths that differ from before."""
        for rule, index in enumerate(self.indexes):
            below = (self._below(rule, path) for path in dirty)
            places = {place for place in below if place is not None}
            if EVERYTHING in dirty or "" in places:
                self._ignores[rule] = self._ignores[rule].current()
                places = {""}
            if places:
                self.indexes[rule], changed = rescan(index, self._ignores[rule], places)
                self.seen[rule] |= changed
                yield rule, changed

    def is_kept(self, rule: int, path: str) -> bool:
        """True for what must not be deleted in a container though the index does not have it: it is ignored."""
        ignore = self._ignores[rule]
        return ignore.matches(path, is_dir=False) or ignore.matches(path, is_dir=True)

    def lock_age(self) -> float | None:
        """How long ago git's index lock over one of the sources was made, in seconds; None where there is none."""
        ages = [age for lock in self._locks if (age := _age(lock)) is not None]
        return min(ages, default=None)

    def _below(self, rule: int, path: str) -> str | None:
        """The path within a rule's source; "" for the source and what is above it, None for what is elsewhere."""
        root = self._roots[rule]
        if path.startswith(root + "/"):
            return path[len(root) + 1 :]
        return "" if path == root or root.startswith(path.rstrip("/") + "/") else None


def find_locks(source: Path) -> list[Path]:
    """Where git would lock the index of the repository that `source` is in; empty outside a repository."""
    for folder in (source, *source.parents):
        git = folder / ".git"
        if git.is_dir():
            return [git / "index.lock"]
        if git.is_file():  # a worktree or submodule: "gitdir: PATH"
            _, _, place = git.read_text(errors="surrogateescape").strip().partition("gitdir: ")
            return [folder / place / "index.lock"] if place else []
    return []


def _age(lock: Path) -> float | None:
    try:
        return max(time.time() - lock.stat().st_mtime, 0.0)
    except OSError:
        return None
