"""Commands in containers and connections to their ports, over the API server's websockets.

Formats: the channel protocols v5.channel.k8s.io (KEP-4006) and v4.channel.k8s.io; first byte of a message: channel.
"""

from __future__ import annotations

import json
import queue
import time

from devenv import problems
from devenv.errors import ClusterError
from devenv.kube.websockets import Channel

STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
EXEC_PROTOCOLS = "v5.channel.k8s.io,v4.channel.k8s.io"
FORWARD_PROTOCOLS = "v4.channel.k8s.io"
MESSAGE = 32 * 1024


class Exec:
    """One command running in a container."""

    def __init__(self, channel: Channel, *, what: str) -> None:
        self._channel = channel
        self._what = what
        self._status: int | None = None
        self._ended = False
        self.failure = ""

    def write(self, data: bytes) -> None:
        """Send to its stdin. ClusterError where the connection is gone."""
        try:
            for start in range(0, len(data), MESSAGE):
                self._channel.send(bytes([STDIN]) + data[start : start + MESSAGE])
        except OSError as error:
            raise ClusterError(problems.API_FAILED, action=f"write to {self._what}", reason=str(error)) from error

    def close_stdin(self) -> None:
        """End its stdin. ClusterError where the cluster is too old for that."""
        if self._channel.protocol != "v5.channel.k8s.io":
            reason = "the cluster's exec protocol can't end stdin (needs Kubernetes 1.30)"
            raise ClusterError(problems.API_FAILED, action=f"end the input of {self._what}", reason=reason)
        try:
            self._channel.send(bytes([CLOSE, STDIN]))
        except OSError as error:
            raise ClusterError(problems.API_FAILED, action=f"write to {self._what}", reason=str(error)) from error

    def resize(self, rows: int, columns: int) -> None:
        """Tell the size of the terminal."""
        size = json.dumps({"Width": columns, "Height": rows}).encode()
        self._channel.send(bytes([RESIZE]) + size)

    def read(self, timeout: float) -> tuple[bytes, bytes] | None:
        """What came on stdout and stderr within `timeout` seconds; None once both have ended."""
        if self._ended:
            return None
        out, error = bytearray(), bytearray()
        deadline = time.monotonic() + timeout
        while True:
            try:
                wait = 0.0 if out or error else max(0.0, deadline - time.monotonic())
                message = self._channel.receive(wait) if wait else self._channel.receive_now()
            except queue.Empty:
                return bytes(out), bytes(error)
            if message is None:
                self._ended = True
                return (bytes(out), bytes(error)) if out or error else None
            self._sort(message, out, error)

    def _sort(self, message: bytes, out: bytearray, error: bytearray) -> None:
        if not message:
            return
        if message[0] == STDOUT:
            out += message[1:]
        elif message[0] == STDERR:
            error += message[1:]
        elif message[0] == ERROR:
            self._status, self.failure = exit_code(message[1:])

    def returncode(self) -> int | None:
        """The exit code, or None where the connection ended before one came."""
        return self._status

    def close(self) -> None:
        """End the connection."""
        self._channel.close()


def exit_code(status: bytes) -> tuple[int | None, str]:
    """The exit code in the Status that ends an exec, and its message."""
    try:
        value = json.loads(status)
    except ValueError:
        return None, status.decode(errors="replace")
    if value.get("status") == "Success":
        return 0, ""
    for cause in (value.get("details") or {}).get("causes") or []:
        if cause.get("reason") == "ExitCode":
            return int(cause["message"]), str(value.get("message", ""))
    # The command itself could not be started: what a shell calls 127 or 126.
    message = str(value.get("message", ""))
    return (127 if "not found" in message or "no such file" in message else 126), message


class PortTunnel:
    """One TCP connection into a pod."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._seen: set[int] = set()
        self.error = ""

    def send(self, data: bytes) -> None:
        """Send bytes; OSError where it is gone."""
        for start in range(0, len(data), MESSAGE):
            self._channel.send(b"\0" + data[start : start + MESSAGE])

    def receive(self) -> bytes:
        """Wait for bytes; b"" at the end."""
        while (message := self._channel.receive()) is not None:
            if not message:
                continue
            kind, data = message[0], message[1:]
            # The first message of each channel carries the port it belongs to.
            if kind not in self._seen:
                self._seen.add(kind)
                data = data[2:]
            if kind == 1 and data:
                self.error = data.decode(errors="replace")
                self.close()
                return b""
            if kind == 0 and data:
                return data
        return b""

    def close(self) -> None:
        """End it."""
        self._channel.close()
