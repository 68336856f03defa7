"""What people see of a session on the real cluster, and what it survives. The last test takes its environment down."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest

from devenv.session.control import checked, find_session
from tests.cluster.conftest import Project, make_project
from tests.conftest import CLUSTER, Done, Machine

pytestmark = pytest.mark.cluster

NODE = f"{CLUSTER}-control-plane"
SOURCE = "web/src/web.py"


@dataclass(frozen=True)
class HandOver:
    """A session in a terminal, a second one that was refused, a third in the background that took over."""

    project: Project
    first: Done
    pid: int
    refused: Done
    third: Done


@pytest.fixture(scope="module")
def hand_over(machine: Machine, cluster: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HandOver]:
    project = make_project(machine, tmp_path_factory.mktemp("session") / "p", "session")
    first = machine.popen("up", cwd=project.folder)
    said = lines_of(first, "stderr", until="session is up")
    refused = project.devenv("up")
    third = project.devenv("up", "-d", "--take-over")
    out, err = first.communicate(timeout=20)
    yield HandOver(project, Done(first.returncode, out, said + err), first.pid, refused, third)
    # The last test took it down; nobody waits for what is left of it.
    machine.run("kubectl", "delete", "namespace", project.name, "--wait=false")


@dataclass
class Life:
    """A session's life: the local ports that lead to web and redis, and how often something was saved."""

    project: Project
    web: int = 0
    redis: int = 0
    saves: int = 0

    def goes_on(self) -> None:
        """A save is visible through the same port as ever, and so is the dependency."""
        self.saves += 1
        self.save(f"save {self.saves}")
        deadline = time.monotonic() + 60
        while self.greeting() != f"save {self.saves}":
            assert time.monotonic() < deadline, self.log()
        assert ping(self.redis) == b"+PONG\r\n"

    def save(self, greeting: str) -> None:
        """Let web greet in another way."""
        text = (self.project.folder / SOURCE).read_text()
        line = next(line for line in text.splitlines() if line.startswith("GREETING"))
        self.project.edit(SOURCE, line, f'GREETING = "{greeting}"')

    def greeting(self) -> str | None:
        """What web greets with; None where it can't be asked right now."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.web}/greeting", timeout=40) as answer:
                return str(answer.read().decode())
        except (OSError, HTTPException):
            return None

    def ask(self, op: str, **parameters: Any) -> Any:
        """Ask the session itself."""
        (path,) = Path(self.project.machine.env["XDG_RUNTIME_DIR"]).glob(f"devenv/*-{self.project.name}.sock")
        client = find_session(path)
        assert client
        answer = checked(client.ask(op, **parameters))
        client.close()
        return answer

    def pid(self) -> int:
        """The session's process."""
        return int(self.ask("status")["pid"])

    def log(self) -> str:
        """What sessions have said so far."""
        (path,) = Path(self.project.machine.env["XDG_STATE_HOME"]).glob(f"devenv/log/????????-{self.project.name}.log")
        return path.read_text()


@pytest.fixture(scope="module")
def life(hand_over: HandOver) -> Life:
    """The session with the ports that must stay the same through all tests."""
    life = Life(hand_over.project)
    life.redis = life.ask("forward-add", name="redis", local=0)["forward"]["local"]
    life.web = {one["unit"]: one["local"] for one in life.ask("forward-list")["forwards"]}["web"]
    return life


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ping(port: int) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as redis:
        redis.sendall(b"PING\r\n")
        return redis.recv(100)


def lines_of(process: subprocess.Popen[str], stream: str, *, until: str) -> str:
    """What a running command says, up to a line in which something is."""
    said = ""
    pipe = getattr(process, stream)
    while until not in said:
        line = pipe.readline()
        assert line, said
        said += line
    return said


def docker(*arguments: str) -> None:
    subprocess.run(["docker", *arguments], check=True, capture_output=True)


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that nobody has asked for its end has no command line."""
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_text())
    except OSError:
        return False


def test_s15_a_second_session_is_told_who_holds_it_and_may_take_over(hand_over: HandOver) -> None:
    refused, first = hand_over.refused, hand_over.first
    assert (refused.code, "[session-runs]" in refused.err) == (15, True), refused.text
    assert f"(process {hand_over.pid}, " in refused.err
    assert f"cluster {CLUSTER}" not in refused.err, "no step was done"
    assert hand_over.third.code == 0, hand_over.third.text
    assert (first.code, "taken over by " in first.err, "[session-taken]" in first.err) == (15, True, True), first.text
    assert "redis    |" not in first.out, "what dependencies say while they start is not shown"


def test_a_dependency_is_forwarded_listed_and_stopped(life: Life) -> None:
    live, port = life.project, free_port()
    done = live.devenv("forward", "add", "payments", f"{port}:http")
    assert (done.code, f"http://payments.localhost:{port} leads to payments:8080" in done.err) == (0, True), done.text
    # Not every resolver knows names below localhost.
    asked = urllib.request.Request(f"http://127.0.0.1:{port}/charge", headers={"Host": f"payments.localhost:{port}"})
    with urllib.request.urlopen(asked, timeout=20) as answer:
        assert b"charged" in answer.read()
    listed = live.devenv("forward", "ls").out
    assert all(text in listed for text in ("redis     6379 (redis)", "pod/redis-", "web       8600 (http)")), listed
    missed = live.devenv("forward", "add", "rdis")
    assert (missed.code, 'did you mean "redis"' in missed.err) == (2, True), missed.text
    assert [one["local"] for one in live.json("forward", "stop", "payments")] == [port]
    with pytest.raises(ConnectionRefusedError):
        ping(port)


def test_who_attaches_sees_what_the_session_says_and_leaves_it_alone(life: Life) -> None:
    attached = life.project.machine.popen("attach", cwd=life.project.folder)
    assert "in the background" in lines_of(attached, "stderr", until="leaves it alone")
    life.goes_on()
    lines_of(attached, "stderr", until="to web in")
    lines_of(attached, "stdout", until="web      | request /greeting")
    attached.send_signal(signal.SIGINT)
    _, said = attached.communicate(timeout=20)
    assert (attached.returncode, "the session goes on" in said) == (0, True), said
    life.goes_on()


def test_what_is_not_as_wanted_in_time_is_told_with_its_reason(life: Life) -> None:
    live = life.project
    live.kubectl("set", "image", "deploy/redis", "redis=localhost:1/nothing:of-that-name")
    done = live.devenv("wait", "--timeout", "1s")
    live.kubectl("rollout", "undo", "deploy/redis")
    assert (done.code, "[wait-timeout]" in done.err, "redis: " in done.err) == (13, True, True), done.text
    healthy = live.json("wait", "--for", "healthy")
    assert {(unit["name"], unit["done"]) for unit in healthy["units"]} >= {("redis", True), ("web", True)}


def test_s14_a_session_that_was_killed_comes_back_with_its_ports_and_what_was_saved(life: Life) -> None:
    live, other = life.project, free_port()
    os.kill(life.pid(), signal.SIGKILL)
    life.save("saved meanwhile")
    gone = live.devenv("forward", "ls")
    assert (gone.code, "[no-session]" in gone.err) == (12, True), gone.text
    with alone(live, other):
        assert ping(other) == b"+PONG\r\n"
    assert live.devenv("up", "-d").code == 0
    assert life.greeting() == "saved meanwhile"
    life.goes_on()


@contextmanager
def alone(project: Project, port: int) -> Iterator[None]:
    """While entered, a forward to redis without a session; it ends at Ctrl-C."""
    process = project.machine.popen("forward", "add", "redis", f"{port}:redis", cwd=project.folder)
    assert process.stderr
    assert f"127.0.0.1:{port} leads to redis:6379" in process.stderr.readline()
    yield
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert (process.returncode, "the forward ended" in said) == (0, True), said


def test_s14_three_replicas_and_one_again(life: Life) -> None:
    live = life.project
    live.kubectl("scale", "deploy/web", "--replicas=3")
    live.kubectl("rollout", "status", "deploy/web")
    life.goes_on()
    life.ask("wait-synced", service="web")
    pods = live.kubectl("get", "pods", "-l", "dev.devenv/unit=web", "-o", "name").split()
    assert len(pods) == 3
    for pod in pods:
        assert f"save {life.saves}" in live.kubectl("exec", pod, "--", "cat", f"/app/{SOURCE.removeprefix('web/')}")
    live.kubectl("scale", "deploy/web", "--replicas=1")
    life.goes_on()


def test_s14_asleep_while_files_change_a_pod_is_replaced_and_kubectl_turns_elsewhere(life: Life, cluster: str) -> None:
    live, pid, before = life.project, life.pid(), len(life.log())
    os.kill(pid, signal.SIGSTOP)
    life.save("asleep")
    live.write("web/src/new.py", "made while asleep\n")
    live.kubectl("delete", "pod", "-l", "dev.devenv/unit=web", "--wait=false")
    with elsewhere(live.machine, cluster):
        time.sleep(3)
        os.kill(pid, signal.SIGCONT)
        life.goes_on()
    assert live.kubectl("exec", "deploy/web", "--", "cat", "/app/src/new.py") == "made while asleep\n"
    assert life.pid() == pid
    said = life.log()[before:]
    assert said.count("web: its forward lost the pod; waiting") == said.count("web: forward is back (pod/web-") <= 1


@contextmanager
def elsewhere(machine: Machine, cluster: str) -> Iterator[None]:
    """While entered, kubectl's context is one that leads nowhere."""
    machine.run("kubectl", "config", "set-context", "elsewhere", "--cluster", "nothing", "--user", "nobody")
    assert machine.run("kubectl", "config", "use-context", "elsewhere").code == 0
    yield
    assert machine.run("kubectl", "config", "use-context", cluster).code == 0
    assert machine.run("kubectl", "config", "delete-context", "elsewhere").code == 0


def test_s14_the_api_server_restarts(life: Life) -> None:
    pid = life.pid()
    docker("exec", NODE, "sh", "-c", "kill -9 $(pidof kube-apiserver)")
    life.goes_on()
    assert life.pid() == pid


def test_s14_the_cluster_restarts(life: Life) -> None:
    assert life.project.devenv("wait", "--for", "healthy", "web", "redis").code == 0
    pid, before = life.pid(), len(life.log())
    docker("stop", "--time", "1", NODE)
    life.save("while it was down")
    docker("start", NODE)
    life.goes_on()
    assert life.project.devenv("wait", "--for", "healthy", "web", "redis").code == 0
    assert life.pid() == pid
    said = life.log()[before:]
    told = ["lost" in line for line in said.splitlines() if " web: " in line and "forward" in line]
    # A node that starts says at first what was so before it stopped: it may be lost and back once more.
    assert told in ([True, False], [True, False, True, False]), said


def test_down_ends_it(life: Life) -> None:
    pid = life.pid()
    done = life.project.devenv("down")
    assert done.code == 0, done.text
    deadline = time.monotonic() + 10
    while is_alive(pid):
        assert time.monotonic() < deadline
    assert "ended by " in life.log().splitlines()[-1]
    with pytest.raises(ConnectionRefusedError):
        ping(life.redis)
