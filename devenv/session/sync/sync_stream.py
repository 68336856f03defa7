"""A kept-open stream into one container, with the program of `sync.script` at its far end."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Sequence

from devenv.errors import DevenvError, SyncError
from devenv.ports import ExecStream, Pods, Stop
from devenv.problems import SYNC_FAILED, SYNC_NEEDS_SHELL, SYNC_NOT_WRITABLE
from devenv.sync import script
from devenv.sync.frames import Answer, Answers

ANSWER_SECONDS = 60.0
_READ_SECONDS = 0.5
# What a shell and container runtimes exit with when they don't find or can't run a program.
_NO_PROGRAM = (126, 127, 128)
_NOT_FOUND = "executable file not found"


class SyncStream:
    """Frames out, answers in; `alive` turns False for good once the connection is lost.

    No answer is waited for once `stop` is set.
    """

    def __init__(self, stream: ExecStream, *, service: str, stop: Stop | None = None) -> None:
        self.alive = True
        self._stream = stream
        self._stop = stop
        self._service = service
        self._answers = Answers()
        self._stderr = b""

    def ask(self, frames: Iterable[bytes], *, timeout: float = ANSWER_SECONDS) -> Answer:
        """Send frames one after the other, each once the one before was answered; gives the last answer.

        Stops at the first answer that is not ok. Raises SyncError sync-failed where the connection is lost.
        """
        answer = Answer("ok")
        for frame in frames:
            self._write(frame)
            answer = self._receive(timeout)
            if answer.status != "ok":
                break
        return answer

    def greet(self) -> Answer:
        """Send the program and wait for its first answer. SyncError sync-failed, sync-needs-shell."""
        try:
            return self.ask([script.program()])
        except SyncError as error:
            if self._stream.returncode() in _NO_PROGRAM or _NOT_FOUND in _text(error):
                raise SyncError(SYNC_NEEDS_SHELL, service=self._service, tool="sh") from error
            raise

    def close(self) -> None:
        """End the connection; the program ends with it and removes its staging folders."""
        self.alive = False
        self._stream.close()

    def _write(self, frame: bytes) -> None:
        try:
            self._stream.write(frame)
        except DevenvError as error:
            raise self._lost(error.message) from error

    def _receive(self, timeout: float) -> Answer:
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if self._stop and self._stop.is_set():
                raise self._lost("the session ends")
            try:
                came = self._stream.read(_READ_SECONDS)
            except DevenvError as error:
                raise self._lost(error.message) from error
            if came is None:
                raise self._lost("the connection to its container ended")
            self._stderr = (self._stderr + came[1])[-4096:]
            if answers := self._answers.feed(came[0]):
                return answers[0]
        raise self._lost(f"its container did not answer for {timeout:.0f} s")

    def _lost(self, reason: str) -> SyncError:
        # Closed here and now: an answer that comes late must not be taken for that to the next frame.
        code = self._stream.returncode()
        self.close()
        said = [f"exit code {code}"] if code else []
        said += self._stderr.decode("utf-8", "replace").splitlines()[-5:]
        return SyncError(SYNC_FAILED, service=self._service, reason=reason, details=said)


def _text(error: DevenvError) -> str:
    return " ".join([error.message, *error.details])


def open_stream(
    pods: Pods,
    *,
    service: str,
    place: tuple[str, str, str],
    container_id: str,
    targets: Sequence[str],
    stop: Stop | None = None,
) -> SyncStream:
    """Start the program in a container (`place`: namespace, pod, container) for the folders `targets`.

    Raises SyncError sync-needs-shell, sync-not-writable, sync-failed; ClusterError.
    """
    token = re.sub(r"\W", "", container_id)[-12:]
    try:
        started = pods.exec(*place, script.command(token, targets), stdin=True)
    except DevenvError as error:
        if _NOT_FOUND in _text(error):
            raise SyncError(SYNC_NEEDS_SHELL, service=service, tool="sh") from error
        raise
    stream = SyncStream(started, service=service, stop=stop)
    answer = stream.greet()
    if answer.status == "ok":
        return stream
    stream.close()
    if answer.status == "missing":
        raise SyncError(SYNC_NEEDS_SHELL, service=service, tool=answer.text)
    if answer.status == "unwritable":
        raise SyncError(SYNC_NOT_WRITABLE, service=service, target=answer.text)
    raise SyncError(SYNC_FAILED, service=service, reason=f"unexpected answer {answer.status!r}")
