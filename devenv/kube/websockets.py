"""One websocket to the API server, owned by one thread; others hand it bytes and take bytes from it.

Sending and receiving on one TLS socket from two threads at once corrupts it, so a single thread does both.
"""

from __future__ import annotations

import queue
import selectors
import socket
import threading
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

from devenv.kube.rest import Rest

PING_SECONDS = 20.0
OPCODE_CLOSE = 0x8
OPCODE_PING = 0x9
OPCODE_PONG = 0xA
SEND_SECONDS = 60.0


class Channel:
    """Binary messages both ways. `receive` gives None once the connection has ended."""

    def __init__(self, rest: Rest, action: str, path: str, query: list[tuple[str, str]], protocols: str) -> None:
        from kubernetes.stream.ws_client import create_websocket

        headers = {**rest.authorization(), "sec-websocket-protocol": protocols}
        url = rest.server.replace("http", "ws", 1) + f"{path}?{urlencode(query)}"
        with rest.translate(action):
            self._socket: Any = create_websocket(  # type: ignore[no-untyped-call]
                rest.configuration, url, headers
            )
        self.protocol = _chosen_protocol(self._socket)
        self._raw = self._socket.sock
        with suppress(OSError):
            self._raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._raw.settimeout(SEND_SECONDS)
        self._incoming: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._outgoing: queue.Queue[bytes | None] = queue.Queue(maxsize=64)
        self._wake_in, self._wake_out = socket.socketpair()
        self._ended = threading.Event()
        threading.Thread(target=self._work, name="websocket", daemon=True).start()

    def send(self, data: bytes) -> None:
        """Queue a message; blocks while much waits. OSError once the connection has ended."""
        while True:
            if self._ended.is_set():
                raise BrokenPipeError("the connection has ended")
            try:
                self._outgoing.put(data, timeout=0.5)
                break
            except queue.Full:
                continue
        with suppress(OSError):
            self._wake_out.send(b"x")

    def receive(self, timeout: float | None = None) -> bytes | None:
        """The next message; None at the end. queue.Empty after `timeout` seconds."""
        message = self._incoming.get(timeout=timeout)
        if message is None:
            self._incoming.put(None)
        return message

    def receive_now(self) -> bytes | None:
        """The next message if one is there; queue.Empty if not."""
        message = self._incoming.get_nowait()
        if message is None:
            self._incoming.put(None)
        return message

    def close(self) -> None:
        """End the connection; a waiting receive gets None."""
        with suppress(queue.Full):
            self._outgoing.put_nowait(None)
        with suppress(OSError):
            self._wake_out.send(b"x")

    def _work(self) -> None:
        import websocket

        try:
            with selectors.DefaultSelector() as selector:
                selector.register(self._raw, selectors.EVENT_READ)
                selector.register(self._wake_in, selectors.EVENT_READ)
                while self._turn(selector):
                    pass
        except (OSError, websocket.WebSocketException, ValueError):
            pass
        finally:
            self._ended.set()
            self._incoming.put(None)
            for each in (self._socket, self._wake_in, self._wake_out):
                with suppress(OSError, websocket.WebSocketException):
                    each.close(timeout=0) if each is self._socket else each.close()

    def _turn(self, selector: selectors.BaseSelector) -> bool:
        if not self._has_pending():
            events = selector.select(PING_SECONDS)
            if not events:
                self._socket.ping()
            if any(key.fileobj is self._wake_in for key, _ in events):
                self._wake_in.recv(4096)
                return self._flush()
            if not events:
                return True
        return self._read()

    def _has_pending(self) -> bool:
        pending = getattr(self._raw, "pending", None)
        return bool((pending and pending()) or self._socket.frame_buffer.recv_buffer)

    def _flush(self) -> bool:
        while True:
            try:
                message = self._outgoing.get_nowait()
            except queue.Empty:
                return True
            if message is None:
                return False
            self._socket.send_binary(message)
            # Reading between sends keeps the server, which reads and writes by turns, from standing still.
            if self._has_pending() and not self._read():
                return False

    def _read(self) -> bool:
        opcode, data = self._socket.recv_data(control_frame=True)
        if opcode == OPCODE_CLOSE:
            return False
        if opcode not in (OPCODE_PING, OPCODE_PONG):
            self._incoming.put(data if isinstance(data, bytes) else data.encode())
        return True


def _chosen_protocol(connection: Any) -> str:
    headers = {key.lower(): value for key, value in (connection.getheaders() or {}).items()}
    return str(connection.subprotocol or headers.get("sec-websocket-protocol", ""))
