from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from devenv.plan.supervisor import supervised


@pytest.fixture
def started(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    log = tmp_path / "log"
    program = ["sh", "-c", f"echo start >> {log}; trap 'exit 7' TERM; while :; do sleep 0.05; done"]
    process = subprocess.Popen(supervised(program), start_new_session=True)
    wait_for_starts(log, 1)
    yield process, log
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def wait_for_starts(log: Path, count: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if log.exists() and len(log.read_text().splitlines()) >= count:
            return
        time.sleep(0.01)
    raise AssertionError(f"not started {count} times")


def test_usr1_starts_the_program_anew(started: tuple[subprocess.Popen[bytes], Path]) -> None:
    process, log = started
    process.send_signal(signal.SIGUSR1)
    wait_for_starts(log, 2)
    process.send_signal(signal.SIGUSR1)
    wait_for_starts(log, 3)
    assert process.poll() is None


def test_term_ends_the_program_and_passes_its_code_on(started: tuple[subprocess.Popen[bytes], Path]) -> None:
    process, _ = started
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=10) == 7


def test_the_end_of_the_program_is_the_end() -> None:
    assert subprocess.run(supervised(["sh", "-c", "exit 3"]), check=False).returncode == 3


def test_a_crash_after_a_restart_waits_for_the_next(tmp_path: Path) -> None:
    log, broken = tmp_path / "log", tmp_path / "broken"
    program = f"echo start >> {log}; [ ! -e {broken} ] || exit 3; trap 'exit 7' TERM; while :; do sleep 0.05; done"
    process = subprocess.Popen(
        supervised(["sh", "-c", program]), start_new_session=True, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    wait_for_starts(log, 1)
    broken.touch()
    process.send_signal(signal.SIGUSR1)
    said = [process.stdout.readline() for _ in range(2)]
    assert said == ["devenv: restarted\n", "devenv: it ended with code 3; the next save starts it again\n"]
    broken.unlink()
    process.send_signal(signal.SIGUSR1)
    wait_for_starts(log, 3)
    broken.touch()
    process.send_signal(signal.SIGUSR1)
    assert [process.stdout.readline() for _ in range(3)][-1].startswith("devenv: it ended with code 3")
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=10) == 3
    process.stdout.close()
