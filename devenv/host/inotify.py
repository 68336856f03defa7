"""Watches folders through the reader of inotify that watchdog has, without its observers.

Those watch ignored folders too, wait half a second for the other half of a move out of the tree, go on telling of
folders that were moved away, and only log that the kernel dropped events or that its watches are used up.
"""

from __future__ import annotations

import errno
import itertools
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, cast

from devenv.ports import Change
from devenv.sync.ignore import IGNORE_FILES, Ignore

if TYPE_CHECKING:
    from watchdog.observers.inotify_c import CallbackId, InotifyEvent, InotifyFD, Mask, WatchDescriptor


# What the reader knows each watch of a folder by; no two may share one.
_NUMBERS = itertools.count()


class OutOfWatchesError(Exception):
    """The kernel lets this user watch no more folders."""


def events_mask() -> Mask:
    """The events asked of the kernel; reading, which is most of what happens, is not among them."""
    from watchdog.observers.inotify_c import InotifyConstants as Of

    wanted = Of.IN_CREATE | Of.IN_MODIFY | Of.IN_CLOSE_WRITE | Of.IN_ATTRIB | Of.IN_DELETE | Of.IN_MOVE
    return cast("Mask", wanted | Of.IN_DELETE_SELF | Of.IN_MOVE_SELF | Of.IN_DONT_FOLLOW | Of.IN_ONLYDIR)


class InotifyFolder:
    """A folder with all that is below it and not ignored, or a single file; told under the name that the user gave.

    `on_exhausted` is called where the kernel has no watch left for a folder that came later.
    """

    def __init__(
        self, reader: InotifyFD, named: Path, on_change: Callable[[Change], None], *, on_exhausted: Callable[[], None]
    ) -> None:
        self._reader = reader
        self._named = named
        self._tell = on_change
        self._on_exhausted = on_exhausted
        self._lock = threading.RLock()
        self._ids: dict[int, CallbackId] = {}
        self._mask = events_mask()
        self._root = ""
        self._only = ""
        self._ignore = Ignore(named)
        self._paths: dict[int, str] = {}
        self._watches: dict[str, int] = {}

    @property
    def watched(self) -> int:
        """How many folders are watched."""
        return len(self._paths)

    @property
    def lost(self) -> bool:
        """True where what was watched is gone, or was not there to begin with."""
        return "" not in self._watches

    def start(self) -> None:
        """Watch what the name leads to now; nothing where that is not there. Raises OutOfWatchesError."""
        with self._lock:
            real = self._named.resolve()
            self._only = "" if real.is_dir() else real.name
            self._root = str(real.parent if self._only else real)
            self._ignore = self._ignore.current()
            self._add("")

    def stop(self) -> None:
        """Let all watches go."""
        with self._lock:
            self._drop(list(self._paths))

    def on_event(self, event: InotifyEvent) -> None:
        """Called by the reader for what happens in a watched folder."""
        with self._lock:
            folder = self._paths.get(event.wd)
            if folder is None:
                return
            name = os.fsdecode(event.name)
            try:
                self._follow(event, _join(folder, name), name)
            except OutOfWatchesError:
                self._on_exhausted()
        if name and (not self._only or name == self._only):
            settled = event.is_moved_to or event.is_close_write or (event.is_attrib and not event.is_directory)
            place = self._named if self._only else self._named / folder / name
            self._tell(Change(place, settled=settled))
        elif not name and not folder and not self._only:
            self._tell(Change(self._named))

    def on_watch_deleted(self, wd: WatchDescriptor) -> None:
        """Called by the reader when a watched folder is gone."""
        with self._lock:
            self._forget(wd)

    def on_queue_overflow(self) -> None:
        """Called by the reader when the kernel dropped events: of new folders too."""
        with self._lock:
            try:
                self.stop()
                self.start()
            except OutOfWatchesError:
                self._on_exhausted()
        self._tell(Change(self._named, overflow=True))

    def _follow(self, event: InotifyEvent, path: str, name: str) -> None:
        """Keep what is watched up with an event."""
        if self._only:
            return
        if event.is_directory and name:
            if event.is_moved_from:
                below = path + "/"
                self._drop([wd for wd, place in self._paths.items() if place == path or place.startswith(below)])
            if event.is_move and self._renew():  # a folder's ignore files move with it
                return
            if (event.is_create or event.is_moved_to) and not self._ignore.prunes(path, is_dir=True):
                self._add(path)
        elif name in IGNORE_FILES:
            self._renew()

    def _renew(self) -> bool:
        """Watch by the rules of now, where they have changed."""
        before, self._ignore = self._ignore, self._ignore.current()
        if before is self._ignore:
            return False
        self._drop([wd for wd, place in self._paths.items() if place and self._ignore.matches(place, is_dir=True)])
        self._add("")
        return True

    def _add(self, path: str) -> None:
        """Watch a folder and those below it; each before it is read, so that nothing falls in between."""
        waiting = [path]
        while waiting:
            folder = waiting.pop()
            if self._watch(folder) and not self._only:
                waiting += self._folders_in(folder)

    def _watch(self, folder: str) -> bool:
        if folder in self._watches:
            return True
        try:
            place = os.fsencode(_join(self._root, folder))
            number = cast("CallbackId", next(_NUMBERS))
            wd = self._reader.add_callback(place, self._mask, self, number)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise OutOfWatchesError from error
            return False  # it vanished meanwhile
        if wd < 0:  # it can't be read; watchdog does not raise for that
            return False
        if wd in self._paths:  # it was moved here: the event that says so is still to come
            self._drop([wd])
        self._watches[folder] = wd
        self._paths[wd] = folder
        self._ids[wd] = number
        return True

    def _folders_in(self, folder: str) -> Iterator[str]:
        try:
            with os.scandir(_join(self._root, folder)) as found:
                names = [item.name for item in found if item.is_dir(follow_symlinks=False)]
        except OSError:
            return
        for name in names:
            path = _join(folder, name)
            if not self._ignore.prunes(path, is_dir=True):
                yield path

    def _drop(self, watches: list[int]) -> None:
        self._reader.remove_callbacks([(cast("WatchDescriptor", wd), self._ids[wd]) for wd in watches])
        for wd in watches:
            self._forget(wd)

    def _forget(self, wd: int) -> None:
        self._ids.pop(wd, None)
        path = self._paths.pop(wd, None)
        if path is not None and self._watches.get(path) == wd:
            del self._watches[path]


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder and name else folder or name
