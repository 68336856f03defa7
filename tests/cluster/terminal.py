"""devenv at a terminal, for tests: what it shows, and keys to press."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import time
from pathlib import Path
from types import TracebackType

from tests.conftest import Machine


class Terminal:
    """A command that runs at a terminal of its own until it ends or is left."""

    def __init__(self, machine: Machine, *arguments: str, cwd: Path) -> None:
        self._leader, follower = pty.openpty()
        self._process = subprocess.Popen(
            ["devenv", *arguments],
            cwd=cwd,
            env={**machine.env, "TERM": "xterm", "COLUMNS": "120"},
            stdin=follower,
            stdout=follower,
            stderr=follower,
            start_new_session=True,
        )
        os.close(follower)
        self.text = ""
        self._seen = 0

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()
        os.close(self._leader)

    def expect(self, words: str, *, seconds: float = 90) -> None:
        """Wait until it shows these words, after what was expected before."""
        deadline = time.monotonic() + seconds
        while words not in self.text[self._seen :]:
            assert time.monotonic() < deadline, f"{words!r} did not come; there is:\n{self.text}"
            assert self._read() or words in self.text[self._seen :], f"it ended without {words!r}:\n{self.text}"
        self._seen = self.text.index(words, self._seen) + len(words)

    def end(self) -> int:
        """Press Ctrl-C; gives the exit code."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        while self._read():
            pass
        return self._process.wait(30)

    def _read(self) -> bool:
        """Take in what it shows next; False at the end."""
        ready, _, _ = select.select([self._leader], [], [], 0.2)
        if not ready:
            return True
        try:
            data = os.read(self._leader, 65536)
        except OSError:  # nobody holds the other end any more
            return False
        self.text += data.decode(errors="replace")
        return bool(data)
