"""Runs a command in a container to its end, and brings files home: by the agent where there is one, else by a shell."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from devenv import problems
from devenv.errors import DevenvError, RunLost
from devenv.flows.agent_stream import AgentStream
from devenv.ports import ExecStream, Kube, Object
from devenv.sync import replies
from devenv.sync.framing import Decoder
from devenv.sync.places import AGENT, PROGRAM

Show = Callable[[bytes, str], None]
"""Takes what the command wrote, and on which stream: stdout or stderr."""

READ_SECONDS = 0.5
END_SECONDS = 5.0
LISTEN_SECONDS = 10.0
POLL_SECONDS = 0.05
TABLES = ("/proc/net/tcp", "/proc/net/tcp6")

# Prints its own process number first, so that a run that must end early can be ended in the pod as well.
RUNNER = 'echo "devenv:$$"; exec "$@"'


@dataclass(frozen=True, slots=True)
class Place:
    """A container."""

    namespace: str
    pod: str
    container: str

    def start(self, kube: Kube, command: Sequence[str], *, stdin: bool = False) -> ExecStream:
        """Start a command in it. ClusterError."""
        return kube.pods.exec(self.namespace, self.pod, self.container, command, stdin=stdin)

    def read(self, kube: Kube, command: Sequence[str]) -> tuple[bytes, int | None]:
        """What a command prints to its end, and its exit code. ClusterError."""
        stream = self.start(kube, command)
        said = b"".join(out for out, _ in iter(lambda: stream.read(READ_SECONDS), None))
        stream.close()
        return said, stream.returncode()


class Runner(Protocol):
    """What can be done in one container."""

    def run(self, command: Sequence[str], show: Show, *, timeout: float) -> int:
        """Run to the end; the exit code. RunLost where it takes too long or is lost; it is ended there too then."""

    def fetch(self, pattern: str) -> dict[str, bytes]:
        """The files that an absolute path or pattern names; those that can't be read are left out."""


def runner_for(kube: Kube, pod: Object, container: str) -> Runner:
    """The way to run commands in a container of a pod."""
    place = Place(pod["metadata"]["namespace"], pod["metadata"]["name"], container)
    named = pod["metadata"].get("annotations", {}).get(AGENT, "")
    return AgentRunner(kube, place) if container in named.split(",") else ShellRunner(kube, place)


def await_listening(runner: Runner, port: int) -> None:
    """Return once something listens on the port, or after some seconds in any case."""
    wanted = f":{port:04X}"
    deadline = time.monotonic() + LISTEN_SECONDS
    while time.monotonic() < deadline:
        tables = [runner.fetch(table).get(table, b"") for table in TABLES]
        if not any(tables) or any(_listens(line, wanted) for table in tables for line in table.decode().splitlines()):
            return
        time.sleep(POLL_SECONDS)


def _listens(line: str, port: str) -> bool:
    """Format: proc(5), /proc/net/tcp; the state 0A is a socket that listens."""
    fields = line.split()
    return len(fields) > 3 and fields[1].endswith(port) and fields[3] == "0A"


class ShellRunner:
    """By `sh`, `kill` and `cat`."""

    def __init__(self, kube: Kube, place: Place) -> None:
        self._kube = kube
        self._place = place

    def run(self, command: Sequence[str], show: Show, *, timeout: float) -> int:
        """As Runner says."""
        stream = self._place.start(self._kube, ["sh", "-c", RUNNER, "devenv", *command])
        head, pid = b"", ""
        try:
            for out, error in _read_until(stream, timeout):
                if not pid:
                    head += out
                    first, newline, out = head.partition(b"\n")
                    pid = first.removeprefix(b"devenv:").decode(errors="replace").strip() if newline else ""
                    out = out if newline else b""
                _show(show, out, error)
        except BaseException:
            self._end(pid)
            raise
        finally:
            stream.close()
        return _code(stream.returncode(), self._place)

    def fetch(self, pattern: str) -> dict[str, bytes]:
        """As Runner says; no patterns."""
        try:
            content, code = self._place.read(self._kube, ["cat", pattern])
        except DevenvError:
            return {}
        return {pattern: content} if code == 0 else {}

    def _end(self, pid: str) -> None:
        if not pid.isdigit():
            return
        try:
            stream = self._place.start(self._kube, ["sh", "-c", f"kill -TERM {pid}"])
        except DevenvError:
            return
        deadline = time.monotonic() + END_SECONDS
        while stream.read(READ_SECONDS) is not None and time.monotonic() < deadline:
            pass
        stream.close()


class AgentRunner:
    """By the agent, which ends what it runs with the connection."""

    def __init__(self, kube: Kube, place: Place) -> None:
        self._kube = kube
        self._place = place

    def run(self, command: Sequence[str], show: Show, *, timeout: float) -> int:
        """As Runner says."""
        stream = self._place.start(self._kube, [PROGRAM, "run", "--", *command], stdin=True)
        decoder = Decoder()
        code: int | None = None
        try:
            for out, error in _read_until(stream, timeout):
                _show(show, b"", error)
                for _, frame in decoder.feed(out):
                    if isinstance(frame, replies.Output):
                        show(frame.data, "stdout" if frame.stream == 1 else "stderr")
                    elif isinstance(frame, replies.Done):
                        code = frame.status
        finally:
            stream.close()
        return _code(code, self._place)

    def fetch(self, pattern: str) -> dict[str, bytes]:
        """As Runner says."""
        try:
            started = self._place.start(self._kube, [PROGRAM, "serve"], stdin=True)
        except DevenvError:
            return {}
        stream = AgentStream(started, service=self._place.container)
        try:
            # Without a target it holds nothing: the stream that syncs goes on beside it.
            stream.greet((), holder="files", take_over=False)
            paths = stream.glob(pattern) if any(sign in pattern for sign in "*?[") else [pattern]
            found = {path: _content(stream, path) for path in paths}
        except DevenvError:
            return {}
        finally:
            stream.close()
        return {path: content for path, content in found.items() if content is not None}


def _content(stream: AgentStream, path: str) -> bytes | None:
    *parts, done = stream.get(path)
    good = isinstance(done, replies.Done) and done.status == 0
    return b"".join(part.data for part in parts if isinstance(part, replies.Content)) if good else None


def _read_until(stream: ExecStream, timeout: float) -> Iterator[tuple[bytes, bytes]]:
    """What comes until the stream ends; RunLost after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while (read := stream.read(READ_SECONDS)) is not None:
        yield read
        if time.monotonic() > deadline:
            raise RunLost(problems.RUN_TIMEOUT, seconds=int(timeout))


def _show(show: Show, out: bytes, error: bytes) -> None:
    for data, name in ((out, "stdout"), (error, "stderr")):
        if data:
            show(data, name)


def _code(code: int | None, place: Place) -> int:
    if code is None:
        raise RunLost(problems.RUN_LOST, pod=place.pod, reason="the connection to it ended")
    return code
