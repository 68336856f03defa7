"""Watches folders, and sees to it that they stay watched; what is told are hints. See docs/explanation/sync.md."""

from __future__ import annotations

import errno
import logging
import os
import platform
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from devenv.errors import SyncError
from devenv.host.inotify import InotifyFolder, OutOfWatchesError
from devenv.host.mounts import is_silent
from devenv.host.observing import ObservedFolder
from devenv.host.polling import PolledFolder, count_folders
from devenv.ports import Change
from devenv.problems import WATCH_LIMIT

if TYPE_CHECKING:
    from watchdog.observers.inotify_c import InotifyFD

TICK = 1.0
# The clocks of a machine that slept differ by more than this.
SLEPT = 2.0

Tell = Callable[[Change], None]


class Watched(Protocol):
    """One way to watch a folder or a single file."""

    def start(self) -> None:
        """Begin to tell of what changes."""

    def stop(self) -> None:
        """End."""

    @property
    def lost(self) -> bool:
        """True where nothing is told any more: what was watched is gone."""


def time_asleep() -> float:
    """A clock that only goes on while the machine sleeps; where there is none, one that jumps when it woke up."""
    boot = getattr(time, "CLOCK_BOOTTIME", None)
    return (time.time() if boot is None else time.clock_gettime(boot)) - time.monotonic()


class FolderWatcher:
    """Folders and single files of this machine.

    `tick` is how often it is looked whether a folder is still the one that is watched, `asleep` how long the machine
    slept so far.
    """

    def __init__(self, *, tick: float = TICK, asleep: Callable[[], float] = time_asleep) -> None:
        self._tick = tick
        self._asleep = asleep

    @contextmanager
    def watch(self, folders: Sequence[Path], on_change: Tell, *, poll: bool = False) -> Iterator[None]:
        """While entered, calls `on_change` from other threads for what changes at or below the folders.

        With `poll` the folders are looked at every second, as are those on file systems that may send no events. A
        change with a `problem` says that it came to that for want of the kernel's resources.
        """
        reader = None
        if not poll:
            try:
                reader = _reader()
            except OutOfWatchesError:
                poll = True
                on_change(Change(Path(), problem=_problem("fs.inotify.max_user_instances", 128)))
        kept = [_Kept(folder, on_change, reader, poll=poll) for folder in dict.fromkeys(folders)]
        ended = threading.Event()
        ticker = threading.Thread(target=self._keep, args=(kept, on_change, ended), name="watch", daemon=True)
        ticker.start()
        try:
            yield
        finally:
            ended.set()
            ticker.join()
            if reader:
                reader.stop()
                reader.join()
            for each in kept:
                each.stop()

    def _keep(self, kept: Sequence[_Kept], on_change: Tell, ended: threading.Event) -> None:
        slept = self._asleep()
        while not ended.wait(self._tick):
            before, slept = slept, self._asleep()
            if abs(slept - before) > SLEPT:
                on_change(Change(Path(), overflow=True))
            for each in kept:
                each.check()


def _reader() -> InotifyFD | None:
    """The reader of events; None where the system has another interface. Raises OutOfWatchesError."""
    if platform.system() != "Linux":
        return None
    from watchdog.observers.inotify_c import InotifyFD

    # An overflow is a change that is told, not a line in the user's terminal.
    logging.getLogger("watchdog").addHandler(logging.NullHandler())
    try:
        reader = InotifyFD()
    except OSError as error:
        if error.errno != errno.EMFILE:
            raise
        raise OutOfWatchesError from error
    reader.start()
    return reader


class _Kept:
    """A folder or file that stays watched, whatever becomes of it."""

    def __init__(self, named: Path, on_change: Tell, reader: InotifyFD | None, *, poll: bool) -> None:
        self._named = named
        self._tell = on_change
        self._polled: PolledFolder | None = None
        self._exhausted = False
        self._seen = _identity(named)
        self._watched: Watched | None = None
        if reader:
            self._watched = InotifyFolder(reader, named, on_change, on_exhausted=self._note_exhausted)
        elif not poll:
            self._watched = ObservedFolder(named, on_change)
        self._start()
        if poll or is_silent(named):
            self._poll()

    def check(self) -> None:
        """Watch anew where the name leads elsewhere by now, or to nothing."""
        seen = _identity(self._named)
        moved, self._seen = seen != self._seen, seen
        if self._watched and (moved or self._watched.lost):
            self._watched.stop()
            self._start()
            moved = moved or not (self._watched and self._watched.lost)
        if moved:
            self._tell(Change(self._named))
        if self._exhausted and not self._polled:
            self._give_up()

    def stop(self) -> None:
        """End."""
        for each in (self._watched, self._polled):
            if each:
                each.stop()

    def _start(self) -> None:
        try:
            if self._watched:
                self._watched.start()
        except OutOfWatchesError:
            self._give_up()

    def _note_exhausted(self) -> None:
        self._exhausted = True

    def _give_up(self) -> None:
        """Let the watches go, which others need too, and look every second instead."""
        if self._watched:
            self._watched.stop()
            self._watched = None
        folders = count_folders(self._named)
        self._tell(Change(self._named, problem=_problem("fs.inotify.max_user_watches", folders)))
        self._poll()

    def _poll(self) -> None:
        if not self._polled:
            self._polled = PolledFolder(self._named, self._tell)
            self._polled.start()


def _identity(named: Path) -> tuple[int, ...] | None:
    """What is different once a name leads to another folder; None where it leads to nothing."""
    for place in (named, named.parent):
        try:
            status = os.stat(place)
        except OSError:
            return None
        if os.path.isdir(place):
            return (status.st_dev, status.st_ino)
    return None


def _problem(setting: str, more: int) -> SyncError:
    """The problem of a kernel setting that would have to allow this many more."""
    try:
        limit = int(Path("/proc/sys", setting.replace(".", "/")).read_text())
    except (OSError, ValueError):
        limit = 0
    return SyncError(WATCH_LIMIT, setting=setting, limit=limit, needed=limit + more)
