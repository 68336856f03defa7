"""Steps with their durations on stderr: live lines on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.status import Status

SHOW_EVERY = 10.0
"""Without a terminal, a step that takes long says this often (seconds) that it goes on, and with what."""


class PlainProgress:
    """One line when a step ends, and one every `every` seconds while it goes on."""

    def __init__(self, stream: TextIO, *, every: float = SHOW_EVERY) -> None:
        self._stream = stream
        self._every = every
        self._lock = threading.Lock()

    def _line(self, text: str) -> None:
        with self._lock:
            self._stream.write(text + "\n")
            self._stream.flush()

    @contextmanager
    def step(self, label: str) -> Iterator[Callable[[str], None]]:
        """A step: its end is a line with its note and duration."""
        started = time.monotonic()
        notes = [""]
        ended = threading.Event()
        threading.Thread(target=self._tell_on, args=(label, notes, ended), name="progress", daemon=True).start()
        line = f"✗ {label}"
        try:
            yield lambda text: notes.__setitem__(0, text)
            line = _ended(label, notes[0], time.monotonic() - started)
        finally:
            ended.set()
            self._line(line)

    def _tell_on(self, label: str, notes: list[str], ended: threading.Event) -> None:
        while not ended.wait(self._every):
            with self._lock:
                if not ended.is_set():
                    self._stream.write(f"  ... {label}: {notes[0]}\n" if notes[0] else f"  ... {label}\n")
                    self._stream.flush()

    def note(self, text: str) -> None:
        """A line of its own."""
        self._line(text)

    def warn(self, text: str) -> None:
        """A warning."""
        self._line(f"warning: {text}")


def _ended(label: str, note: str, seconds: float) -> str:
    return f"✓ {label:<24} {note:<32} {seconds:6.1f} s".rstrip()


class LiveProgress:
    """Running steps on one live line, ended ones above it."""

    def __init__(self, *, color: bool = True) -> None:
        from rich.console import Console

        self._console = Console(stderr=True, no_color=not color, highlight=False)
        self._lock = threading.RLock()
        self._running: dict[int, tuple[str, str]] = {}
        self._status: Status | None = None
        self._next = 0

    def _redraw(self) -> None:
        from rich.markup import escape

        if not self._running:
            if self._status:
                self._status.stop()
                self._status = None
            return
        parts = [f"{label}: {note}" if note else label for label, note in self._running.values()]
        text = " · ".join(escape(part[:60]) for part in parts[:4])
        if self._status is None:
            self._status = self._console.status(text)
            self._status.start()
        else:
            self._status.update(text)

    @contextmanager
    def step(self, label: str) -> Iterator[Callable[[str], None]]:
        """A step: shown while it runs, and as a line with note and duration once ended."""
        from rich.markup import escape

        started = time.monotonic()
        with self._lock:
            key = self._next = self._next + 1
            self._running[key] = (label, "")
            self._redraw()

        def note(text: str) -> None:
            with self._lock:
                if key in self._running:
                    self._running[key] = (label, text)
                    self._redraw()

        try:
            yield note
        except BaseException:
            self._end(key, f"[red]✗[/red] {escape(label)}")
            raise
        said = self._running[key][1]
        line = _ended(label, said, time.monotonic() - started)
        self._end(key, f"[green]✓[/green]{escape(line[1:])}")

    def _end(self, key: int, line: str) -> None:
        with self._lock:
            self._running.pop(key, None)
            self._console.print(line)
            self._redraw()

    def note(self, text: str) -> None:
        """A line of its own."""
        with self._lock:
            self._console.print(text, markup=False)

    def warn(self, text: str) -> None:
        """A warning."""
        from rich.markup import escape

        with self._lock:
            self._console.print(f"[yellow]warning:[/yellow] {escape(text)}")


def make_progress(*, color: bool) -> PlainProgress | LiveProgress:
    """Live lines where stderr is a terminal, else plain ones."""
    return LiveProgress(color=color) if sys.stderr.isatty() else PlainProgress(sys.stderr)
