"""A service's source folders as they are now, looked at again where something changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from devenv.session.sync.gitlocks import GitLocks, git_folder, named_git_folder
from devenv.sync.ignore import IGNORE_FILES, Ignore, Reason
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
        self._locks = GitLocks()
        self._repositories: set[Path] | None = None
        self._find_locks()

    @property
    def missing(self) -> bool:
        """True where one of the sources is not there."""
        return any(index.missing for index in self.indexes)

    def relevant(self, path: Path) -> set[str]:
        """What is to be looked at again for a change of `path`: itself, everything, or nothing (ignored)."""
        text = str(path)
        places = [(rule, self._below(rule, text)) for rule in range(len(self._roots))]
        if path.name == ".git":  # a repository that comes or goes is no file of the source, but has a lock
            return {str(path.parent) for _, place in places if place is not None}
        dirty = {
            EVERYTHING if place == "" or path.name in IGNORE_FILES else text
            for rule, place in places
            if place is not None and not (place and self._ignores[rule].matches(place, is_dir=False))
        }
        if dirty:
            self._locks.hear()
        return dirty

    def look_again(self, dirty: frozenset[str]) -> Iterator[tuple[int, frozenset[str]]]:
        """Bring the indexes up to date; gives for each rule the paths that differ from before."""
        for rule, index in enumerate(self.indexes):
            below = (self._below(rule, path) for path in dirty)
            places = {place for place in below if place is not None}
            if EVERYTHING in dirty or "" in places:
                self._repositories = None
                self._ignores[rule] = self._ignores[rule].current()
                places = {""}
            elif any(_has_folder(index, place) for place in places):
                # A folder that came or went may have brought or taken ignore files.
                before, self._ignores[rule] = self._ignores[rule], self._ignores[rule].current()
                places = places if before is self._ignores[rule] else {""}
            if places:
                self.indexes[rule], changed = rescan(index, self._ignores[rule], places)
                self.seen[rule] |= changed
                yield rule, changed
        self._find_locks()

    def is_kept(self, rule: int, path: str) -> bool:
        """True for what must not be deleted in a container though the index does not have it.

        It is ignored, or can't be read for now.
        """
        ignore = self._ignores[rule]
        ignored = ignore.matches(path, is_dir=False) or ignore.matches(path, is_dir=True)
        return ignored or self.indexes[rule].is_unreadable(path)

    def why(self, rule: int, path: str, *, is_dir: bool) -> Reason | None:
        """What ignores a path; None where nothing does."""
        return self._ignores[rule].why(path, is_dir=is_dir)

    def lock_age(self) -> float | None:
        """For how long git has been at work in one of the sources, in seconds; None where it is not."""
        return self._locks.age()

    def git_state(self) -> object:
        """What differs once git did something in one of the sources meanwhile."""
        return self._locks.state()

    def _find_locks(self) -> None:
        """Know the repositories that the sources are in, and those in them."""
        inner = {index.source / folder for index in self.indexes for folder in index.repositories}
        if inner != self._repositories:
            folders = {folder: git_folder(folder) for folder in inner}
            # One that is just being made is looked for again.
            self._repositories = {folder for folder, found in folders.items() if found}
            outer = (git_folder(index.source) for index in self.indexes)
            self._locks.folders = frozenset(filter(None, (*outer, *folders.values(), named_git_folder())))

    def _below(self, rule: int, path: str) -> str | None:
        """The path within a rule's source; "" for the source and what is above it, None for what is elsewhere."""
        root = self._roots[rule]
        if path.startswith(root + "/"):
            return path[len(root) + 1 :]
        return "" if path == root or root.startswith(path.rstrip("/") + "/") else None


def _has_folder(index: Index, place: str) -> bool:
    """Whether there is a folder at a place, or was one at the last look."""
    known = index.entries.get(place)
    return (known is not None and known.kind == "dir") or index.locate(place).is_dir()
