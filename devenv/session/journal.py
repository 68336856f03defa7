"""What a session says, kept on disk for who comes later: a line each, with its time."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from devenv.ports import Progress, Stop

LIMIT = 5 * 1024 * 1024
POLL_SECONDS = 0.2
BEGINS = "the session begins"
_STAMP = "%Y-%m-%d %H:%M:%S "
_STAMP_SIZE = len("2026-01-01 00:00:00 ")


def old_path(path: Path) -> Path:
    """Where the lines go that are older than half of what is kept."""
    return path.with_name(f"{path.name}.1")


class Journal:
    """Appends lines; the file and the one before it together never hold more than `limit` bytes.

    With `output`, this process's own stdout and stderr go there, too.
    """

    def __init__(self, path: Path, *, limit: int = LIMIT, output: bool = False) -> None:
        self._path, self._limit, self._output = path, limit, output
        self._lock = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lead_output()

    def line(self, text: str) -> None:
        """Keep a line."""
        stamped = f"{time.strftime(_STAMP)}{text}\n".encode(errors="backslashreplace")[: self._limit // 4]
        with self._lock, contextlib.suppress(OSError):  # a full disk ends no session
            if _size(self._path) + len(stamped) > self._limit // 2:
                self._path.replace(old_path(self._path))
                self._lead_output()
            with self._path.open("ab") as file:
                file.write(stamped)

    def _lead_output(self) -> None:
        if self._output:
            with self._path.open("ab") as file:
                for number in (1, 2):
                    os.dup2(file.fileno(), number)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


class Kept:
    """A Progress whose lines are also kept in a journal; without a terminal behind it, that is all."""

    def __init__(self, journal: Journal, inner: Progress | None = None) -> None:
        self._journal, self._inner = journal, inner

    @contextmanager
    def step(self, label: str) -> Iterator[Callable[[str], None]]:
        """A step: its end is a line."""
        notes = [""]

        def set_note(text: str) -> None:
            notes[0] = text

        if self._inner:
            with self._inner.step(label) as note:
                yield note
            return
        yield set_note
        self._journal.line(f"{label}: {notes[0] or 'done'}")

    def note(self, text: str) -> None:
        """A line of its own."""
        self._journal.line(text.strip())
        if self._inner:
            self._inner.note(text)

    def warn(self, text: str) -> None:
        """A warning."""
        self._journal.line(f"warning: {text}")
        if self._inner:
            self._inner.warn(text)


def last_lines(path: Path, count: int) -> list[str]:
    """The newest lines of a file, none where it is not there."""
    try:
        with path.open(errors="replace") as file:
            return [line.rstrip("\n") for line in deque(file, maxlen=count)]
    except FileNotFoundError:
        return []


def lines_of_last_start(path: Path, count: int) -> list[str]:
    """The newest lines since the session last began."""
    lines = last_lines(path, count)
    begins = [index for index, line in enumerate(lines) if line[_STAMP_SIZE:].startswith(BEGINS)]
    return lines[begins[-1] + 1 :] if begins else lines


def follow(path: Path, stop: Stop, line: Callable[[str], None], *, tail: int) -> None:
    """Hand over the last lines and each that is added, through each change of file, until `stop` is set."""
    file = path.open(errors="replace")
    before = last_lines(old_path(path), tail) + file.read().splitlines()
    for one in before[-tail:] if tail else ():
        line(one)
    rest = ""
    while True:
        # Asked first: what was written before the end is still read.
        ended = stop.wait(POLL_SECONDS)
        moved = _is_another(path, file.fileno())
        rest = _hand_over(rest + file.read(), line)
        if moved:
            file.close()
            file = path.open(errors="replace")
            rest = _hand_over(rest + file.read(), line)
        if ended:
            file.close()
            return


def _hand_over(text: str, line: Callable[[str], None]) -> str:
    *whole, rest = text.split("\n")
    for one in whole:
        line(one)
    return rest


def _is_another(path: Path, number: int) -> bool:
    try:
        return path.stat().st_ino != os.fstat(number).st_ino
    except FileNotFoundError:
        return False


def shown(line: str) -> str:
    """A line of a journal as it is shown: without the date where that is today's."""
    return line.removeprefix(time.strftime("%Y-%m-%d "))
