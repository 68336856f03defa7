"""Local ports that lead into pods, and survive the pods behind them.

A connection waits while a save is on its way into the pod, so that a request made after a save meets the new code;
and it is tried again while the program restarts, as long as the pod has answered nothing.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from devenv.errors import DevenvError
from devenv.ports import Pods, Stop, Tunnel

WAIT_SECONDS = 30.0
RETRY_SECONDS = 0.05
LINGER_SECONDS = 2.0
CHUNK = 64 * 1024
REPLAY_LIMIT = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Forward:
    """A local port and where it leads: a unit's port in the cluster."""

    unit: str
    name: str
    port: int
    local: int


class Forwarder:
    """Listens on the local ports and carries each connection through a tunnel of its own."""

    def __init__(
        self,
        pods: Pods,
        namespace: str,
        *,
        find_pod: Callable[[str], str | None],
        settle: Callable[[str], None],
        stop: Stop,
    ) -> None:
        self._pods = pods
        self._namespace = namespace
        self._find_pod = find_pod
        self._settle = settle
        self._stop = stop
        self._listeners: list[socket.socket] = []
        self.forwards: list[Forward] = []

    def open(self, unit: str, ports: Sequence[tuple[str, int]], *, address: str = "127.0.0.1") -> list[Forward]:
        """Listen for each (name, port) of a unit on the same local port, or the next free one."""
        opened = []
        for name, port in ports:
            listener = _listen(address, port)
            forward = Forward(unit, name, port, listener.getsockname()[1])
            self._listeners.append(listener)
            threading.Thread(target=self._accept, args=(listener, forward), name="forward", daemon=True).start()
            opened.append(forward)
        self.forwards += opened
        return opened

    def close(self) -> None:
        """Stop listening."""
        for listener in self._listeners:
            # A blocked accept wakes up on shutdown, not on close.
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def _accept(self, listener: socket.socket, forward: Forward) -> None:
        while not self._stop.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(connection, forward), name="tunnel", daemon=True).start()

    def _carry(self, connection: socket.socket, forward: Forward) -> None:
        self._settle(forward.unit)
        deadline = time.monotonic() + WAIT_SECONDS
        uplink = _Uplink(connection)
        with connection, _hung_up(connection):
            while not self._stop.is_set() and time.monotonic() < deadline:
                tunnel = self._tunnel(forward)
                if tunnel is None:
                    return
                answered = uplink.run(tunnel)
                if answered or uplink.ended or not uplink.can_replay:
                    return
                self._stop.wait(RETRY_SECONDS)

    def _tunnel(self, forward: Forward) -> Tunnel | None:
        pod = self._find_pod(forward.unit)
        if pod is None:
            return None
        with contextlib.suppress(DevenvError):
            return self._pods.forward(self._namespace, pod, forward.port)
        return None


@contextmanager
def _hung_up(connection: socket.socket) -> Iterator[None]:
    """Hang up at the end: closing alone tells the client nothing while another thread still waits to read from it."""
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)


class _Uplink:
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


def _listen(address: str, port: int) -> socket.socket:
    """A socket listening on `port`, or on the next free one of the hundred after it."""
    for candidate in (*range(port, min(port + 100, 65536)), 0):
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
