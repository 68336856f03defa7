"""A command that runs in a container, over the API server's channel protocol.

Format: the first byte of a message is its channel; the status channel brings a meta/v1 Status at the end; version 5
(KEP-4006) adds the message "255, channel" for the end of one channel.
"""

from __future__ import annotations

import json

from devenv.errors import ClusterError
from devenv.kube.dialing import Line
from devenv.kube.mailbox import Mailbox
from devenv.kube.translation import one_line
from devenv.kube.wire import Wire
from devenv.problems import API_FAILED

V5 = "v5.channel.k8s.io"
PROTOCOLS = (V5, "v4.channel.k8s.io")
STDIN, STDOUT, STDERR, STATUS, RESIZE, END = 0, 1, 2, 3, 4, 255
MESSAGE = 64 * 1024
LIMIT = 8 * 1024 * 1024
END_SECONDS = 2.0
NOT_FOUND, NOT_STARTED = 127, 126


class KubeExec:
    """The port `ExecStream`; may be written, read and closed from different threads."""

    def __init__(self, line: Line, *, pod: str) -> None:
        self._pod = pod
        self._protocol = line.protocol
        self._mailbox = Mailbox(limit=LIMIT, on_room=lambda: self._wire.wake())
        self._status = b""
        self._wire = Wire(line.socket, on_message=self._sort, on_end=self._end, is_full=lambda: self._mailbox.is_full)
        self._wire.start()

    def write(self, data: bytes) -> None:
        """Send to its stdin; waits while much is under way. ClusterError where the connection is gone."""
        for start in range(0, len(data), MESSAGE):
            self._send(STDIN, data[start : start + MESSAGE], "write to")

    def close_stdin(self) -> None:
        """End its stdin. ClusterError where the connection is gone, or the API server is too old for that."""
        if self._protocol != V5:
            reason = "its exec protocol can't end the input (Kubernetes 1.30 and newer can)"
            raise ClusterError(API_FAILED, action=f"end the input of pod/{self._pod}", reason=reason)
        self._send(END, bytes([STDIN]), "end the input of")

    def resize(self, *, rows: int, columns: int) -> None:
        """Tell a terminal (`tty`) its size. ClusterError where the connection is gone."""
        self._send(RESIZE, json.dumps({"Width": columns, "Height": rows}).encode(), "resize the terminal in")

    def read(self, timeout: float) -> tuple[bytes, bytes] | None:
        """What came on (stdout, stderr) within `timeout` seconds, maybe nothing; None once both have ended.

        A command that could not be started says why on stderr.
        """
        taken = self._mailbox.take((STDOUT, STDERR), timeout)
        return None if taken is None else (taken[0], taken[1])

    def returncode(self) -> int | None:
        """The exit code once ended, 126 or 127 where it could not be started; None where the connection was lost."""
        return read_status(self._status)[0]

    def close(self) -> None:
        """End the connection; what was written before still goes out."""
        self._wire.close()

    def _send(self, channel: int, data: bytes, doing: str) -> None:
        try:
            self._wire.send(bytes([channel]) + data)
        except ConnectionError as error:
            raise ClusterError(API_FAILED, action=f"{doing} pod/{self._pod}", reason=str(error)) from error

    def _sort(self, message: bytes) -> None:
        channel, data = message[0], message[1:]
        if channel in (STDOUT, STDERR) and data:
            self._mailbox.put(channel, data)
        elif channel == STATUS and data:
            self._status += data
            self._wire.end_within(END_SECONDS)

    def _end(self) -> None:
        if failure := read_status(self._status)[1]:
            self._mailbox.put(STDERR, failure.encode() + b"\n")
        self._mailbox.end()


def read_status(status: bytes) -> tuple[int | None, str]:
    """The exit code that a Status tells, and why the command did not run where it did not.

    Format: meta/v1 Status; the code is the message of the cause "ExitCode". What a shell would exit with stands for a
    command that could not be started; (None, ...) for no status, or one that tells of a lost container.
    """
    try:
        value = json.loads(status or b"{}")
        causes = (value.get("details") or {}).get("causes") or []
        codes = [int(cause["message"]) for cause in causes if cause.get("reason") == "ExitCode"]
    except (ValueError, KeyError, AttributeError, TypeError):
        return None, one_line(status.decode("utf-8", "replace"))
    if value.get("status") == "Success" or codes:
        return (codes[0] if codes else 0), ""
    message = one_line(str(value.get("message") or ""))
    return _code_of(message), message


def _code_of(message: str) -> int | None:
    if "not found in $PATH" in message or "no such file or directory" in message:
        return NOT_FOUND
    return NOT_STARTED if "failed to exec" in message or "failed to start" in message else None
