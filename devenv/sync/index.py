"""What a source looks like now: each path that is to be sent, with a digest of its content."""

from __future__ import annotations

import os
import posixpath
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from devenv.sync.entries import Digest, Entry, Kind, digest_file, kind_of, stamp_of
from devenv.sync.ignore import Ignore
from devenv.sync.twins import twins

__all__ = ["Digest", "Entry", "Index", "Kind", "digest_file", "kind_of", "rescan", "scan"]

_UNREADABLE = "can't be read"
_TWIN = "git has it beside"


_DIR = Entry("dir", "d")


@dataclass(slots=True)
class Index:
    """The paths of a source, relative with `/`, bytes that are no UTF-8 as surrogates.

    A source that is one file has the single path `name`. `notes` says of a path why it is not sent; `missing` means
    that the source itself is not there. `newlines` says that names with a newline can be sent. `repositories` are the
    folders ("" is the source) that hold a `.git`.

    `rescan` changes an index in place, so that a save costs the same in a large tree as in a small one: only the
    thread that looks may iterate over it.
    """

    source: Path
    name: str = ""
    entries: dict[str, Entry] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    missing: bool = False
    newlines: bool = False
    repositories: set[str] = field(default_factory=set)
    names: dict[str, set[str]] = field(default_factory=dict, repr=False)
    """Of each folder, the names in it that have an entry or a note."""
    judge: Ignore | None = field(default=None, repr=False, compare=False)
    """The rules by which all that is in here is not ignored."""
    folds: bool = False
    """True where the file system answers to names in another case than they are written in."""

    def locate(self, path: str) -> Path:
        """The local file behind a path of the index."""
        return self.source if self.name else self.source / path

    def is_unreadable(self, path: str) -> bool:
        """True where the path or a folder above it can't be read for now."""
        parts = path.split("/")
        above = ("/".join(parts[:count]) for count in range(len(parts) + 1))
        return any(self.notes.get(place, "").startswith(_UNREADABLE) for place in above)


def scan(source: Path, ignore: Ignore, *, name: str = "", newlines: bool = False) -> Index:
    """Look at all of a source; `name` is the path of a source that is one file. What vanishes meanwhile is left out."""
    return rescan(Index(source, name, newlines=newlines), ignore, [""])[0]


def rescan(index: Index, ignore: Ignore, paths: Iterable[str]) -> tuple[Index, frozenset[str]]:
    """Look again at `paths` and what is below them; gives the index and the paths that differ. "" is everything.

    Digests are used again where nothing speaks for a change. What can't be read at the moment stays as it was.
    """
    look = _Look(index, ignore)
    there = index.source.is_file() if index.name else index.source.is_dir()
    if not there:
        index.missing = True  # first of all: another thread may take what is left for what is there
        look.forget(index.name)
    elif index.name:
        look.single()
    elif "" in (places := {_topmost(index, path) for path in paths}) or index.missing:
        index.folds = _folds_case(index.source)
        look.folder("")
        look.twins()
        index.judge = ignore
    else:
        for place in sorted(places):
            look.place(place)
    index.missing = not there
    return index, frozenset(look.changed)


def _topmost(index: Index, path: str) -> str:
    """The first of a path's parents that is no plain folder any more or was never seen, else the path."""
    cut = path.find("/")
    while cut >= 0:
        parent = path[:cut]
        known = index.entries.get(parent)
        if known is None or known.kind != "dir" or not _is_folder(f"{index.source}/{parent}"):
            return parent
        cut = path.find("/", cut + 1)
    return path


def _folds_case(folder: Path) -> bool:
    """Whether the folder answers to its name in the other case too; its name, or the first above it with letters."""
    named = next((place for place in (folder, *folder.parents) if place.name.swapcase() != place.name), None)
    try:
        return named is not None and os.path.samefile(named, named.with_name(named.name.swapcase()))
    except OSError:
        return False


def _is_folder(place: str) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(place).st_mode)
    except OSError:
        return False


class _Look:
    """One look at some places: changes the index, and notes what changed."""

    def __init__(self, index: Index, ignore: Ignore) -> None:
        self.changed: set[str] = set()
        self._index = index
        self._entries = index.entries
        self._notes = index.notes
        self._names = index.names
        self._root = str(index.source)
        self._ignore = ignore
        # Rules that have not changed since the last look need not be asked again about what they let in.
        self._trusted = index.judge is ignore

    def single(self) -> None:
        """Look at a source that is one file, through links."""
        try:
            self._take(self._index.name, self._root, os.stat(self._root))
        except OSError:
            self.forget(self._index.name)

    def place(self, path: str) -> None:
        """Look at one path, and below it."""
        parent, _, name = path.rpartition("/")
        if self._index.folds and not is_listed(f"{self._root}/{parent}", name):
            self.forget(path)
            return
        try:
            status = os.lstat(f"{self._root}/{path}")
        except OSError as error:
            self._miss(path, error)
            return
        if self._ignore.matches(path, is_dir=stat.S_ISDIR(status.st_mode)):
            self.forget(path)
            return
        if self._take(path, f"{self._root}/{path}", status):
            self.folder(path)
        if path in self._entries or path in self._notes:
            self._names.setdefault(parent, set()).add(name)

    def twins(self) -> None:
        """Note what git has and a file system that folds case can't have beside its twin."""
        for path in [path for path, note in self._notes.items() if note.startswith(_TWIN)]:
            del self._notes[path]
        found = twins(self._index.source) if self._index.folds else {}
        for path in sorted(found.keys() - self._entries.keys()):
            other = next((other for other in found[path] if other in self._entries), None)
            if other and not self._ignore.matches(path, is_dir=False):
                self._notes[path] = f"{_TWIN} {other}, and this file system takes both for one"

    def folder(self, path: str) -> None:
        """Look at everything below a folder."""
        waiting = [path]
        while waiting:
            waiting += self._children(waiting.pop())

    def forget(self, path: str) -> None:
        """Take out a path and what is below it."""
        parent, _, name = path.rpartition("/")
        self._names.get(parent, set()).discard(name)
        waiting = [path]
        while waiting:
            gone = waiting.pop()
            self._leave(gone)
            waiting += [_join(gone, name) for name in self._names.pop(gone, ())]

    def _miss(self, path: str, error: OSError) -> None:
        """It can't be looked at: gone, or unreadable for now."""
        if isinstance(error, (FileNotFoundError, NotADirectoryError)):
            self.forget(path)
        else:
            self._notes[path] = f"{_UNREADABLE} ({error.strerror})"

    def _leave(self, path: str) -> None:
        if self._entries.pop(path, None):
            self.changed.add(path)
        self._notes.pop(path, None)
        self._index.repositories.discard(path)

    def _children(self, folder: str) -> Iterator[str]:
        """Look at what is directly in a folder; gives the folders in it to look into."""
        try:
            with os.scandir(f"{self._root}/{folder}" if folder else self._root) as found:
                items = list(found)
        except OSError as error:
            self._miss(folder, error)
            return
        prefix = f"{folder}/" if folder else ""
        self._notes.pop(folder, None)
        before = self._names.get(folder, set())
        self._names[folder] = now = set()
        self._index.repositories.discard(folder)
        for item in items:
            path = prefix + item.name
            deeper = self._child(folder, path, item)
            if deeper or path in self._entries or path in self._notes:
                now.add(item.name)
            if deeper:
                yield path
        for name in before - now:
            self.forget(prefix + name)

    def _child(self, folder: str, path: str, item: os.DirEntry[str]) -> bool:
        try:
            status = item.stat(follow_symlinks=False)
        except OSError as error:
            self._miss(path, error)
            return False
        is_dir = stat.S_ISDIR(status.st_mode)
        known = self._entries.get(path) if self._trusted else None
        if (known is None or (known.kind == "dir") != is_dir) and self._ignore.prunes(path, is_dir=is_dir):
            if item.name == ".git":
                self._index.repositories.add(folder)
            self.forget(path)
            return False
        return self._take(path, item.path, status)

    def _take(self, path: str, place: str, status: os.stat_result) -> bool:
        """Take one path in; True for a folder to look into."""
        before = self._entries.get(path)
        if before is not None and before.stamp == stamp_of(status) and not before.racy:
            return False
        is_dir = stat.S_ISDIR(status.st_mode)
        if before is not None and before.kind == "dir":
            if is_dir:
                return True
            self.forget(path)
        self._notes.pop(path, None)
        after = self._enter(path, place, status, before)
        if after is None:
            self._leave_out(path)
            return False
        self._entries[path] = after
        if before is None or before.digest != after.digest:
            self.changed.add(path)
        return is_dir

    def _leave_out(self, path: str) -> None:
        """No entry: it vanished, or there is a note; what was there and can't be read for now stays as it was."""
        unreadable = self._notes.get(path, "").startswith(_UNREADABLE)
        if not unreadable and self._entries.pop(path, None) is not None:
            self.changed.add(path)

    def _enter(self, path: str, place: str, status: os.stat_result, known: Entry | None) -> Entry | None:
        if "\n" in path and not self._index.newlines:
            self._notes[path] = "names with a newline are not sent"
            return None
        if stat.S_ISDIR(status.st_mode):
            return _DIR
        try:
            if stat.S_ISREG(status.st_mode):
                return digest_file(place, status, known)
            if stat.S_ISLNK(status.st_mode):
                return self._follow(path, os.readlink(place))
        except OSError as error:
            self._miss(path, error)
            return None
        self._notes[path] = "neither file, folder nor link"
        return None

    def _follow(self, path: str, text: str) -> Entry | None:
        aim = posixpath.normpath(posixpath.join(posixpath.dirname(path), text))
        if posixpath.isabs(text) or aim == ".." or aim.startswith("../"):
            self._notes[path] = "a link that leads out of its source is not sent"
            return None
        return Entry("link", "l" + text)


def is_listed(folder: str, name: str) -> bool:
    """Whether a folder has this very name; asking for a file by name can't tell where the file system folds case."""
    try:
        return name in os.listdir(folder)
    except OSError:
        return False


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
