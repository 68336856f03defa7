from __future__ import annotations

import socket
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from devenv.errors import ClusterError
from devenv.session.control import ControlServer, Message, checked, find_session


def fail(request: Message) -> Message:
    raise ValueError("broken")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "s.sock"


@pytest.fixture
def server(path: Path) -> Iterator[ControlServer]:
    server = ControlServer(path, {"echo": lambda request: {"said": request["text"]}, "fail": fail})
    yield server
    server.close()


def test_an_answer_comes_back(server: ControlServer, path: Path) -> None:
    client = find_session(path)
    assert client
    assert client.ask("echo", text="ä\n") == {"ok": True, "version": 1, "said": "ä\n"}
    assert client.ask("echo", text="again")["said"] == "again"
    client.close()


def test_what_fails_is_told_and_the_session_goes_on(server: ControlServer, path: Path) -> None:
    client = find_session(path)
    assert client
    assert client.ask("fail") == {"ok": False, "error": "broken"}
    assert client.ask("nonsense")["ok"] is False
    assert client.ask("echo", text="x")["ok"]
    client.close()


def test_only_the_user_may_use_the_socket(server: ControlServer, path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_no_session_is_none(path: Path) -> None:
    assert find_session(path) is None


def test_a_dead_socket_is_removed(path: Path) -> None:
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(path))
    dead.close()
    assert find_session(path) is None
    assert not path.exists()


def test_closing_removes_the_socket(server: ControlServer, path: Path) -> None:
    server.close()
    assert not path.exists()


def test_a_session_that_ends_while_asked_is_no_traceback(path: Path) -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    threading.Thread(target=lambda: listener.accept()[0].close(), daemon=True).start()
    client = find_session(path)
    assert client
    assert client.ask("status")["ok"] is False
    client.close()
    listener.close()


def test_who_looks_while_it_starts_meets_no_dead_socket(path: Path) -> None:
    stop = threading.Event()
    seen: list[bool] = []

    def look() -> None:
        while not stop.is_set():
            client = find_session(path)
            seen.append(client is not None)
            if client:
                client.close()

    lookers = [threading.Thread(target=look) for _ in range(3)]
    for looker in lookers:
        looker.start()
    for _ in range(50):
        server = ControlServer(path, {})
        assert path.exists()
        server.close()
    stop.set()
    for looker in lookers:
        looker.join()
    assert True in seen


def test_an_answer_without_a_known_error_is_a_session_that_was_lost() -> None:
    assert checked({"ok": True, "x": 1})["x"] == 1
    with pytest.raises(ClusterError, match="no such request") as caught:
        checked({"ok": False, "error": "no such request: forward-list"})
    assert caught.value.code == "session-lost"
