"""The session's control socket: one JSON object a line in, one out. Connecting is the test whether it lives.

Protocol version 1. A request is {"op": NAME, ...}; an answer is {"ok": true, ...} or {"ok": false, "error": TEXT}.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

VERSION = 1
Message = dict[str, Any]
Handler = Callable[[Message], Message]


def socket_path(runtime: Path, cluster_uid: str, namespace: str) -> Path:
    """Where the session of one namespace of one cluster listens."""
    return runtime / f"{cluster_uid[:8]}-{namespace}.sock"


class ControlServer:
    """Answers requests on a Unix socket, each connection in a thread of its own, until closed."""

    def __init__(self, path: Path, handlers: Mapping[str, Handler]) -> None:
        self._path = path
        self._handlers = handlers
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        self._listener.bind(str(path))
        os.chmod(path, 0o600)
        self._listener.listen(16)
        threading.Thread(target=self._accept, name="control", daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), name="control-client", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        stream = connection.makefile("rw", encoding="utf-8", newline="\n")
        with connection, contextlib.suppress(OSError, ValueError), stream:
            for line in stream:
                stream.write(json.dumps(self._answer(json.loads(line))) + "\n")
                stream.flush()

    def _answer(self, request: Message) -> Message:
        handler = self._handlers.get(str(request.get("op")))
        if handler is None:
            return {"ok": False, "error": f"no such request: {request.get('op')}"}
        try:
            return {"ok": True, "version": VERSION, **handler(request)}
        except Exception as error:  # noqa: BLE001 - whatever it was, the other side is told
            return {"ok": False, "error": str(error)}

    def close(self) -> None:
        """Stop listening and remove the socket."""
        self._listener.close()
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()


class ControlClient:
    """A connection to a live session."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._stream = connection.makefile("rw", encoding="utf-8", newline="\n")

    def ask(self, op: str, *, timeout: float | None = 60.0, **parameters: Any) -> Message:
        """Send a request and wait for its answer; {"ok": False, ...} where the session ended meanwhile."""
        try:
            self._connection.settimeout(timeout)
            self._stream.write(json.dumps({"op": op, **parameters}) + "\n")
            self._stream.flush()
            line = self._stream.readline()
        except OSError as error:
            return {"ok": False, "error": str(error) or "the session does not answer"}
        return json.loads(line) if line else {"ok": False, "error": "the session ended"}

    def close(self) -> None:
        """End the connection."""
        with contextlib.suppress(OSError):
            self._stream.close()
        self._connection.close()


def find_session(path: Path) -> ControlClient | None:
    """A connection to the session that listens there; None (and a dead socket removed) where none does."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(str(path))
    except FileNotFoundError:
        connection.close()
        return None
    except OSError:
        connection.close()
        with contextlib.suppress(OSError):
            path.unlink()
        return None
    return ControlClient(connection)
