"""Which commands that files bring along may run: one JSON file of this user, replaced whole at each change."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import tempfile
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

VERSION = 1


class TrustFile:
    """Digests by file; a file that can't be read trusts nothing, and is written anew with the next yes."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def known(self) -> frozenset[str]:
        """The digests that were said yes to."""
        return frozenset(self._read())

    def add(self, digests: Mapping[str, Path]) -> None:
        """Remember digests, each with the file that brings its command."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        with self._locked():
            self._write({**self._read(), **{d: {"file": str(file), "at": now} for d, file in digests.items()}})

    def remove(self, digests: Collection[str]) -> None:
        """Forget digests."""
        with self._locked():
            self._write({digest: about for digest, about in self._read().items() if digest not in digests})

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with open(self._file.with_suffix(".lock"), "w", opener=_private) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _read(self) -> dict[str, Any]:
        try:
            found = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        commands = found.get("commands") if isinstance(found, dict) and found.get("version") == VERSION else None
        return commands if isinstance(commands, dict) else {}

    def _write(self, commands: Mapping[str, Any]) -> None:
        text = json.dumps({"version": VERSION, "commands": commands}, indent=1, sort_keys=True) + "\n"
        # mkstemp's file is this user's alone (0600).
        number, name = tempfile.mkstemp(dir=self._file.parent, prefix=".trust-")
        try:
            with open(number, "w", encoding="utf-8") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(name, self._file)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
