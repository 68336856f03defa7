"""The agent as a container's first process: signals, zombies, exit codes, the gate, crashes and restarts."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from devenv.sync import protocol as p
from devenv.sync import replies as r
from tests.contract.agent_streams import NATIVE, PATIENCE, Agents, Stream, command_of
from tests.contract.test_agent import put
from tests.scale import scaled

UNIT = 0.05
"""What init takes for a second: its gate and its retries."""
FOREVER = "while :; do sleep 0.05; done"


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("programs")


def until(meant: Callable[[], bool]) -> None:
    """Waits for something that is to come true."""
    end = time.monotonic() + PATIENCE
    while not meant():
        assert time.monotonic() < end, "it does not come about"
        time.sleep(0.01)


def living(pid: int) -> list[int]:
    """The processes below one that are no zombies."""
    found = []
    try:
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            stat = Path(f"/proc/{child}/stat").read_text().rsplit(")")[1].split()[0]
            found += [*living(int(child)), *([] if stat == "Z" else [int(child)])]
    except OSError:
        return found
    return found


@dataclass
class Box:
    """A container: an init, and streams to it."""

    agents: Agents
    wrapper: list[str]
    starts: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, *argv: str, gate: float = 1000, options: tuple[str, ...] = (), **env: str) -> None:
        log = (self.agents.folder / "log").open("ab")
        words = ["init", "--state", str(self.agents.state), *options, "--gate", str(int(gate)), "--", *argv]
        self.starts.append(
            subprocess.Popen(
                [*self.wrapper, *(self.agents.command or []), *words],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=self.agents.target,
                env={**os.environ, "DEVENV_AGENT_UNIT_MS": str(int(UNIT * 1000)), **env},
            )
        )
        log.close()
        until(
            lambda: (
                self.ready().returncode == 0 or "answer" not in self.ready().stderr or self.process.poll() is not None
            )
        )

    @property
    def process(self) -> subprocess.Popen[bytes]:
        return self.starts[-1]

    @property
    def pid(self) -> int:
        """The init itself, which may be below a wrapper."""
        if not self.wrapper:
            return self.process.pid
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(children[0])

    @property
    def log(self) -> str:
        return (self.agents.folder / "log").read_text()

    def ready(self) -> subprocess.CompletedProcess[str]:
        return self.agents.run("ready", "--state", str(self.agents.state))

    def says(self, text: str, times: int = 1) -> None:
        until(lambda: self.log.count(text) >= times)

    def commit(self, *frames: p.Frame) -> Stream:
        stream = self.agents.greeted()
        assert stream.commit(*frames, flags=p.COMPLETE) == {}
        return stream

    def end(self, number: int = signal.SIGTERM) -> int:
        os.kill(self.pid, number)
        return self.process.wait(PATIENCE)

    def kill(self) -> None:
        """The container is gone at once, and all that runs in it: only of process 1 does the kernel see to that."""
        process = self.process
        if process.poll() is None and not self.wrapper:
            process.send_signal(signal.SIGSTOP)
            while below := living(process.pid):
                for pid in below:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
        process.kill()
        process.wait()

    def close(self) -> None:
        self.agents.close()
        if self.starts:
            self.kill()
        for process in self.starts:
            assert process.stdin
            process.stdin.close()


@pytest.fixture(params=["process-1", "subreaper"])
def box(request: pytest.FixtureRequest, programs: Path, tmp_path: Path) -> Iterator[Box]:
    wrapper = []
    if request.param == "process-1":
        if os.geteuid() != 0:
            pytest.skip("only root may make process namespaces")
        wrapper = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
    made = Box(Agents(tmp_path, command_of(NATIVE, programs)), wrapper)
    yield made
    made.close()


def test_nothing_runs_before_the_first_complete_commit(box: Box) -> None:
    box.start("sh", "-c", f"echo code $(cat code); {FOREVER}")
    stream = box.agents.greeted()
    assert stream.state(lambda state: state.state == p.WAITS).starts == 0
    assert (box.ready().returncode, box.ready().stdout) == (1, "waits\n")
    assert stream.ask(p.Restart(100), r.Done) == r.Done(0, "")
    assert stream.ask(p.Signal(signal.SIGHUP), r.Done).status != 0
    stream.commit(put("code", b"half"))
    assert box.ready().stdout == "waits\n"
    stream.commit(put("code", b"whole"), flags=p.COMPLETE)
    state = stream.state(lambda state: state.state == p.RUNS)
    assert (state.synced, state.starts) == (1, 1)
    box.says("code whole")
    assert (box.ready().returncode, box.ready().stdout) == (0, "runs\n")
    assert "half" not in box.log


def test_a_container_that_starts_again_has_its_commit(box: Box) -> None:
    box.start("sh", "-c", FOREVER)
    box.commit(put("code")).close()
    box.kill()
    box.start("sh", "-c", f"echo again $(cat code); {FOREVER}")
    box.says("again new")
    assert box.ready().stdout == "runs\n"
    box.kill()
    box.start("sh", "-c", FOREVER, options=("--fresh",))
    assert box.ready().stdout == "waits\n"
    stream = box.agents.open()
    assert stream.hello(box.agents.target).batch_id == 0
    assert stream.rows(p.Record(0)) == {}


def test_after_the_gate_the_images_code_runs_until_a_session_comes(box: Box) -> None:
    (box.agents.target / "code").write_text("image")
    box.start("sh", "-c", f"echo code $(cat code); {FOREVER}", gate=2)
    box.says("code image")
    assert box.ready().stdout == "runs unsynced\n"
    stream = box.commit(put("code", b"session"))
    box.says("code session")
    assert stream.state(lambda state: state.starts == 2 and state.state == p.RUNS).synced == 1
    assert box.ready().stdout == "runs\n"


@pytest.mark.parametrize("code", [0, 1, 7])
def test_the_exit_code_after_a_signal_to_end(box: Box, code: int) -> None:
    box.start("sh", "-c", f"trap 'exit {code}' TERM; echo up; {FOREVER}", gate=0)
    box.says("up")
    assert box.end() == code


def test_a_program_that_a_signal_ends(box: Box) -> None:
    box.start("sleep", "1000", gate=0)
    assert box.end(signal.SIGINT) == 128 + signal.SIGINT


def test_a_program_that_ends_well_ends_the_container(box: Box) -> None:
    box.start("sh", "-c", "exit 0", gate=0)
    assert box.process.wait(PATIENCE) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_end_while_it_waits_ends_it_at_once(box: Box, number: int) -> None:
    box.start("sh", "-c", FOREVER)
    assert box.end(number) == 128 + number


def test_signals_reach_the_program(box: Box) -> None:
    names = ["HUP", "USR1", "USR2", "WINCH", "CONT", "ALRM"]
    traps = "; ".join(f"trap 'echo got {name}' {name}" for name in names)
    box.start("sh", "-c", f"{traps}; echo up; {FOREVER}", gate=0)
    box.says("up")
    for name in names:
        os.kill(box.pid, signal.Signals[f"SIG{name}"])
        box.says(f"got {name}")
    assert box.ready().stdout == "runs unsynced\n"


def test_the_program_has_the_signals_of_any_program(box: Box) -> None:
    box.start("cat", "/proc/self/status", gate=0)
    assert box.process.wait(PATIENCE) == 0
    lines = dict(line.split(":", 1) for line in box.log.splitlines() if line.startswith("Sig"))
    # Signals from 32 on are the C library's own: nobody can set them.
    masks = {name: int(lines[name], 16) & 0x7FFFFFFF for name in ("SigBlk", "SigIgn", "SigCgt")}
    assert masks == {"SigBlk": 0, "SigIgn": 0, "SigCgt": 0}


def test_the_program_reads_what_the_container_is_given(box: Box) -> None:
    box.start("sh", "-c", "read line; echo read $line; pwd; umask", gate=0)
    assert box.process.stdin
    box.process.stdin.write(b"something\n")
    box.process.stdin.close()
    assert box.process.wait(PATIENCE) == 0
    assert box.log.splitlines()[-3:-1] == ["read something", str(box.agents.target)]


TERMINAL = "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)"


def test_the_program_has_the_containers_terminal(box: Box) -> None:
    words = [
        "init",
        "--state",
        str(box.agents.state),
        "--gate",
        "0",
        "--",
        "sh",
        "-c",
        "read line; echo got $line; exit 0",
    ]
    command = [sys.executable, "-c", TERMINAL, *box.wrapper, *(box.agents.command or []), *words]
    done = subprocess.run(command, input="hello\n", capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "got hello")


def test_zombies_are_reaped(box: Box) -> None:
    orphans = "for i in 1 2 3 4 5 6 7 8; do (sleep 0.05 &) ; done"
    box.start("sh", "-c", f"{orphans}; echo up; {FOREVER}", gate=0)
    box.says("up")

    def children() -> list[str]:
        return Path(f"/proc/{box.pid}/task/{box.pid}/children").read_text().split()

    until(lambda: len(children()) == 1)
    (left,) = children()
    assert Path(f"/proc/{left}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def test_a_crash_keeps_the_container_until_the_next_save(box: Box) -> None:
    script = f"code=$(cat code); echo code $code; test $code != bad || exit 3; {FOREVER}"
    # However slow this machine is, the crash comes soon after the save.
    box.start("sh", "-c", script, DEVENV_AGENT_UNIT_MS="60000")
    stream = box.commit(put("code", b"good"))
    box.says("code good")
    stream.commit(put("code", b"bad"))
    stream.ask(p.Restart(1000), r.Done)
    state = stream.state(lambda state: state.state == p.CRASHED)
    assert (state.code, state.starts) == (3, 2)
    box.says("devenv: the program ended with code 3; the next save starts it again\n")
    assert (box.ready().returncode, box.ready().stdout) == (1, "crashed 3 2\n")
    stream.commit(put("code", b"mended"))
    assert stream.ask(p.Restart(1000), r.Done) == r.Done(0, "")
    assert stream.state(lambda state: state.state == p.RUNS).starts == 3
    box.says("code mended")
    time.sleep(0.3)
    assert box.ready().stdout == "runs\n"
    assert box.log.count("code mended") == 1


def test_a_save_without_a_rule_starts_a_crashed_program_too(box: Box) -> None:
    box.start("sh", "-c", f"test -e code || exit 3; {FOREVER}")
    stream = box.commit(put("other"))
    stream.commit(p.MakeDir(0, 0o755, "d"))
    stream.state(lambda state: state.state == p.CRASHED)
    stream.commit(put("code"))
    stream.state(lambda state: state.state == p.RUNS)


def test_a_crash_that_no_save_caused_is_tried_again_five_times(box: Box) -> None:
    box.start("sh", "-c", "echo try; exit 4", gate=0)
    box.says("try", times=6)
    box.says("the program ended with code 4; the next save starts it again\n")
    assert box.log.count("try\n") == 6
    assert box.log.count("is started again in") == 5
    assert box.ready().stdout == "crashed 4 6\n"
    assert box.end() == 128 + signal.SIGTERM


def test_a_database_that_comes_later(box: Box) -> None:
    box.start("sh", "-c", f"test -e ../database || exit 1; echo connected; {FOREVER}", gate=0)
    box.says("is started again in", times=2)
    (box.agents.folder / "database").touch()
    box.says("connected")
    assert box.ready().stdout == "runs unsynced\n"


def test_a_crash_says_by_which_signal(box: Box) -> None:
    box.start("sh", "-c", "kill -SEGV $$", gate=0)
    box.says("the program ended with code 139 (signal 11, SEGV); it is started again in 1 s, or by the next save\n")


def test_a_restart_is_a_new_child(box: Box) -> None:
    box.start("sh", "-c", f"trap 'echo bye; exit 0' TERM; echo start; {FOREVER}", gate=0)
    box.says("start")
    stream = box.agents.greeted()
    first = stream.state(lambda state: state.state == p.RUNS)
    assert stream.ask(p.Restart(5000), r.Done) == r.Done(0, "")
    second = stream.state(lambda state: state.starts == 2)
    assert second.process != first.process
    box.says("start", times=2)
    assert box.log.count("bye") == 1


def test_a_restart_of_a_program_that_does_not_want_to_end(box: Box) -> None:
    script = f"trap '' TERM; sh -c \"trap '' TERM; echo child; {FOREVER}\" & echo start; {FOREVER}"
    box.start("sh", "-c", script, gate=0)
    box.says("child")
    stream = box.agents.greeted()
    first = stream.state(lambda state: state.state == p.RUNS)
    assert stream.ask(p.Restart(200), r.Done) == r.Done(0, "")
    box.says("start", times=2)
    if not box.wrapper:  # else its number says nothing here
        with pytest.raises(ProcessLookupError):
            os.killpg(first.process, 0)
    assert box.ready().returncode == 0


BOMB = """
import os, time
print("start", flush=True)
for _ in range(4):
    os.fork()
while True:
    if os.fork() == 0:
        time.sleep(0.2)
        os._exit(0)
    time.sleep(0.05)
"""


def test_a_restart_ends_a_group_that_goes_on_growing(box: Box) -> None:
    box.start(sys.executable, "-c", BOMB, gate=0)
    box.says("start")
    stream = box.agents.greeted()
    first = stream.state(lambda state: state.state == p.RUNS)
    assert stream.ask(p.Restart(0), r.Done) == r.Done(0, "")
    box.says("start", times=2)
    if not box.wrapper:
        with pytest.raises(ProcessLookupError):
            os.killpg(first.process, 0)
    box.kill()


def test_a_signal_by_a_frame_reaches_the_program(box: Box) -> None:
    box.start("sh", "-c", f"trap 'echo got HUP' HUP; echo up; {FOREVER}", gate=0)
    box.says("up")
    stream = box.agents.greeted()
    assert stream.ask(p.Signal(signal.SIGHUP), r.Done) == r.Done(0, "")
    box.says("got HUP")
    assert stream.ask(p.Signal(99), r.Done).status != 0


def test_a_signal_to_end_in_the_midst_of_a_restart(box: Box) -> None:
    box.start("sh", "-c", f"trap 'echo term; sleep 0.5; exit 6' TERM; echo up; {FOREVER}", gate=0)
    box.says("up")
    stream = box.agents.greeted()
    stream.send(p.Restart(60_000))
    box.says("term")
    assert box.end() == 6
    assert box.log.count("up") == 1


def test_a_program_that_is_not_there_is_a_fault_of_the_configuration(box: Box) -> None:
    box.start("no-such-program", "x", gate=0, PATH="/usr/bin:/bin")
    assert box.process.wait(PATIENCE) == 127
    assert "devenv: no-such-program was not found in PATH=/usr/bin:/bin\n" in box.log
    box.start("/no/such", gate=0)
    assert box.process.wait(PATIENCE) == 127
    assert "devenv: /no/such does not exist" in box.log
    (box.agents.target / "text").write_text("no program")
    box.start("./text", gate=0)
    assert box.process.wait(PATIENCE) == 126
    assert "devenv: ./text can't be run: Permission denied\n" in box.log
    (box.agents.target / "text").chmod(0o755)
    box.start("./text", gate=0)
    assert box.process.wait(PATIENCE) == 126
    assert "./text is no program for this machine" in box.log


def test_a_program_that_a_save_takes_away_comes_back_with_the_next(box: Box) -> None:
    script = f"#!/bin/sh\necho up\n{FOREVER}\n".encode()
    box.start("./run.sh")
    stream = box.commit(put("run.sh", script, mode=0o755))
    box.says("up")
    stream.commit(p.Delete(0, ord("f"), "run.sh"))
    assert stream.ask(p.Restart(1000), r.Done).status == 2
    assert stream.state(lambda state: state.state == p.CRASHED).code == 127
    stream.commit(put("run.sh", script, mode=0o755))
    assert stream.ask(p.Restart(1000), r.Done).status == 0
    box.says("up", times=2)


def test_streams_come_and_go_and_the_program_runs_on(box: Box) -> None:
    box.start("sh", "-c", f"echo up; {FOREVER}", gate=0)
    for _ in range(scaled(10, full=200)):
        stream = box.agents.greeted()
        assert stream.state(lambda state: state.state == p.RUNS).starts == 1
        stream.close()
    assert box.ready().returncode == 0
    assert box.log.count("up") == 1
