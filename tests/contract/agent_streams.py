"""Agents to talk to: the C one for each processor, and the Python one, all through the protocol."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pytest

from devenv.agent.binaries import Arch, binary
from devenv.ports import ExecStream
from devenv.sync import protocol as p
from devenv.sync import replies as r
from devenv.sync.framing import Decoder, encode
from tests.fakes.agent import FakeAgent, FakeContainer
from tests.fakes.agent_pods import FakeAgentExec, ProcessExec

PATIENCE = 30.0
NATIVE: Arch = "arm64" if platform.machine() in ("aarch64", "arm64") else "amd64"
EMULATORS: Mapping[Arch, str] = {"amd64": "qemu-x86_64-static", "arm64": "qemu-aarch64-static"}
UNASKED = (r.Credit, r.State)
Reply = TypeVar("Reply", bound=p.Frame)


def command_of(arch: Arch, folder: Path) -> list[str]:
    """How the C agent for a processor is run here; skips the test, saying why, where it can't be."""
    if platform.system() != "Linux":
        pytest.skip("the agent is a Linux program")
    program = folder / f"agent-{arch}"
    if not program.exists():
        program.write_bytes(binary(arch))
        program.chmod(0o755)
    if arch == NATIVE:
        return [str(program)]
    emulator = shutil.which(EMULATORS[arch])
    if emulator is None:
        # The testbed installs it wherever there is apt: there its absence is a fault, not a reason.
        assert NATIVE != "amd64" or not shutil.which("apt-get"), (
            "qemu-user-static is missing: python3 -m tests.testbed up"
        )
        pytest.skip(f"no {EMULATORS[arch]} (Debian's qemu-user-static): the agent for {arch} can't run here")
    return [emulator, str(program)]


class Stream:
    """The near end of a stream to an agent: sends frames, gives the answers."""

    def __init__(self, way: ExecStream) -> None:
        self.way = way
        self.unasked: list[p.Frame] = []
        self.sent = 0
        self._decoder = Decoder()
        self._came: list[tuple[int, p.Frame]] = []

    def send(self, *frames: p.Frame, batch: int = 0) -> None:
        data = b"".join(encode(frame, batch) for frame in frames)
        self.sent += len(data)
        self.way.write(data)

    def answer(self, kind: type[Reply], *, batch: int | None = None) -> Reply:
        """The next answer, which is of this kind; what is unasked is put aside."""
        number, frame = self.next()
        assert isinstance(frame, kind), frame
        assert batch is None or number == batch
        return frame

    def ask(self, frame: p.Frame, kind: type[Reply], *, batch: int = 0) -> Reply:
        self.send(frame, batch=batch)
        return self.answer(kind, batch=batch)

    def hello(self, *targets: Path, flags: int = 0, holder: str = "me") -> r.Welcome:
        return self.ask(p.Hello(p.VERSION, flags, holder, tuple(map(str, targets))), r.Welcome)

    def commit(self, *frames: p.Frame, flags: int = 0, batch: int = 1) -> dict[str, int]:
        """Sends a batch; gives what failed: the errno by path."""
        self.send(*frames, batch=batch)
        ack = self.ask(p.Commit(flags), r.Ack, batch=batch)
        return {path: number for _, number, path in ack.failed}

    def rows(self, question: p.Frame) -> dict[str, r.Row]:
        self.send(question)
        rows: list[r.Row] = []
        while True:
            part = self.answer(r.Rows)
            rows += part.rows
            if part.last:
                return {row.path: row for row in rows}

    def next(self) -> tuple[int, p.Frame]:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            while self._came:
                number, frame = self._came.pop(0)
                if not isinstance(frame, UNASKED):
                    return number, frame
                self.unasked.append(frame)
            if not self._read():
                raise EOFError("the agent ended")
        raise TimeoutError("no answer")

    def state(self, meant: Callable[[r.State], bool]) -> r.State:
        """Waits until the program's state is as meant."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            states = [frame for _, frame in self._came] + self.unasked
            for frame in states:
                if isinstance(frame, r.State) and meant(frame):
                    self.unasked.clear()
                    self._came = [(n, f) for n, f in self._came if not isinstance(f, r.State)]
                    return frame
            assert self._read(), "the agent ended"
        raise TimeoutError("the program's state does not become what it should")

    def failure(self) -> r.Failed:
        """What the agent says before it ends."""
        failed = self.answer(r.Failed)
        with pytest.raises(EOFError):
            self.next()
        return failed

    def close(self) -> None:
        self.way.close()

    def _read(self) -> bool:
        came = self.way.read(0.5)
        if came:
            self._came += self._decoder.feed(came[0])
        return came is not None


@dataclass
class Agents:
    """A pod that streams can be opened to. `command` is None for the fake agent."""

    folder: Path
    command: list[str] | None
    streams: list[Stream] = field(default_factory=list)
    container: FakeContainer = field(default_factory=lambda: FakeContainer(uid=os.geteuid()))

    def __post_init__(self) -> None:
        self.state = self.folder / "state"
        self.target = self.folder / "target"
        self.state.mkdir()
        self.target.mkdir()

    def open(self, *, env: Mapping[str, str] | None = None, umask: int = -1, user: int | None = None) -> Stream:
        way: ExecStream
        if self.command is None:
            way = FakeAgentExec(FakeAgent(self.container))
        else:
            way = self._start(["serve", "--state", str(self.state)], env or {}, umask, user)
        self.streams.append(Stream(way))
        return self.streams[-1]

    def greeted(self, *, flags: int = 0) -> Stream:
        stream = self.open()
        stream.hello(self.target, flags=flags)
        return stream

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*(self.command or []), *words], capture_output=True, text=True, check=False, timeout=PATIENCE
        )

    def close(self) -> None:
        for stream in self.streams:
            stream.close()

    def _start(self, words: Sequence[str], env: Mapping[str, str], umask: int, user: int | None) -> ProcessExec:
        group = () if user is not None else None
        process = subprocess.Popen(
            [*(self.command or []), *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            env={**os.environ, **env},
            umask=umask,
            user=user,
            group=user,
            extra_groups=group,
        )
        return ProcessExec(process)


def process_of(stream: Stream) -> subprocess.Popen[bytes]:
    """The process at a stream's end."""
    assert isinstance(stream.way, ProcessExec)
    return stream.way.process
