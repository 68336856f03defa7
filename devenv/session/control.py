"""The session's control socket: one JSON object a line in, one out. Connecting is the test whether it lives.

Protocol version 1. A request is {"op": NAME, ...}; an answer is {"ok": true, ...} or {"ok": false, "error": TEXT}, with
"code", "hint", "details" and "exit" where the error is one of the catalogue.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from devenv import problems
from devenv.errors import ClusterError, DevenvError
from devenv.problems import find_problem

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
        self._connections: set[socket.socket] = set()
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _listen(self._listener, path)
        threading.Thread(target=self._accept, name="control", daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), name="control-client", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        self._connections.add(connection)
        stream = connection.makefile("rw", encoding="utf-8", newline="\n")
        with connection, contextlib.suppress(OSError, ValueError), stream:
            for line in stream:
                stream.write(json.dumps(self._answer(json.loads(line))) + "\n")
                stream.flush()
        self._connections.discard(connection)

    def _answer(self, request: Message) -> Message:
        handler = self._handlers.get(str(request.get("op")))
        if handler is None:
            return {"ok": False, "error": f"no such request: {request.get('op')}"}
        try:
            return {"ok": True, "version": VERSION, **handler(request)}
        except DevenvError as error:
            known = {"code": error.code, "hint": error.hint, "details": error.details, "exit": error.exit_code}
            return {"ok": False, "error": error.message, **known}
        except Exception as error:  # noqa: BLE001 - whatever it was, the other side is told
            return {"ok": False, "error": str(error)}

    def close(self) -> None:
        """Stop listening, remove the socket and hang up on who is connected."""
        # First the name: what listens there afterwards is another's.
        self._path.unlink(missing_ok=True)
        self._listener.close()
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


def _listen(listener: socket.socket, path: Path) -> None:
    """Have the socket at `path` answer from the first moment on: who finds one that does not takes it for dead."""
    young = path.with_name(f".{os.getpid()}")
    young.unlink(missing_ok=True)
    listener.bind(str(young))
    os.chmod(young, 0o600)
    listener.listen(16)
    with _publishing(path):
        young.rename(path)


@contextmanager
def _publishing(path: Path) -> Iterator[None]:
    """While entered, no other process puts a socket there or takes a dead one away."""
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def checked(answer: Message) -> Message:
    """An answer that is none of an error; raises the error that it tells of, ClusterError session-lost for others."""
    if answer.get("ok"):
        return answer
    problem = find_problem(str(answer.get("code")))
    if problem is None:
        raise ClusterError(problems.SESSION_LOST, reason=answer.get("error"))
    # Its words are filled in already.
    told = replace(problem, message=str(answer["error"]).replace("{", "{{").replace("}", "}}"))
    kind = next((k for k in DevenvError.__subclasses__() if k.exit_code == answer.get("exit")), DevenvError)
    raise kind(told, details=answer.get("details", ()), hint=str(answer.get("hint", "")))


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

    def wait_end(self) -> None:
        """Return once the session has ended."""
        with contextlib.suppress(OSError, ValueError):
            self._connection.settimeout(None)
            while self._stream.readline():
                pass

    def hang_up(self) -> None:
        """Let who waits for the end wake up."""
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End the connection."""
        with contextlib.suppress(OSError):
            self._stream.close()
        self._connection.close()


def find_session(path: Path) -> ControlClient | None:
    """A connection to the session that listens there; None (and a dead socket removed) where none does."""
    try:
        return ControlClient(_connect(path))
    except FileNotFoundError:
        return None
    except OSError:
        return _find_or_bury(path)


def _find_or_bury(path: Path) -> ControlClient | None:
    with contextlib.suppress(OSError), _publishing(path):
        try:
            return ControlClient(_connect(path))
        except ConnectionRefusedError:
            path.unlink()
    return None


def _connect(path: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(str(path))
    except BaseException:
        connection.close()
        raise
    return connection
