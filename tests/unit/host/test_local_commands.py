from __future__ import annotations

import logging
import os
import sys
import threading
from pathlib import Path

import pytest

from devenv import problems
from devenv.errors import Problem, ToolError
from devenv.host.commands import LocalCommands
from devenv.ports import Command

COMMANDS = LocalCommands({})


def python(code: str, **rest: object) -> Command:
    return Command((sys.executable, "-c", code), **rest)  # type: ignore[arg-type]


def is_there(pid: int) -> bool:
    """Whether a process runs; one that only waits for its parent to notice does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except FileNotFoundError:
        return False


def wait_until_gone(pid: int) -> bool:
    waiting = threading.Event()
    return any(not is_there(pid) or waiting.wait(0.05) for _ in range(200))


def test_a_tool_of_the_settings_comes_before_path(tmp_path: Path) -> None:
    tool = tmp_path / "mykind"
    tool.write_text("#!/bin/sh\necho mine\n")
    tool.chmod(0o755)
    commands = LocalCommands({"kind": str(tool)})
    assert commands.find("kind") == tool
    assert commands.run(Command(("kind", "version"))).stdout == "mine\n"


@pytest.mark.parametrize(
    ("tool", "problem"),
    [("kind", problems.KIND_MISSING), ("docker", problems.DOCKER_MISSING), ("frob", problems.COMMAND_FAILED)],
)
def test_a_missing_program_is_named(
    tool: str, problem: Problem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError) as raised:
        COMMANDS.run(Command((tool,)))
    assert raised.value.problem is problem


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="ended with code 126") as raised:
        COMMANDS.run(python("", cwd=tmp_path / "no"))
    assert "No such file" in raised.value.details[0]


def test_environment_is_added_to() -> None:
    done = COMMANDS.run(python("import os; print(os.environ['A'], 'PATH' in os.environ)", env={"A": "1"}))
    assert done.stdout == "1 True\n"


def test_bytes_that_are_no_text_do_no_harm() -> None:
    done = COMMANDS.run(python("import sys; sys.stdout.buffer.write(b'\\xff\\n')"))
    assert done.stdout == "\ufffd\n"


def test_a_program_that_reads_nothing_may_get_input() -> None:
    assert COMMANDS.run(python("raise SystemExit(4)", stdin="x" * 1_000_000)).code == 4


def test_stop_ends_the_whole_group() -> None:
    stop = threading.Event()
    pids: list[int] = []

    def note(line: str) -> None:
        pids.append(int(line))
        if len(pids) == 2:
            stop.set()

    code = (
        "import os, subprocess, sys\n"
        "print(os.getpid(), flush=True)\n"
        "subprocess.run([sys.executable, '-c', 'import os, time; print(os.getpid(), flush=True); time.sleep(600)'])\n"
    )
    done = COMMANDS.run(python(code), stop=stop, on_line=note)
    assert done.code != 0
    assert all(wait_until_gone(pid) for pid in pids)


def test_what_ignores_term_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devenv.host.commands.GRACE_SECONDS", 0.2)
    stop = threading.Event()
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True); time.sleep(600)"
    done = COMMANDS.run(python(code), stop=stop, on_line=lambda _: stop.set())
    assert done.code == -9


def test_an_interrupt_ends_the_program_first() -> None:
    pids: list[int] = []

    def interrupt(line: str) -> None:
        pids.append(int(line))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        COMMANDS.run(python("import os, time; print(os.getpid(), flush=True); time.sleep(600)"), on_line=interrupt)
    assert wait_until_gone(pids[0])


def test_programs_do_not_get_the_terminals_interrupt() -> None:
    done = COMMANDS.run(python("import os; print(os.getpgid(0))"))
    assert int(done.stdout) != os.getpgid(0)


def test_stderr_is_told_apart(tmp_path: Path) -> None:
    done = COMMANDS.run(python("import sys; print('out'); print('err', file=sys.stderr)"))
    assert (done.stdout, done.stderr) == ("out\n", "err\n")
    assert sorted(done.output.splitlines()) == ["err", "out"]


@pytest.mark.parametrize("secret", [True, False])
def test_what_a_secret_command_prints_is_in_no_log(secret: bool, caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("devenv.commands")
    handler = caplog.handler
    logger.addHandler(handler)
    level = logger.level
    logger.setLevel(logging.DEBUG)
    try:
        COMMANDS.run(python("print('s3' + 'cret')", secret=secret))
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
    assert ("s3cret" in caplog.text) is not secret


def test_a_command_in_this_terminal_says_all_on_stderr(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "mytool").write_text("#!/bin/sh\necho out; echo err >&2; exit $1\n")
    (tmp_path / "mytool").chmod(0o755)
    commands = LocalCommands({"tool": str(tmp_path / "mytool")})
    assert (commands.run_here(("tool", "3")), commands.run_here(("no-such-tool",))) == (3, 127)
    assert capfd.readouterr() == ("", "out\nerr\n")
