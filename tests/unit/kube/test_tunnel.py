from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from devenv.kube.frames import BINARY, CLOSE
from devenv.kube.tunnel import KubeTunnel
from tests.unit.kube.servers import PATIENCE, Server

PORT = (8080).to_bytes(2, "little")


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server("v4.channel.k8s.io")
    server.send(b"\0" + PORT)
    server.send(b"\1" + PORT)
    yield server
    server.close()


def test_bytes_go_both_ways(server: Server) -> None:
    tunnel = KubeTunnel(server.line)
    tunnel.send(b"ping")
    assert server.receive() == (BINARY, b"\0ping")
    server.send(b"\0pong")
    assert tunnel.receive() == b"pong"
    server.hang_up()
    assert tunnel.receive() == b""
    assert tunnel.error == ""
    with pytest.raises(OSError, match="ended"):
        tunnel.send(b"x")


def test_an_error_ends_it_and_is_kept(server: Server) -> None:
    tunnel = KubeTunnel(server.line)
    server.send(b"\0last")
    server.send(b"\1connection\n refused")
    assert server.receive()[0] == CLOSE
    assert tunnel.receive() == b"last"
    assert tunnel.receive() == b""
    assert tunnel.error == "connection refused"


def test_closing_ends_a_receive_that_waits(server: Server) -> None:
    tunnel = KubeTunnel(server.line)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(tunnel.receive()))
    reader.start()
    tunnel.close()
    reader.join(PATIENCE)
    assert got == [b""]


def test_what_came_before_it_was_made_is_not_missed() -> None:
    for _ in range(50):
        server = Server("v4.channel.k8s.io")
        server.send(b"\0" + PORT)
        server.send(b"\1" + PORT + b"refused")
        server.hang_up()
        tunnel = KubeTunnel(server.line)
        assert tunnel.receive() == b""
        assert tunnel.error == "refused"
