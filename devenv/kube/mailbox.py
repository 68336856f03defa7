"""What came on the numbered channels of a connection, kept until somebody reads it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence


class Mailbox:
    """Filled by one thread, emptied by others.

    `is_full` tells the one that fills to wait, and `on_room` is called (by one that empties) once it need not any more.
    """

    def __init__(self, *, limit: int, on_room: Callable[[], None]) -> None:
        self._limit = limit
        self._on_room = on_room
        self._changed = threading.Condition()
        self._parts: dict[int, list[bytes]] = {}
        self._size = 0
        self._ended = False

    @property
    def is_full(self) -> bool:
        """Whether more is kept than a reader should be behind."""
        return self._size >= self._limit

    def put(self, channel: int, data: bytes) -> None:
        """Keep what came on a channel."""
        with self._changed:
            self._parts.setdefault(channel, []).append(data)
            self._size += len(data)
            self._changed.notify_all()

    def end(self) -> None:
        """Nothing comes any more."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def take(self, channels: Sequence[int], timeout: float | None) -> list[bytes] | None:
        """What came on each of the channels, as soon as there is anything; maybe nothing after `timeout` seconds.

        None once all is read and nothing comes any more.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._ended or any(map(self._parts.get, channels)), timeout)
            taken = [b"".join(self._parts.pop(channel, ())) for channel in channels]
            was_full = self.is_full
            self._size -= sum(map(len, taken))
            room, over = was_full and not self.is_full, self._ended and not any(taken)
        if room:
            self._on_room()
        return None if over else taken
