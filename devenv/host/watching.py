"""Watches folders with watchdog; what it tells are hints, and what it gets wrong is put right here.

watchdog waits half a second for the other half of a move out of the tree, with every later event behind it; it drops
events when the kernel's queue overflows and only logs that. See docs/explanation/sync.md.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from devenv.ports import Change

if TYPE_CHECKING:
    from watchdog.events import FileSystemEvent

MOVE_DELAY_SECONDS = 0.02


class FolderWatcher:
    """Folders and single files of this machine."""

    @contextmanager
    def watch(self, folders: Sequence[Path], on_change: Callable[[Change], None]) -> Iterator[None]:
        """While entered, calls `on_change` from another thread for what changes at or below the folders."""
        from watchdog.observers import Observer

        _shorten_move_delay()
        observer = Observer()
        overflow = _OverflowHandler(on_change)
        logger = logging.getLogger("watchdog")
        logger.addHandler(overflow)
        for folder in folders:
            _schedule(observer, folder, on_change)
        observer.start()
        try:
            yield
        finally:
            logger.removeHandler(overflow)
            observer.stop()
            observer.join()


def _schedule(observer: object, folder: Path, on_change: Callable[[Change], None]) -> None:
    from watchdog import events

    kinds = (
        events.FileClosedEvent,
        events.FileModifiedEvent,
        events.FileMovedEvent,
        events.FileDeletedEvent,
        events.FileCreatedEvent,
        events.DirModifiedEvent,
        events.DirMovedEvent,
        events.DirDeletedEvent,
        events.DirCreatedEvent,
        *((events.FileAttribEvent,) if hasattr(events, "FileAttribEvent") else ()),
    )
    real = folder.resolve()
    watched = real if real.is_dir() else real.parent
    handler = _handler(folder, watched, only=None if real.is_dir() else real, on_change=on_change)
    observer.schedule(  # type: ignore[attr-defined]
        handler, str(watched), recursive=real.is_dir(), event_filter=list(kinds)
    )


def _handler(folder: Path, watched: Path, *, only: Path | None, on_change: Callable[[Change], None]) -> object:
    from watchdog.events import FileSystemEventHandler

    class Handler(FileSystemEventHandler):
        def on_any_event(self, event: FileSystemEvent) -> None:
            for path, settled in _places(event):
                if only is not None and path != only:
                    continue
                # Told under the name that the user gave, which may lead through a link.
                place = folder if only is not None else folder / path.relative_to(watched)
                on_change(Change(place, settled=settled))

    return Handler()


def _places(event: FileSystemEvent) -> Iterator[tuple[Path, bool]]:
    """The paths an event speaks of, and whether what is there now is whole."""
    if event.event_type == "moved":
        if event.src_path:
            yield Path(_text(event.src_path)), False
        if event.dest_path:
            yield Path(_text(event.dest_path)), True
        return
    if event.event_type == "modified" and event.is_directory:
        return
    yield Path(_text(event.src_path)), event.event_type in ("closed", "attrib")


def _text(path: bytes | str) -> str:
    return path if isinstance(path, str) else path.decode(errors="surrogateescape")


def _shorten_move_delay() -> None:
    with suppress(ImportError, AttributeError):
        from watchdog.observers.inotify_move_event_grouper import InotifyMoveEventGrouper

        InotifyMoveEventGrouper.delay = MOVE_DELAY_SECONDS


class _OverflowHandler(logging.Handler):
    """Turns watchdog's warning about lost events into a change of everything."""

    def __init__(self, on_change: Callable[[Change], None]) -> None:
        super().__init__(logging.WARNING)
        self._on_change = on_change

    def emit(self, record: logging.LogRecord) -> None:
        """Called for each warning of watchdog's inotify reader."""
        if "overflow" in record.getMessage().lower():
            self._on_change(Change(Path(), overflow=True))
