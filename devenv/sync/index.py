"""What a source looks like now: each path that is to be sent, with a digest of its content."""

from __future__ import annotations

import hashlib
import os
import posixpath
import stat
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from devenv.sync.ignore import Ignore

Kind = Literal["file", "dir", "link"]
Digest = str
"""What a path is, compared as a whole: "d", "l" + link text, "f" (or "x" where executable) + SHA-256 in hex."""

# A file written again within the resolution of its time stamps looks unchanged (git calls such an entry racily clean).
RACY_NS = 2_000_000_000

_UNREADABLE = "can't be read"


@dataclass(frozen=True, slots=True)
class Entry:
    """One path: what it is, its digest, and what lstat said (`stamp`) when the digest was made."""

    kind: Kind
    digest: Digest
    mtime_ns: int = 0
    size: int = 0
    stamp: tuple[int, ...] = ()
    racy: bool = False


@dataclass(frozen=True, slots=True)
class Index:
    """The paths of a source, relative with `/`, bytes that are no UTF-8 as surrogates.

    A source that is one file has the single path `name`. `notes` says of a path why it is not sent; `missing` means
    that the source itself is not there.
    """

    source: Path
    name: str = ""
    entries: Mapping[str, Entry] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    missing: bool = False

    def locate(self, path: str) -> Path:
        """The local file behind a path of the index."""
        return self.source if self.name else self.source / path


def scan(source: Path, ignore: Ignore, *, name: str = "", previous: Index | None = None) -> Index:
    """Look at the whole source; digests of `previous` are used again where nothing speaks for a change.

    `name` is the path of a source that is one file. What vanishes meanwhile is left out.
    """
    index = Index(source, name)
    if not (source.is_file() if name else source.is_dir()):
        return replace(index, missing=True)
    known = previous.entries if previous else {}
    found, notes = _Walk(index, ignore, known).collect([name])
    found.update((path, known[path]) for path in _unreadable(known.keys() - found.keys(), notes))
    return replace(index, entries=found, notes=notes)


def rescan(index: Index, ignore: Ignore, paths: Iterable[str]) -> tuple[Index, frozenset[str]]:
    """Look again at `paths` and what is below them; gives the new index and the paths that differ.

    "" is the whole source.
    """
    places = {_topmost(index.source, path) for path in paths} if not index.name else {""}
    if "" in places or index.missing:
        fresh = scan(index.source, ignore, name=index.name, previous=index)
        either = index.entries.keys() | fresh.entries.keys()
        return fresh, frozenset(p for p in either if _differs(index.entries.get(p), fresh.entries.get(p)))
    if not index.source.is_dir():
        return replace(index, missing=True, entries={}, notes={}), frozenset(index.entries)
    found, notes = _Walk(index, ignore, index.entries).collect(sorted(places))
    gone = {path for place in places for path in _below(index.entries, place)} - found.keys()
    gone -= _unreadable(gone, notes)
    changed = {path for path, entry in found.items() if _differs(index.entries.get(path), entry)}
    entries = {path: entry for path, entry in {**index.entries, **found}.items() if path not in gone}
    kept = {path: note for path, note in index.notes.items() if not any(_is_below(path, place) for place in places)}
    return replace(index, entries=entries, notes={**kept, **notes}), frozenset(changed | gone)


def _unreadable(paths: Iterable[str], notes: Mapping[str, str]) -> set[str]:
    """Those of `paths` that may well be there still: they, or a folder above them, can't be read at the moment."""
    closed = [path for path, note in notes.items() if note.startswith(_UNREADABLE)]
    return {path for path in paths for place in closed if _is_below(path, place)}


def _differs(before: Entry | None, after: Entry | None) -> bool:
    return (before.digest if before else None) != (after.digest if after else None)


def _below(entries: Mapping[str, Entry], place: str) -> list[str]:
    known = entries.get(place)
    if known is not None and known.kind != "dir":
        return [place]
    return [path for path in entries if _is_below(path, place)] if known else []


def _is_below(path: str, place: str) -> bool:
    return path == place or path.startswith(place + "/")


def _topmost(source: Path, path: str) -> str:
    """The first of a path's parents that is no plain folder any more, else the path: an event can come late."""
    parts = path.split("/")
    for count in range(1, len(parts)):
        parent = "/".join(parts[:count])
        try:
            if not stat.S_ISDIR(os.lstat(source / parent).st_mode):
                return parent
        except OSError:
            return parent
    return path


class _Walk:
    def __init__(self, index: Index, ignore: Ignore, known: Mapping[str, Entry]) -> None:
        self._index = index
        self._root = str(index.source)
        self._ignore = ignore
        self._known = known
        self._found: dict[str, Entry] = {}
        self._notes: dict[str, str] = {}

    def collect(self, places: Iterable[str]) -> tuple[dict[str, Entry], dict[str, str]]:
        waiting = list(places)
        while waiting:
            path = waiting.pop()
            if path == "" or self._look(path):
                waiting += self._children(path)
        return self._found, self._notes

    def _children(self, folder: str) -> Iterator[str]:
        try:
            names = os.listdir(f"{self._root}/{folder}")
        except OSError as error:
            if folder:
                self._notes[folder] = f"{_UNREADABLE} ({error.strerror})"
            return
        for name in names:
            yield f"{folder}/{name}" if folder else name

    def _look(self, path: str) -> bool:
        """Take one path in; True for a folder to look into."""
        place = self._root if self._index.name else f"{self._root}/{path}"
        try:
            status = os.stat(place) if self._index.name else os.lstat(place)
        except OSError:
            return False
        is_dir = stat.S_ISDIR(status.st_mode)
        if not self._index.name and self._is_ignored(path, is_dir=is_dir):
            return False
        if "\n" in path:
            self._notes[path] = "names with a newline are not sent"
            return False
        for parent in _ancestors(path):
            self._found.setdefault(parent, Entry("dir", "d"))
        entry = self._enter(path, place, status)
        if entry:
            self._found[path] = entry
        return is_dir and entry is not None

    def _is_ignored(self, path: str, *, is_dir: bool) -> bool:
        parent = path.rpartition("/")[0]
        if parent in self._found:
            return self._ignore.prunes(path, is_dir=is_dir)
        return self._ignore.matches(path, is_dir=is_dir)

    def _enter(self, path: str, place: str, status: os.stat_result) -> Entry | None:
        if stat.S_ISDIR(status.st_mode):
            return Entry("dir", "d")
        try:
            if stat.S_ISREG(status.st_mode):
                return digest_file(place, status, self._known.get(path))
            if stat.S_ISLNK(status.st_mode):
                return self._follow(path, os.readlink(place))
        except FileNotFoundError:
            return None
        except OSError as error:
            self._notes[path] = f"{_UNREADABLE} ({error.strerror})"
            return None
        self._notes[path] = "neither file, folder nor link"
        return None

    def _follow(self, path: str, text: str) -> Entry | None:
        aim = posixpath.normpath(posixpath.join(posixpath.dirname(path), text))
        if posixpath.isabs(text) or aim == ".." or aim.startswith("../"):
            self._notes[path] = "a link that leads out of its source is not sent"
            return None
        return Entry("link", "l" + text)


def _ancestors(path: str) -> Iterator[str]:
    parent = path.rpartition("/")[0]
    while parent:
        yield parent
        parent = parent.rpartition("/")[0]


def digest_file(place: str | Path, status: os.stat_result, known: Entry | None = None) -> Entry:
    """The entry of a regular file; its content is only read where `known` can't vouch for it. OSError."""
    stamp = (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_mode)
    if known and known.stamp == stamp and not known.racy:
        return known
    with open(place, "rb") as file:
        content = hashlib.file_digest(file, "sha256").hexdigest()
    racy = time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) < RACY_NS
    return Entry("file", kind_of(status) + content, status.st_mtime_ns, status.st_size, stamp, racy)


def kind_of(status: os.stat_result) -> str:
    """The first letter of a regular file's digest: "x" where its owner may execute it, else "f"."""
    return "x" if status.st_mode & stat.S_IXUSR else "f"
