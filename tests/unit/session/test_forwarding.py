from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from devenv.errors import ClusterError
from devenv.problems import API_FAILED
from devenv.session.forwards.forwarding import Forwarder, Target
from devenv.session.forwards.local_ports import Remembered


class FakeTunnel:
    """Answers each request with its upper case, once or again and again, or ends unanswered where the pod refuses."""

    def __init__(self, *, refuses: bool = False, once: bool = False) -> None:
        self._once = once
        self._answers: list[bytes] = []
        self._ready = threading.Condition()
        self._closed = refuses

    def send(self, data: bytes) -> None:
        with self._ready:
            self._answers.append(data.upper())
            self._ready.notify_all()

    def receive(self) -> bytes:
        with self._ready:
            while not self._closed and not self._answers:
                self._ready.wait(10)
            if self._closed:
                return b""
            self._closed = self._once
            return self._answers.pop(0)

    def close(self) -> None:
        with self._ready:
            self._closed = True
            self._ready.notify_all()


class FakePods:
    def __init__(self, tunnels: Sequence[FakeTunnel]) -> None:
        self.tunnels = list(tunnels)
        self.calls: list[tuple[str, str, int]] = []
        self.failures: list[ClusterError] = []

    def forward(self, namespace: str, pod: str, port: int) -> FakeTunnel:
        self.calls.append((namespace, pod, port))
        if self.failures:
            raise self.failures.pop(0)
        return self.tunnels.pop(0)

    exec: Any = None
    logs: Any = None


class Case:
    def __init__(self) -> None:
        self.stop = threading.Event()
        self.settled: list[str] = []
        self.told: list[str] = []
        self.forwarders: list[Forwarder] = []

    def start(self, *tunnels: FakeTunnel, pod: str | None = "orders-1") -> tuple[FakePods, int]:
        pods = FakePods(tunnels)
        forwarder = self.forwarder(pods, pod=pod)
        (forward,) = forwarder.open("orders", [("http", free_port())])
        return pods, forward.local

    def forwarder(
        self, pods: FakePods, *, pod: str | None = "orders-1", remembered: Remembered | None = None
    ) -> Forwarder:
        forwarder = Forwarder(
            pods,
            "shop",
            find_pod=lambda unit, timeout: pod,
            settle=self.settled.append,
            stop=self.stop,
            tell=self.told.append,
            remembered=remembered,
        )
        self.forwarders.append(forwarder)
        return forwarder


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ask(port: int, text: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(text)
        try:
            return connection.recv(100)
        except ConnectionResetError:  # what was sent and never read makes the end a reset
            return b""


@pytest.fixture
def case() -> Iterator[Case]:
    case = Case()
    yield case
    case.stop.set()
    for forwarder in case.forwarders:
        forwarder.close()


def test_bytes_go_both_ways_after_settling(case: Case) -> None:
    pods, port = case.start(FakeTunnel())
    assert ask(port, b"hello") == b"HELLO"
    assert case.settled == ["orders"]
    assert pods.calls[0][:2] == ("shop", "orders-1")


def test_an_answer_that_ends_with_its_connection_ends_for_the_client_too(case: Case) -> None:
    _, port = case.start(FakeTunnel(once=True))
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(b"hello")
        assert connection.recv(100) == b"HELLO"
        assert connection.recv(100) == b""


def test_a_program_that_restarts_is_asked_again_with_the_same_bytes(case: Case) -> None:
    pods, port = case.start(FakeTunnel(refuses=True), FakeTunnel(refuses=True), FakeTunnel())
    assert ask(port, b"hello") == b"HELLO"
    assert len(pods.calls) == 3


def test_without_a_pod_the_connection_ends(case: Case) -> None:
    _, port = case.start(pod=None)
    assert ask(port, b"hello") == b""


def test_a_taken_port_moves_to_the_next_free_one(case: Case) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        taken = holder.getsockname()[1]
        (forward,) = case.forwarder(FakePods([])).open("orders", [("http", taken)])
    assert forward.port == taken
    assert forward.local != taken


def test_a_connection_waits_while_the_api_server_is_away(case: Case) -> None:
    pods, port = case.start(FakeTunnel(), FakeTunnel(), FakeTunnel())
    pods.failures += [ClusterError(API_FAILED, action="forward", reason="away") for _ in range(2)]
    assert ask(port, b"hello") == b"HELLO"
    assert case.settled == ["orders"], "it was one connection"


def test_the_next_session_takes_the_same_port_again(case: Case, tmp_path: Path) -> None:
    remembered = tmp_path / "shop.ports"
    wanted = free_port()
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", wanted))
        holder.listen()
        first = case.forwarder(FakePods([]), remembered=Remembered(remembered))
        (moved,) = first.open("orders", [("http", wanted)])
        first.close()
    (again,) = case.forwarder(FakePods([]), remembered=Remembered(remembered)).open("orders", [("http", wanted)])
    assert again == moved
    assert again.local != wanted


def test_a_stopped_forward_listens_no_longer_and_is_forgotten(case: Case, tmp_path: Path) -> None:
    remembered = tmp_path / "shop.ports"
    forwarder = case.forwarder(FakePods([]), remembered=Remembered(remembered))
    forward = forwarder.add(Target("postgres", "sql", 5432, "postgres", 5432), free_port(), added=True)
    assert Remembered(remembered).added() == [forward]
    forwarder.end(forward)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", forward.local), timeout=5)
    assert forwarder.forwards == Remembered(remembered).added() == []


def test_a_broken_memory_is_no_memory(tmp_path: Path) -> None:
    for text in ("", "{", "3", '[{"unit": 1}]', "[7]"):
        (tmp_path / "x.ports").write_text(text)
        assert Remembered(tmp_path / "x.ports").added() == []
