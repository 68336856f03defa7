"""Runs commands: into a log, or for what they print."""

import json
import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

TAIL_LINES = 15

_guard = threading.Lock()
_running: set[subprocess.Popen[bytes]] = set()
_stopped = threading.Event()


class TestbedError(Exception):
    """Something the testbed can not go on from; the text says what, why and what to do."""

    __test__ = False


def run(
    command: Sequence[str | Path], log: Path, *, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> None:
    """Run a command with its output appended to the log; raises TestbedError with the last lines if it fails."""
    words = [str(word) for word in command]
    with log.open("ab") as output:
        output.write(f"$ {' '.join(words)}\n".encode())
        output.flush()
        process = _start(words, output.fileno(), env, cwd)
        try:
            code = process.wait()
        finally:
            with _guard:
                _running.discard(process)
    if code != 0:
        raise TestbedError(_describe_failure(words, code, log))


def _start(words: list[str], output: int, env: Mapping[str, str] | None, cwd: Path | None) -> subprocess.Popen[bytes]:
    with _guard:
        if _stopped.is_set():
            raise TestbedError("stopped because another step failed or was interrupted")
        try:
            process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
                cwd=cwd,
                start_new_session=True,
            )
        except OSError as error:
            hint = "hint: install it, or put it on PATH"
            raise TestbedError(f"cannot run {words[0]}: {error.strerror}\n{hint}") from error
        _running.add(process)
    return process


def _describe_failure(words: list[str], code: int, log: Path) -> str:
    tail = log.read_text(errors="replace").splitlines()[-TAIL_LINES:]
    return "\n".join([f"exit code {code} from: {' '.join(words)}", *(f"  {line}" for line in tail), f"log: {log}"])


def read(command: Sequence[str | Path]) -> str | None:
    """What a command prints, stripped, or None if it fails or is not there."""
    try:
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def read_json(command: Sequence[str | Path]) -> Any:
    """What a command prints, as JSON, or None if it fails or is not there."""
    text = read(command)
    return json.loads(text) if text else None


def stop_all() -> None:
    """End the commands that are running now, with all their children, and let no other begin in this process."""
    with _guard:
        _stopped.set()
        running = list(_running)
    for process in running:
        try:
            os.killpg(process.pid, signal.SIGTERM)
        except ProcessLookupError:
            continue
