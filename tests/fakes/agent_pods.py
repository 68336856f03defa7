"""Containers with an agent at the far end of each stream: the fake one, or the real one as a process."""

from __future__ import annotations

import os
import selectors
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from devenv.errors import ClusterError
from devenv.ports import ExecStream, Stop, Tunnel
from devenv.problems import BUG
from tests.fakes.agent import FakeAgent, FakeContainer

END_SECONDS = 5.0


class FakeAgentExec:
    """A stream to a fake agent; `agent` takes faults. Written and read from any thread."""

    def __init__(self, agent: FakeAgent) -> None:
        self.agent = agent
        self._changed = threading.Condition()
        self._came = bytearray()
        self._closed = False

    def write(self, data: bytes) -> None:
        with self._changed:
            if self.agent.ended or self._closed:
                raise ClusterError(BUG, reason="the stream ended", log="")
            self._came += self.agent.feed(data)
            self._changed.notify_all()

    def close_stdin(self) -> None:
        self.agent.close()

    def kill(self) -> None:
        """The agent ends at once."""
        with self._changed:
            self.agent.kill()
            self._changed.notify_all()

    def read(self, timeout: float) -> tuple[bytes, bytes] | None:
        with self._changed:
            self._changed.wait_for(self._has_news, timeout=min(timeout, 0.05))
            data = bytes(self._came)
            self._came.clear()
            return None if not data and (self.agent.ended or self._closed) else (data, b"")

    def returncode(self) -> int | None:
        return None

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self.agent.close()
            self._changed.notify_all()

    def _has_news(self) -> bool:
        self._came += self.agent.drain()
        return bool(self._came) or self.agent.ended or self._closed


class ProcessExec:
    """A stream to an agent that is a process of this machine."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.cut_after: int | None = None

    def write(self, data: bytes) -> None:
        assert self.process.stdin
        view = memoryview(data)
        limit = self.cut_after
        if limit is not None:
            view, self.cut_after = view[:limit], max(0, limit - len(data))
        try:
            while view:
                view = view[os.write(self.process.stdin.fileno(), view) :]
            if limit is not None and limit <= len(data):
                self.kill()
        except (OSError, ValueError) as error:
            raise ClusterError(BUG, reason="the stream ended", log="") from error

    def close_stdin(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()

    def read(self, timeout: float) -> tuple[bytes, bytes] | None:
        assert self.process.stdout
        try:
            with selectors.DefaultSelector() as selector:
                selector.register(self.process.stdout, selectors.EVENT_READ)
                if not selector.select(timeout):
                    return b"", b""
            data = os.read(self.process.stdout.fileno(), 256 * 1024)
        except (OSError, ValueError):
            return None
        return (data, b"") if data else None

    def returncode(self) -> int | None:
        return self.process.poll()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe
            try:
                pipe.close()
            except OSError:
                continue
        try:
            self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()


Open = Callable[[str, str, Sequence[str]], ExecStream]


@dataclass
class AgentPods:
    """The port `Pods`, exec only: `open` gives the stream for (pod, container, command).

    `failures` are raised by the next calls; `commands` are those that were started.
    """

    open: Open
    failures: list[Exception] = field(default_factory=list)
    commands: list[tuple[str, ...]] = field(default_factory=list)

    def exec(
        self,
        namespace: str,
        pod: str,
        container: str,
        command: Sequence[str],
        *,
        stdin: bool = False,
        tty: bool = False,
    ) -> ExecStream:
        self.commands.append(tuple(command))
        if self.failures:
            raise self.failures.pop(0)
        return self.open(pod, container, command)

    def logs(
        self,
        namespace: str,
        pod: str,
        container: str,
        *,
        follow: bool = False,
        tail: int | None = None,
        previous: bool = False,
        since: int | None = None,
        stop: Stop | None = None,
    ) -> Iterator[str]:
        raise NotImplementedError

    def forward(self, namespace: str, pod: str, port: int) -> Tunnel:
        raise NotImplementedError


@dataclass
class FakeContainers:
    """Fake containers by pod name, and the streams that were opened into them."""

    containers: dict[str, FakeContainer] = field(default_factory=dict)
    streams: list[FakeAgentExec] = field(default_factory=list)
    cut_after: list[int] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def open(self, pod: str, container: str, command: Sequence[str]) -> FakeAgentExec:
        with self._lock:
            refuse_gone(pod, self.gone)
            box = self.containers.setdefault(pod, FakeContainer())
            cut = self.cut_after.pop(0) if self.cut_after else None
            self.streams.append(FakeAgentExec(FakeAgent(box, cut_after=cut)))
            return self.streams[-1]

    def remove(self, pod: str) -> None:
        """The pod is gone, and with it all streams."""
        with self._lock:
            self.gone.add(pod)
            for stream in self.streams:
                stream.kill()


@dataclass
class AgentProcesses:
    """The real agent as a process for each stream, with a state folder for each pod; `options` are Popen's."""

    binary: Path
    folder: Path
    options: dict[str, Any] = field(default_factory=dict)
    streams: list[ProcessExec] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def open(self, pod: str, container: str, command: Sequence[str]) -> ProcessExec:
        argv = [str(self.binary), "serve", "--state", str(self.state(pod))]
        with self._lock:
            refuse_gone(pod, self.gone)
            process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, **self.options)
            self.streams.append(ProcessExec(process))
            return self.streams[-1]

    def remove(self, pod: str) -> None:
        """The pod is gone, and with it all streams."""
        with self._lock:
            self.gone.add(pod)
            for stream in self.streams:
                stream.kill()

    def state(self, pod: str) -> Path:
        """The pod's state folder."""
        folder = self.folder / f"state-{pod}"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def close(self) -> None:
        for stream in self.streams:
            stream.close()


def refuse_gone(pod: str, gone: set[str]) -> None:
    if pod in gone:
        raise ClusterError(BUG, reason=f'pods "{pod}" not found', log="")
