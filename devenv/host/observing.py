"""Watches a folder through watchdog's observers, where the kernel's own interface is another one than inotify."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from devenv.ports import Change

if TYPE_CHECKING:
    from watchdog.events import FileSystemEvent, FileSystemEventHandler


class ObservedFolder:
    """A folder or single file that an observer watches, told under the name that the user gave."""

    def __init__(self, named: Path, on_change: Callable[[Change], None]) -> None:
        self._named = named
        self._on_change = on_change
        self._observer: object = None

    @property
    def lost(self) -> bool:
        """True where what was watched was not there to begin with."""
        return self._observer is None

    def start(self) -> None:
        """Watch what the name leads to now; nothing where that is not there. OSError where it can't be watched."""
        from watchdog.observers import Observer

        real = self._named.resolve()
        folder = real if real.is_dir() else real.parent
        if not folder.is_dir():
            return
        self._observer = observer = Observer()
        handler = _handler(lambda event: self._take(event, real, folder))
        observer.schedule(handler, str(folder), recursive=real.is_dir())
        observer.start()

    def stop(self) -> None:
        """End."""
        observer, self._observer = self._observer, None
        if observer is not None:
            observer.stop()  # type: ignore[attr-defined]
            observer.join()  # type: ignore[attr-defined]

    def _take(self, event: FileSystemEvent, real: Path, folder: Path) -> None:
        for path, settled in _places(event):
            if real == folder:
                self._on_change(Change(self._named / path.relative_to(folder), settled=settled))
            elif path == real:
                self._on_change(Change(self._named, settled=settled))


def _handler(take: Callable[[FileSystemEvent], None]) -> FileSystemEventHandler:
    from watchdog.events import FileSystemEventHandler

    class Handler(FileSystemEventHandler):
        def on_any_event(self, event: FileSystemEvent) -> None:
            take(event)

    return Handler()


def _places(event: FileSystemEvent) -> Iterator[tuple[Path, bool]]:
    """The paths an event speaks of, and whether what is there now is whole."""
    if event.event_type == "moved":
        if event.src_path:
            yield Path(os.fsdecode(event.src_path)), False
        if event.dest_path:
            yield Path(os.fsdecode(event.dest_path)), True
    elif event.event_type in ("closed", "attrib"):
        yield Path(os.fsdecode(event.src_path)), True
    elif event.event_type in ("created", "deleted") or (event.event_type == "modified" and not event.is_directory):
        yield Path(os.fsdecode(event.src_path)), False
