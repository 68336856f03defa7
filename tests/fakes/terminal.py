"""A Progress that remembers what it was told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


class FakeProgress:
    """Records steps (with how they ended), notes and warnings."""

    def __init__(self) -> None:
        self.steps: list[tuple[str, str, str]] = []
        self.notes: list[str] = []
        self.warnings: list[str] = []

    @contextmanager
    def step(self, label: str) -> Iterator[Callable[[str], None]]:
        notes = [""]
        try:
            yield lambda text: notes.__setitem__(0, text)
        except BaseException as error:
            self.steps.append((label, "failed", type(error).__name__))
            raise
        self.steps.append((label, "done", notes[0]))

    def note(self, text: str) -> None:
        self.notes.append(text)

    def warn(self, text: str) -> None:
        self.warnings.append(text)
