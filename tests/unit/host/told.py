"""What a watcher told, read with a wait."""

from __future__ import annotations

import queue
from collections.abc import Callable
from pathlib import Path

from devenv.ports import Change


class Told:
    """What was told, read with a wait."""

    def __init__(self) -> None:
        self._changes: queue.Queue[Change] = queue.Queue()

    def put(self, change: Change) -> None:
        self._changes.put(change)

    def until(self, wanted: Callable[[Change], bool]) -> list[Change]:
        """All changes up to the first that is wanted; queue.Empty where none comes."""
        seen: list[Change] = []
        while not seen or not wanted(seen[-1]):
            seen.append(self._changes.get(timeout=10))
        return seen

    def until_written(self, place: Path) -> set[Path]:
        """Write a file; all paths told up to it."""
        place.write_text("x")
        return {change.path for change in self.until(lambda change: change == Change(place))}
