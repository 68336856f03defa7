"""Runs programs of this machine, each in a process group of its own so that it can be ended as a whole."""

from __future__ import annotations

import logging
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from devenv import problems
from devenv.errors import ToolError
from devenv.ports import Command, Finished, Stop

LOG = logging.getLogger("devenv.commands")
GRACE_SECONDS = 5.0
POLL_SECONDS = 0.2
END_POLL_SECONDS = 0.02

MISSING = {"kind": problems.KIND_MISSING, "docker": problems.DOCKER_MISSING}


class LocalCommands:
    """Programs from the settings' `tools`, else from PATH."""

    def __init__(self, tools: Mapping[str, str]) -> None:
        self._tools = tools

    def find(self, tool: str) -> Path | None:
        """The program's path, or None."""
        found = shutil.which(self._tools.get(tool, tool))
        return Path(found) if found else None

    def run(
        self, command: Command, *, stop: Stop | None = None, on_line: Callable[[str], None] | None = None
    ) -> Finished:
        """Run to the end; ended early once `stop` is set or on Ctrl-C. ToolError where it does not exist."""
        program = self.find(command.argv[0])
        if program is None:
            missing = MISSING.get(command.argv[0])
            raise ToolError(missing) if missing else _not_there(command)
        LOG.debug("run %s", command.argv)
        process = _start(program, command)
        try:
            return _follow(process, command, stop, on_line)
        except BaseException:
            _end(process)
            raise

    def run_here(self, argv: Sequence[str]) -> int:
        """Run in this terminal (so that sudo can ask), all output on stderr; its exit code, 127 where it is missing."""
        program = self.find(argv[0])
        if program is None:
            return 127
        LOG.debug("run here %s", argv)
        return subprocess.run([str(program), *argv[1:]], stdout=sys.stderr, check=False).returncode


def _not_there(command: Command) -> ToolError:
    return ToolError(problems.COMMAND_FAILED, command=command.argv[0], code=127, details=["it is not on PATH"])


def _start(program: Path, command: Command) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            [str(program), *command.argv[1:]],
            cwd=command.cwd,
            env={**os.environ, **command.env},
            stdin=subprocess.PIPE if command.stdin is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise ToolError(problems.COMMAND_FAILED, command=program, code=126, details=[str(error)]) from error


def _follow(
    process: subprocess.Popen[bytes], command: Command, stop: Stop | None, on_line: Callable[[str], None] | None
) -> Finished:
    lines: queue.SimpleQueue[tuple[str, str | None]] = queue.SimpleQueue()
    assert process.stdout
    assert process.stderr
    for name, stream in (("out", process.stdout), ("err", process.stderr)):
        threading.Thread(target=_read, args=(name, stream, lines), name="command-output", daemon=True).start()
    if process.stdin:
        with suppress(BrokenPipeError):
            process.stdin.write((command.stdin or "").encode())
        with suppress(BrokenPipeError):
            process.stdin.close()
    lines_read = _gather(process, lines, stop, on_line)
    code = process.wait()
    told = "(its output is secret)" if command.secret else "".join(text for _, text in lines_read)
    LOG.debug("%s ended with %s\n%s", command.argv[0], code, told)
    stdout, stderr = ("".join(text for name, text in lines_read if name == wanted) for wanted in ("out", "err"))
    return Finished(command, code, stdout, "".join(text for _, text in lines_read), stderr)


def _gather(
    process: subprocess.Popen[bytes],
    lines: queue.SimpleQueue[tuple[str, str | None]],
    stop: Stop | None,
    on_line: Callable[[str], None] | None,
) -> list[tuple[str, str]]:
    """Each line with the name of its stream, as they came."""
    output: list[tuple[str, str]] = []
    open_streams = 2
    ended = False
    while open_streams:
        if not ended and stop and stop.is_set():
            _end(process)
            ended = True
        try:
            name, line = lines.get(timeout=POLL_SECONDS)
        except queue.Empty:
            continue
        if line is None:
            open_streams -= 1
            continue
        output.append((name, line))
        if on_line:
            on_line(line.rstrip("\n"))
    return output


def _read(name: str, stream: IO[bytes], lines: queue.SimpleQueue[tuple[str, str | None]]) -> None:
    with stream:
        for line in stream:
            lines.put((name, line.decode(errors="replace")))
    lines.put((name, None))


def _end(process: subprocess.Popen[bytes]) -> None:
    """TERM to the whole group; KILL to what of it is still there after a while."""
    _signal(process, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_SECONDS
    while process.poll() is None or _signal(process, 0):
        if time.monotonic() > deadline:
            _signal(process, signal.SIGKILL)
            break
        time.sleep(END_POLL_SECONDS)
    process.wait()


def _signal(process: subprocess.Popen[bytes], number: int) -> bool:
    """Send a signal to the group; False where nothing of it is left."""
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True
