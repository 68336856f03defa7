"""Watches a folder by looking at it every second: where no events come, or the kernel has no watches left."""

from __future__ import annotations

import os
import stat
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from devenv.ports import Change
from devenv.sync.entries import stamp_of
from devenv.sync.ignore import Ignore

INTERVAL = 1.0
# A look that takes long is taken less often, so that a large tree does not keep a processor busy.
SHARE = 0.2
# With more changes than this, everything is looked at instead.
MANY = 500

Stamps = dict[str, tuple[int, ...]]


class PolledFolder:
    """A folder or single file, looked at in a thread of its own."""

    def __init__(self, named: Path, on_change: Callable[[Change], None]) -> None:
        self._named = named
        self._tell = on_change
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"poll-{named.name}", daemon=True)

    def start(self) -> None:
        """Begin; the whole folder is told once what is compared with is known."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stop.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        ignore = Ignore(self._named)
        known: Stamps | None = None
        took = 0.0
        while known is None or not self._stop.wait(max(INTERVAL, took / SHARE)):
            started = time.monotonic()
            ignore = ignore.current()
            found = look(self._named, ignore)
            took = time.monotonic() - started
            self._compare(known, found)
            known = found

    def _compare(self, known: Stamps | None, found: Stamps) -> None:
        if known is None:
            self._tell(Change(self._named))
            return
        changed = [path for path, stamp in found.items() if known.get(path) != stamp]
        changed += known.keys() - found.keys()
        for path in changed if len(changed) < MANY else [""]:
            self._tell(Change(self._named / path if path else self._named, settled=False))


def count_folders(named: Path) -> int:
    """How many folders below one, itself included, are not ignored."""
    return sum(stat.S_ISDIR(stamp[-1]) for stamp in look(named, Ignore(named)).values())


def look(named: Path, ignore: Ignore) -> Stamps:
    """What lstat says of each path below a folder that is not ignored; "" is the folder itself, or a single file."""
    found: Stamps = {}
    try:
        status = os.stat(named)
    except OSError:
        return found
    if not stat.S_ISDIR(status.st_mode):
        return {"": stamp_of(status)}
    found[""] = (status.st_dev, status.st_ino, status.st_mode)
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        waiting += _look_in(str(named), folder, ignore, found)
    return found


def _look_in(root: str, folder: str, ignore: Ignore, found: Stamps) -> Iterator[str]:
    """Note what is in a folder; gives the folders in it."""
    prefix = f"{folder}/" if folder else ""
    try:
        with os.scandir(f"{root}/{folder}") as items:
            entries = list(items)
    except OSError:
        return
    for item in entries:
        path = prefix + item.name
        try:
            status = item.stat(follow_symlinks=False)
        except OSError:
            continue
        is_dir = stat.S_ISDIR(status.st_mode)
        if ignore.prunes(path, is_dir=is_dir):
            continue
        # A folder's times change with what is in it, which is seen by itself.
        found[path] = (status.st_ino, status.st_mode) if is_dir else stamp_of(status)
        if is_dir:
            yield path
