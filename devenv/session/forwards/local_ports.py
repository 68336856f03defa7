"""Local ports: taken again where they were before, else the one that is wanted, else the next free one."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

NEXT_PORTS = 100


@dataclass(frozen=True, slots=True)
class Forward:
    """A local port and where it leads: a unit's port in the cluster; `added` where devenv forward add opened it.

    `host` is the name by which to ask: the stub engine tells by it which dependency is meant.
    """

    unit: str
    name: str
    port: int
    local: int
    added: bool = False
    host: str = "127.0.0.1"


def address_of(forward: dict[str, Any]) -> str:
    """How a forward (as JSON has it) is reached from this machine."""
    web = not forward.get("added") or str(forward.get("name", "")).startswith("http")
    return f"{'http://' if web else ''}{forward.get('host', '127.0.0.1')}:{forward['local']}"


class Remembered:
    """The forwards of an environment as they last were, in a file of the runtime folder; None keeps nothing."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._forwards = {(forward.unit, forward.port): forward for forward in _read(path)}

    def local(self, unit: str, port: int) -> int | None:
        """The local port that led to a unit's port before."""
        found = self._forwards.get((unit, port))
        return found.local if found else None

    def added(self) -> list[Forward]:
        """What devenv forward add had opened."""
        return [forward for forward in self._forwards.values() if forward.added]

    def keep(self, forward: Forward) -> None:
        """Remember a forward that was opened."""
        self._forwards[forward.unit, forward.port] = forward
        self._write()

    def drop(self, forward: Forward) -> None:
        """Forget one that was stopped."""
        self._forwards.pop((forward.unit, forward.port), None)
        self._write()

    def _write(self) -> None:
        if self._path is None:
            return
        young = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        # A forward that can't be remembered is a forward all the same.
        with contextlib.suppress(OSError):
            young.write_text(json.dumps([asdict(forward) for forward in self._forwards.values()]))
            young.rename(self._path)


def _read(path: Path | None) -> list[Forward]:
    names = {field.name for field in fields(Forward)}
    try:
        entries = json.loads(path.read_text()) if path else []
        return [Forward(**{name: entry[name] for name in names & entry.keys()}) for entry in entries]
    except (OSError, ValueError, TypeError, AttributeError):
        # There is none yet, or it is of another version.
        return []


def remembered_path(socket_path: Path) -> Path:
    """Where the forwards of the session that listens at `socket_path` are remembered."""
    return socket_path.with_suffix(".ports")


def listen(address: str, port: int, *, before: int | None = None) -> socket.socket:
    """A socket listening on the port `before`, else on `port`, else on the next free one of the hundred after it."""
    wanted = (*(() if before is None else (before,)), *range(port, min(port + NEXT_PORTS, 65536)), 0)
    for candidate in dict.fromkeys(wanted):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((address, candidate))
        except OSError:
            listener.close()
            continue
        listener.listen(64)
        return listener
    raise AssertionError("port 0 is always free")
