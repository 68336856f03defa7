from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from devenv.host.network import LocalNetwork


@pytest.fixture
def network() -> LocalNetwork:
    return LocalNetwork()


def test_who_holds_a_port(network: LocalNetwork) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        found = network.holder(port)
        assert found
        assert (f"process {os.getpid()} " in found.text, found.folder) == (True, Path.cwd())
        assert list(found.argv) == Path("/proc/self/cmdline").read_text().rstrip("\0").split("\0")
    assert network.holder(port) is None


def test_a_holder_that_can_not_be_seen(tmp_path: Path) -> None:
    (tmp_path / "net").mkdir()
    row = f"   0: 0100007F:1F40 00000000:0000 0A {'0:0':>17} {'0:0':>11} 0 0 0 77 1 0 100 0 0 10 0\n"
    (tmp_path / "net/tcp").write_text(f"  sl  local_address rem_address   st\n{row}")
    found = LocalNetwork(proc=tmp_path).holder(8000)
    assert found
    assert (found.text, found.argv) == ("another program", ())


def test_sockets_that_are_listened_on(network: LocalNetwork, tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        assert network.listens(path) is True
    assert (path.exists(), network.listens(path), network.listens(tmp_path / "none")) == (True, False, False)


def test_names(network: LocalNetwork) -> None:
    assert set(network.resolve("localhost")) <= {"127.0.0.1", "::1"}
    assert network.resolve("a..b") == []


class Refusing(BaseHTTPRequestHandler):
    """Answers as a registry does whom nobody logged in at."""

    def do_HEAD(self) -> None:  # noqa: N802 - the server's word
        self.send_response_only(401)
        self.send_header("Date", "Tue, 24 Nov 2020 08:00:00 GMT")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Refusing)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_server_tells_its_time(network: LocalNetwork, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    answer = network.fetch(f"{server}/v2/")
    assert (answer.status, (answer.ahead or 0) > 1e8) == (401, True)


def test_a_server_that_is_not_there(network: LocalNetwork, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    with pytest.raises(OSError, match="refused"):
        network.fetch("http://127.0.0.1:9/v2/")
