"""Stands in for a container: the program of a sync stream run by a local shell, over folders of this machine."""

from __future__ import annotations

import os
import selectors
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from devenv.errors import ClusterError
from devenv.ports import Stop, Tunnel
from devenv.problems import BUG

APPLETS = ("dd", "tar", "cat", "mkdir", "mv", "rm", "rmdir", "sha256sum", "readlink", "stat", "tr", "sleep", "touch")


@dataclass
class LocalStream:
    process: subprocess.Popen[bytes]
    gone: bool = False

    def write(self, data: bytes) -> None:
        assert self.process.stdin
        try:
            self.process.stdin.write(data)
            self.process.stdin.flush()
        except (OSError, ValueError) as error:
            raise ClusterError(BUG, reason="the stream ended", log="") from error

    def close_stdin(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()

    def read(self, timeout: float) -> tuple[bytes, bytes] | None:
        assert self.process.stdout
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            if not selector.select(timeout):
                return b"", b""
        data = os.read(self.process.stdout.fileno(), 65536)
        return (data, b"") if data else None

    def returncode(self) -> int | None:
        return self.process.poll()

    def close(self) -> None:
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe
            try:
                pipe.close()
            except OSError:
                continue
        self.process.wait()


@dataclass
class LocalPods:
    """`signals` is the file that notes what would have been sent to the container's first process."""

    shell: Sequence[str]
    path: str
    signals: Path
    streams: list[LocalStream] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)

    def exec(
        self,
        namespace: str,
        pod: str,
        container: str,
        command: Sequence[str],
        *,
        stdin: bool = False,
        tty: bool = False,
    ) -> LocalStream:
        if self.failures:
            raise self.failures.pop(0)
        assert command[:2] == ["sh", "-c"]
        # Process 1 is this machine's own: the function takes the place of the shell's kill.
        harmless = f'kill() {{ echo "$@" >>"{self.signals}"; }}\n'
        argv = [*self.shell, "-c", harmless + command[2], *command[3:]]
        process = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={"PATH": self.path}, bufsize=0
        )
        self.streams.append(LocalStream(process))
        return self.streams[-1]

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

    def sent(self) -> list[str]:
        return self.signals.read_text().splitlines() if self.signals.exists() else []

    def close(self) -> None:
        for stream in self.streams:
            stream.close()


def make_pods(flavour: str, folder: Path) -> LocalPods:
    """A container with the tools of one flavour ("dash" with GNU tools, or "busybox"); skips where it is absent."""
    tools = folder / "bin"
    tools.mkdir()
    program = shutil.which(flavour)
    if not program:
        pytest.skip(f"{flavour} is not installed")
    for name in (*APPLETS, "sh"):
        aim = program if flavour == "busybox" or name == "sh" else shutil.which(name)
        assert aim, name
        (tools / name).symlink_to(aim)
    return LocalPods([str(tools / "sh")], str(tools), folder / "signals")
