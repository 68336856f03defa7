from __future__ import annotations

import json
import threading
from collections.abc import Iterator

import pytest

from devenv.errors import ClusterError
from devenv.kube.exec import MESSAGE, KubeExec, read_status
from devenv.kube.frames import BINARY, CLOSE, PING, PONG
from tests.unit.kube.servers import PATIENCE, Server

SUCCESS = json.dumps({"kind": "Status", "status": "Success"}).encode()
STARTING = "Internal error occurred: failed to exec in container: failed to start exec: "


def failure(message: str, *, code: str | None = None) -> bytes:
    causes = [{"reason": "ExitCode", "message": code}] if code else []
    return json.dumps({"status": "Failure", "message": message, "details": {"causes": causes}}).encode()


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


def read_all(stream: KubeExec) -> tuple[bytes, bytes]:
    out, err = b"", b""
    while (read := stream.read(PATIENCE)) is not None:
        out, err = out + read[0], err + read[1]
    return out, err


def test_streams_and_exit_code(server: Server) -> None:
    stream = KubeExec(server.line, pod="orders-1")
    for message in (b"\1", b"\2", b"\1one ", b"\2oops", b"\1two", b"\3" + failure("exit", code="7")):
        server.send(message)
    server.hang_up()
    assert read_all(stream) == (b"one two", b"oops")
    assert stream.returncode() == 7


def test_what_comes_is_there_at_once_and_nothing_is_nothing(server: Server) -> None:
    stream = KubeExec(server.line, pod="orders-1")
    assert stream.read(0) == (b"", b"")
    server.send(b"\1x")
    assert stream.read(PATIENCE) == (b"x", b"")
    stream.close()


def test_a_lost_connection_has_no_exit_code(server: Server) -> None:
    stream = KubeExec(server.line, pod="orders-1")
    server.send(b"\1half")
    server.close()
    assert read_all(stream) == (b"half", b"")
    assert stream.returncode() is None
    with pytest.raises(ClusterError, match="write to pod/orders-1: the connection has ended"):
        stream.write(b"x")


def test_stdin_goes_out_in_order_in_small_messages(server: Server) -> None:
    stream = KubeExec(server.line, pod="orders-1")
    data = bytes(range(256)) * 1024
    stream.write(data)
    stream.close_stdin()
    got = b""
    while (message := server.receive()[1])[0] == 0:
        assert len(message) <= MESSAGE + 1
        got += message[1:]
    assert got == data
    assert message == b"\xff\0"
    stream.resize(rows=24, columns=80)
    assert server.receive() == (BINARY, b'\4{"Width": 80, "Height": 24}')
    stream.close()


def test_an_older_server_can_not_end_stdin() -> None:
    server = Server("v4.channel.k8s.io")
    stream = KubeExec(server.line, pod="orders-1")
    with pytest.raises(ClusterError, match=r"1\.30"):
        stream.close_stdin()
    stream.close()
    assert read_all(stream) == (b"", b"")
    server.close()


def test_a_ping_is_answered_and_closing_says_so(server: Server) -> None:
    stream = KubeExec(server.line, pod="orders-1")
    server.send(b"hello", PING)
    assert server.receive() == (PONG, b"hello")
    stream.write(b"last words")
    stream.close()
    stream.close()
    assert server.receive() == (BINARY, b"\0last words")
    assert server.receive()[0] == CLOSE
    assert read_all(stream) == (b"", b"")


def test_a_server_that_forgets_to_hang_up(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devenv.kube.exec.END_SECONDS", 0.01)
    stream = KubeExec(server.line, pod="orders-1")
    server.send(b"\3" + SUCCESS)
    assert read_all(stream) == (b"", b"")
    assert stream.returncode() == 0


def test_both_ways_at_once_though_nobody_reads_yet(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devenv.kube.exec.LIMIT", 10_000)
    stream = KubeExec(server.line, pod="orders-1")
    size = 4 * 1024 * 1024

    def talk() -> None:
        for _ in range(size // MESSAGE):
            server.send(b"\1" + bytes(MESSAGE))
        server.send(b"\3" + SUCCESS)
        server.hang_up()

    speaker = threading.Thread(target=talk)
    speaker.start()
    assert len(read_all(stream)[0]) == size
    speaker.join(PATIENCE)


def test_a_writer_that_waits_for_room_is_told_of_the_end(server: Server) -> None:
    stream = KubeExec(server.line, pod="orders-1")
    errors: list[ClusterError] = []

    def write() -> None:
        try:
            stream.write(bytes(32 * 1024 * 1024))
        except ClusterError as error:
            errors.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    server.receive()
    server.close()
    writer.join(PATIENCE)
    assert len(errors) == 1


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (b"", None, ""),
        (SUCCESS, 0, ""),
        (failure("command terminated with exit code 3", code="3"), 3, ""),
        (failure(STARTING + 'exec: "x": executable file not found in $PATH'), 127, "executable file not found"),
        (failure(STARTING + 'exec: "/x": stat /x: no such file or directory'), 127, "no such file"),
        (failure(STARTING + 'exec: "/x": permission denied'), 126, "permission denied"),
        (failure('unable to upgrade connection: container not found ("x")'), None, "container not found"),
        (failure("odd", code="many"), None, "odd"),
        (b"not json", None, "not json"),
        (b'{"details": 1}', None, "details"),
    ],
)
def test_the_status_that_ends_a_command(status: bytes, code: int | None, said: str) -> None:
    found, message = read_status(status)
    assert found == code
    assert said in message
    assert bool(said) == bool(message)


def test_why_a_command_did_not_start_is_said_on_stderr(server: Server) -> None:
    stream = KubeExec(server.line, pod="orders-1")
    server.send(b"\3" + failure(STARTING + 'exec: "x": executable file not found in $PATH'))
    server.hang_up()
    assert b"executable file not found" in read_all(stream)[1]
    assert stream.returncode() == 127
