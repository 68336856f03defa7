"""A TCP connection into a pod, over the API server's channel protocol.

Format: channel 0 carries data, channel 1 what went wrong; the first message on each holds the port, two bytes, low
byte first.
"""

from __future__ import annotations

from devenv.kube.dialing import Line
from devenv.kube.mailbox import Mailbox
from devenv.kube.translation import one_line
from devenv.kube.wire import Wire

PROTOCOLS = ("v4.channel.k8s.io",)
DATA, ERROR = 0, 1
MESSAGE = 32 * 1024
LIMIT = 1024 * 1024


class KubeTunnel:
    """The port `Tunnel`; may be used from several threads. `error` holds what the pod's side said went wrong."""

    def __init__(self, line: Line) -> None:
        self.error = ""
        self._mailbox = Mailbox(limit=LIMIT, on_room=lambda: self._wire.wake())
        self._opened: set[int] = set()
        self._wire = Wire(
            line.socket, on_message=self._sort, on_end=self._mailbox.end, is_full=lambda: self._mailbox.is_full
        )
        self._wire.start()

    def send(self, data: bytes) -> None:
        """Send bytes; waits while much is under way. OSError where it is gone."""
        for start in range(0, len(data), MESSAGE):
            self._wire.send(bytes([DATA]) + data[start : start + MESSAGE])

    def receive(self) -> bytes:
        """Wait for bytes; b"" at the end."""
        taken = self._mailbox.take((DATA,), None)
        return taken[0] if taken else b""

    def close(self) -> None:
        """End it once what was sent is out; a waiting receive returns b""."""
        self._mailbox.end()
        self._wire.close()

    def _sort(self, message: bytes) -> None:
        channel, data = message[0], message[1:]
        if channel not in self._opened:
            self._opened.add(channel)
            data = data[2:]
        if channel == DATA and data:
            self._mailbox.put(DATA, data)
        elif channel == ERROR and data:
            self.error = one_line(f"{self.error} {data.decode('utf-8', 'replace')}")
            self._wire.close()
