"""What people see of a session on the real cluster, and what it survives."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.cluster.conftest import Project, make_project
from tests.conftest import Machine

pytestmark = pytest.mark.cluster

SOURCE = "web/src/web.py"


@pytest.fixture(scope="module")
def live(machine: Machine, cluster: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The small project with a session in the background."""
    project = make_project(machine, tmp_path_factory.mktemp("session") / "p", "session")
    done = project.devenv("up", "-d")
    assert done.code == 0, done.text
    yield project
    project.devenv("down", "--volumes")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ping(port: int) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as redis:
        redis.sendall(b"PING\r\n")
        return redis.recv(100)


def test_a_dependency_is_forwarded_listed_and_stopped(live: Project) -> None:
    port = free_port()
    done = live.devenv("forward", "add", "redis", f"{port}:6379")
    assert (done.code, f"127.0.0.1:{port} leads to redis:6379" in done.err) == (0, True), done.text
    assert ping(port) == b"+PONG\r\n"
    listed = {entry["unit"]: entry for entry in live.json("forward", "ls")}
    assert (listed["redis"]["local"], listed["redis"]["state"], listed["web"]["added"]) == (port, "up", False)
    assert "redis  6379" in live.devenv("forward", "ls").out
    missed = live.devenv("forward", "add", "rdis")
    assert (missed.code, 'did you mean "redis"' in missed.err) == (2, True), missed.text
    assert [entry["local"] for entry in live.json("forward", "stop", "redis")] == [port]
    with pytest.raises(ConnectionRefusedError):
        ping(port)


def greet(project: Project, greeting: str) -> None:
    """Save another greeting; the next request must meet it."""
    text = (project.folder / SOURCE).read_text()
    line = next(line for line in text.splitlines() if line.startswith("GREETING"))
    project.edit(SOURCE, line, f'GREETING = "{greeting}"')


def test_a_session_that_was_killed_comes_back_with_its_ports_and_what_was_saved(live: Project) -> None:
    port, other = free_port(), free_port()
    assert live.devenv("forward", "add", "redis", f"{port}:6379").code == 0
    before = live.devenv("url", "web").out
    os.kill(live.json("status")["session"]["pid"], signal.SIGKILL)
    greet(live, "saved meanwhile")
    gone = live.devenv("forward", "ls")
    assert (gone.code, "[no-session]" in gone.err) == (12, True), gone.text
    with alone(live, other):
        assert ping(other) == b"+PONG\r\n"
    assert live.devenv("up", "-d").code == 0
    assert live.devenv("url", "web").out == before
    assert live.ask()["greeting"] == "saved meanwhile"
    assert ping(port) == b"+PONG\r\n"


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


def lines_of(process: subprocess.Popen[str], stream: str, *, until: str) -> str:
    """What a running command says, up to a line in which something is."""
    said = ""
    pipe = getattr(process, stream)
    while until not in said:
        line = pipe.readline()
        assert line, said
        said += line
    return said


def test_who_attaches_sees_what_the_session_says_and_leaves_it_alone(live: Project) -> None:
    attached = live.machine.popen("attach", cwd=live.folder)
    first = lines_of(attached, "stderr", until="leaves it alone")
    assert "in the background" in first
    greet(live, "to who is attached")
    lines_of(attached, "stderr", until="to web in")
    live.ask()
    lines_of(attached, "stdout", until="web      | request /")
    attached.send_signal(signal.SIGINT)
    _, said = attached.communicate(timeout=20)
    assert (attached.returncode, "the session goes on" in said) == (0, True), said
    assert live.json("wait", "--for", "healthy", "--timeout", "30s")["wanted"] == "healthy"


def test_what_is_not_as_wanted_in_time_is_told_with_its_reason(live: Project) -> None:
    live.kubectl("set", "image", "deploy/redis", "redis=localhost:1/nothing:of-that-name")
    done = live.devenv("wait", "--timeout", "2s")
    assert (done.code, "[wait-timeout]" in done.err, "redis: " in done.err) == (13, True, True), done.text
    assert live.devenv("wait", "--timeout", "2s", "web").code == 0
    live.kubectl("rollout", "undo", "deploy/redis")
    assert {unit["name"] for unit in live.json("wait")["units"]} == {"redis", "payments", "web"}


def test_a_second_session_is_told_who_holds_it_and_may_take_over(live: Project) -> None:
    first = live.machine.popen("up", cwd=live.folder)
    lines_of(first, "stderr", until="session is up")
    refused = live.devenv("up")
    assert (refused.code, "[session-runs]" in refused.err) == (15, True), refused.text
    assert f"(process {first.pid}, " in refused.err
    assert "cluster" not in refused.err, "no step was done"
    second = live.machine.popen("up", "--take-over", cwd=live.folder)
    lines_of(second, "stderr", until="session is up")
    _, said = first.communicate(timeout=20)
    assert (first.returncode, f"taken over by {os.environ.get('USER', 'root')}@" in said) == (15, True), said
    assert "[session-taken]" in said
    greet(live, "in the second terminal")
    assert live.ask()["greeting"] == "in the second terminal"
    second.send_signal(signal.SIGINT)
    _, said = second.communicate(timeout=20)
    assert (second.returncode, "stays up" in said) == (0, True), said
    assert live.devenv("up", "-d").code == 0
