"""A websocket with a thread that waits for it, in both directions at once and never for one alone.

A server that waits for its output to be read takes no input meanwhile. Who sends while nothing is queued does it
itself, as a hand-over between threads costs more than the message. Sending and receiving on one TLS socket at once is
not safe: neither ever waits, and one lock keeps them apart.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable

from devenv.kube.frames import BINARY, CLOSE, PING, PONG, FrameReader, Message

CHUNK = 64 * 1024
OUTBOX_LIMIT = 1024 * 1024
PING_SECONDS = 20.0
CLOSE_SECONDS = 1.0
_AGAIN = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


class Wire:
    """Binary messages out and in, from `start` on.

    `on_message` and, once at the end, `on_end` are called in the wire's thread; `is_full` says whether to leave what
    comes next with the server for now, and `wake` that it may have changed.
    """

    def __init__(
        self,
        sock: socket.socket,
        *,
        on_message: Callable[[bytes], None],
        on_end: Callable[[], None],
        is_full: Callable[[], bool],
    ) -> None:
        self._socket = sock
        self._on_message, self._on_end, self._is_full = on_message, on_end, is_full
        self._reader = FrameReader()
        self._room = threading.Condition()
        self._socket_lock, self._flushing = threading.Lock(), threading.Lock()
        self._outbox: deque[bytes] = deque()
        self._queued = 0
        self._rest = memoryview(b"")
        self._deadline: float | None = None
        self._closing = self._ended = False
        self._next_ping = time.monotonic() + PING_SECONDS
        self._wake_in, self._wake_out = socket.socketpair()
        for each in (sock, self._wake_in, self._wake_out):
            each.settimeout(0)
        self._selector = selectors.DefaultSelector()

    def start(self) -> None:
        """Begin to send and receive: once, when who is called back can be."""
        threading.Thread(target=self._run, name="wire", daemon=True).start()

    def send(self, payload: bytes) -> None:
        """Queue a message; waits while much is queued. ConnectionError once the connection has ended."""
        frame = _frame(payload, BINARY)
        with self._room:
            self._room.wait_for(lambda: self._queued < OUTBOX_LIMIT or self._closing or self._ended)
            if self._closing or self._ended:
                raise ConnectionError("the connection has ended")
            # While something is queued the thread waits for room to send, and meets what is added.
            idle = not self._queued
            self._push(frame)
        if idle and not self._send_here():
            self.wake()

    def _send_here(self) -> bool:
        """Send what is queued from the caller's thread; True once all of it is out."""
        try:
            self._flush()
        except OSError:
            return False  # the thread meets it, too, and ends
        with self._room:
            return not self._queued

    def wake(self) -> None:
        """Let the thread look again at what there is to do."""
        # A full pipe wakes as well as one more byte; a closed one has nobody to wake.
        with contextlib.suppress(OSError):
            self._wake_out.send(b"\0")

    def close(self) -> None:
        """End the connection once what is queued has been sent, or soon in any case; does not wait."""
        with self._room:
            if not self._closing:
                self._closing = True
                self._push(_frame(b"\x03\xe8", CLOSE))
                self._room.notify_all()
        self.end_within(CLOSE_SECONDS)

    def end_within(self, seconds: float) -> None:
        """The other side should end the connection now; if it does not in time, this side does."""
        self._deadline = time.monotonic() + seconds
        self.wake()

    def _push(self, frame: bytes) -> None:
        self._outbox.append(frame)
        self._queued += len(frame)

    def _run(self) -> None:
        try:
            self._selector.register(self._wake_in, READ)
            self._selector.register(self._socket, READ)
            while not self._is_done():
                self._turn()
        except (OSError, ValueError):
            # Lost, or not understandable: for who reads both are the end.
            pass
        finally:
            self._finish()

    def _is_done(self) -> bool:
        sent = self._closing and not self._queued
        return self._ended or sent or (self._deadline is not None and time.monotonic() >= self._deadline)

    def _turn(self) -> None:
        reading = not self._is_full()
        self._watch_for((READ if reading else 0) | (WRITE if self._queued else 0))
        buffered = reading and isinstance(self._socket, ssl.SSLSocket) and self._socket.pending() > 0
        ready = {key.fileobj: mask for key, mask in self._selector.select(0 if buffered else self._patience())}
        if self._wake_in in ready:
            self._wake_in.recv(CHUNK)
        if buffered or ready.get(self._socket, 0) & READ:
            self._receive()
        self._ping()
        if self._queued:
            self._flush()

    def _watch_for(self, events: int) -> None:
        registered = self._selector.get_map().get(self._socket)
        if not events:
            if registered:
                self._selector.unregister(self._socket)
        elif not registered:
            self._selector.register(self._socket, events)
        elif registered.events != events:
            self._selector.modify(self._socket, events)

    def _patience(self) -> float:
        until = self._next_ping if self._deadline is None else min(self._next_ping, self._deadline)
        return max(0.0, until - time.monotonic())

    def _ping(self) -> None:
        """Proxies and load balancers cut connections on which nothing goes."""
        if time.monotonic() >= self._next_ping:
            self._next_ping = time.monotonic() + PING_SECONDS
            with self._room:
                self._push(_frame(b"", PING))

    def _receive(self) -> None:
        try:
            with self._socket_lock:
                data = self._socket.recv(CHUNK)
        except _AGAIN:
            return
        if not data:
            self._ended = True
            return
        for message in self._reader.feed(data):
            self._take(message)

    def _take(self, message: Message) -> None:
        if message.opcode == CLOSE:
            self._ended = True
        elif message.opcode == PING:
            with self._room:
                self._push(_frame(message.data, PONG))
        elif message.opcode != PONG and message.data:
            self._on_message(message.data)

    def _flush(self) -> None:
        """Send frames until the socket takes no more; a frame that was begun must go on before anything else."""
        with self._flushing:
            while self._rest or self._outbox:
                if not self._rest:
                    self._rest = memoryview(self._outbox.popleft())
                try:
                    with self._socket_lock:
                        count = self._socket.send(self._rest)
                except _AGAIN:
                    return
                self._rest = self._rest[count:]
                with self._room:
                    self._queued -= count
                    self._room.notify_all()

    def _finish(self) -> None:
        with self._room:
            self._ended = True
            self._room.notify_all()
        self._selector.close()
        for sock in (self._socket, self._wake_in, self._wake_out):
            sock.close()
        self._on_end()


def _frame(payload: bytes, opcode: int) -> bytes:
    """A whole frame, masked as a client's must be."""
    from websocket import ABNF

    return ABNF.create_frame(payload, opcode).format()
