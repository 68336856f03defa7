"""A kept-open stream to the agent in a container: requests out, answers in, and what it says unasked."""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence

from devenv.errors import DevenvError, SyncError
from devenv.ports import ExecStream, Stop
from devenv.problems import SYNC_FAILED, SYNC_HELD
from devenv.sync import protocol, replies
from devenv.sync.framing import Decoder, encode
from devenv.sync.protocol import PING_SECONDS, SILENCE_SECONDS, WINDOW, Frame

MESSAGE = 64 * 1024


class Listener:
    """Told, by the thread that reads from a container, what it does by itself."""

    def on_state(self, state: replies.State) -> None:
        """The agent says how its program is."""

    def on_end(self) -> None:
        """The connection is lost, or was closed."""


SILENT = Listener()
_READ_SECONDS = 1.0
_WAIT_SECONDS = 0.5
_STDERR = 4096

Number = int


class AgentStream:
    """One thread asks, another reads; `alive` turns False for good once the connection is lost.

    `welcome` is the agent's first answer, `state` the newest it told of its program, `starts_at_ack` how often that
    had been started when the last batch was acknowledged. `listener` is told from the reading thread.
    """

    def __init__(
        self,
        stream: ExecStream,
        *,
        service: str,
        stop: Stop | None = None,
        listener: Listener = SILENT,
    ) -> None:
        self.alive = True
        self.welcome = replies.Welcome(0, 0, 0, b"", 0)
        self.state: replies.State | None = None
        self.starts_at_ack = 0
        self._stream = stream
        self._service = service
        self._stop = stop
        self._listener = listener
        self._changed = threading.Condition()
        self._writing = threading.Lock()
        self._answers: deque[tuple[Number, Frame]] = deque()
        self._under_way = 0
        self._failed: replies.Failed | None = None
        self._reason = ""
        self._stderr = b""
        self._heard = self._pinged = time.monotonic()
        self._numbers = itertools.count(1)
        threading.Thread(target=self._read, name="agent-answers", daemon=True).start()

    def greet(self, targets: Sequence[str], *, holder: str, take_over: bool) -> None:
        """The first request. SyncError sync-held, sync-failed."""
        flags = protocol.TAKE_OVER if take_over else 0
        [welcome] = self.ask(protocol.Hello(protocol.VERSION, flags, holder, tuple(targets)))
        if not isinstance(welcome, replies.Welcome):
            raise self._end("its agent gave no welcome")
        self.welcome = welcome
        self._numbers = itertools.count(welcome.batch_id + 1)

    def ask(self, frame: Frame, *, timeout: float | None = None) -> list[Frame]:
        """Send a request; gives all frames of its answer. SyncError sync-failed, sync-held."""
        return list(self.receive(self.send(frame), timeout=timeout))

    def send(self, frame: Frame) -> Number:
        """Send a request without waiting for its answer."""
        number = self.number()
        self._write(encode(frame, number))
        return number

    def number(self) -> Number:
        """The number for the next request or batch."""
        return next(self._numbers)

    def write(self, frames: Iterable[bytes]) -> None:
        """Send encoded frames, many small ones in one message. SyncError where the connection is lost."""
        waiting: list[bytes] = []
        size = 0
        for frame in frames:
            if waiting and size + len(frame) > MESSAGE:
                self._write(b"".join(waiting))
                waiting, size = [], 0
            waiting.append(frame)
            size += len(frame)
        if waiting:
            self._write(b"".join(waiting))

    def receive(self, number: Number, *, timeout: float | None = None) -> Iterator[Frame]:
        """The frames that answer a request, to the last. Answers must be taken in the order of their requests."""
        deadline = None if timeout is None else time.monotonic() + timeout
        last = False
        while not last:
            self._wait(lambda: bool(self._answers), deadline)
            with self._changed:
                batch, frame = self._answers.popleft()
            if batch != number:
                raise self._end(f"its agent answered request {batch} in place of {number}")
            yield frame
            last = _is_last(frame)

    def glob(self, pattern: str) -> list[str]:
        """The absolute paths in the container that match. SyncError."""
        return [
            path
            for frame in self.ask(protocol.Glob(pattern))
            if isinstance(frame, replies.Paths)
            for path in frame.paths
        ]

    def get(self, place: str) -> Iterator[Frame]:
        """A file of the container by its absolute path: File, Content ..., Done; or only Done with an errno."""
        return self.receive(self.send(protocol.Get(protocol.ABSOLUTE, place)))

    def close(self) -> None:
        """End the connection."""
        self._finish("the session ends")

    def _write(self, data: bytes) -> None:
        self._wait(lambda: self._under_way + len(data) <= WINDOW or not self._under_way, None)
        with self._changed:
            self._under_way += len(data)
        try:
            with self._writing:
                self._stream.write(data)
        except DevenvError as error:
            # What the agent said before it ended tells more than the end.
            self._wait_for_end()
            raise self._end(error.message) from error

    def _wait(self, condition: Callable[[], bool], deadline: float | None) -> None:
        with self._changed:
            while not condition():
                if not self.alive:
                    raise self._lost()
                if self._stop and self._stop.is_set():
                    break
                now = time.monotonic()
                if now > self._heard + SILENCE_SECONDS or (deadline is not None and now > deadline):
                    break
                self._changed.wait(_WAIT_SECONDS)
            else:
                return
        stopping = self._stop and self._stop.is_set()
        raise self._end("the session ends" if stopping else "its container did not answer in time")

    def _wait_for_end(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: not self.alive, timeout=_READ_SECONDS)

    def _read(self) -> None:
        decoder = Decoder()
        try:
            while self.alive:
                came = self._stream.read(_READ_SECONDS)
                if came is None:
                    break
                self._stderr = (self._stderr + came[1])[-_STDERR:]
                if came[0]:
                    self._heard = time.monotonic()
                    self._take_all(decoder.feed(came[0]))
                self._ping()
                if time.monotonic() > self._heard + SILENCE_SECONDS:  # whoever writes may wait for ever
                    raise ValueError("its container did not answer in time")
            self._finish("the connection to its container ended")
        except (DevenvError, ValueError) as error:
            self._finish(str(error))

    def _take_all(self, frames: Iterable[tuple[Number, Frame]]) -> None:
        with self._changed:
            for number, frame in frames:
                self._take(number, frame)
            self._changed.notify_all()

    def _take(self, number: Number, frame: Frame) -> None:
        match frame:
            case replies.Credit(size=size):
                self._under_way -= size
            case replies.State():
                self.state = frame
                self._listener.on_state(frame)
            case replies.Failed():
                self._failed = frame
            case replies.Pong(data=b""):
                pass
            case replies.Ack():
                self.starts_at_ack = self.state.starts if self.state else 0
                self._answers.append((number, frame))
            case _:
                self._answers.append((number, frame))

    def _ping(self) -> None:
        """Prove the way now and then; whoever writes just now proves it too."""
        now = time.monotonic()
        if now < self._pinged + PING_SECONDS or not self._writing.acquire(blocking=False):
            return
        try:
            self._pinged = now
            ping = encode(protocol.Ping(b""))
            with self._changed:
                self._under_way += len(ping)
            self._stream.write(ping)
        finally:
            self._writing.release()

    def _end(self, reason: str) -> SyncError:
        self._finish(reason)
        return self._lost()

    def _finish(self, reason: str) -> None:
        with self._changed:
            first, self.alive = self.alive, False
            self._reason = self._reason or reason
            self._changed.notify_all()
        if first:
            self._stream.close()
            self._listener.on_end()

    def _lost(self) -> SyncError:
        if self._failed and self._failed.code == protocol.FAILED_HELD:
            return SyncError(SYNC_HELD, service=self._service, holder=self._failed.text)
        code = self._stream.returncode()
        said = [f"exit code {code}"] if code else []
        said += self._stderr.decode("utf-8", "replace").splitlines()[-5:]
        reason = self._failed.text if self._failed else self._reason
        return SyncError(SYNC_FAILED, service=self._service, reason=reason, details=said)


def _is_last(frame: Frame) -> bool:
    match frame:
        case replies.Rows(last=last) | replies.Paths(last=last):
            return bool(last)
        case replies.Welcome() | replies.Ack() | replies.Done() | replies.Pong():
            return True
    return False
