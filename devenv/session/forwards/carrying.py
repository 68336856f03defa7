"""One connection through a forward, tried again on a new tunnel as long as nothing has answered."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from devenv.ports import Tunnel

LINGER_SECONDS = 2.0
CHUNK = 64 * 1024
REPLAY_LIMIT = 1024 * 1024


@contextmanager
def hung_up(connection: socket.socket) -> Iterator[None]:
    """Hang up at the end: closing alone tells the client nothing while another thread still waits to read from it."""
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)


class Uplink:
    """The local side of one connection: what it sent is kept until something answers."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._sent = b""
        self._lock = threading.Lock()
        self._tunnel: Tunnel | None = None
        self._started = False
        self._last_answer = time.monotonic()
        self.can_replay = True
        self.ended = False

    def run(self, tunnel: Tunnel) -> bool:
        """Carry both ways until the tunnel ends; True if it ever answered."""
        with self._lock:
            self._tunnel = tunnel
            replay = self._sent
        if replay:
            _send_quietly(tunnel, replay)
        if not self._started:
            self._started = True
            threading.Thread(target=self._pump, name="uplink", daemon=True).start()
        answered = False
        while data := tunnel.receive():
            answered = True
            self._last_answer = time.monotonic()
            self.can_replay = False
            try:
                self._connection.sendall(data)
            except OSError:
                break
        tunnel.close()
        return answered

    def _pump(self) -> None:
        with contextlib.suppress(OSError):
            while data := self._connection.recv(CHUNK):
                with self._lock:
                    if self.can_replay:
                        self._sent += data
                        self.can_replay = len(self._sent) < REPLAY_LIMIT
                    tunnel = self._tunnel
                if tunnel:
                    _send_quietly(tunnel, data)
        self.ended = True
        # A client that only closed its own half still wants the answer; the protocol can't pass a half-close on.
        while time.monotonic() - self._last_answer < LINGER_SECONDS:
            time.sleep(LINGER_SECONDS / 10)
        if self._tunnel:
            self._tunnel.close()


def _send_quietly(tunnel: Tunnel, data: bytes) -> None:
    with contextlib.suppress(OSError):
        tunnel.send(data)
