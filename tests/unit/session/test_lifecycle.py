from __future__ import annotations

import sys
from pathlib import Path

import pytest

from devenv.config.model import Environment
from devenv.errors import Refused, ToolError
from devenv.flows.world import World
from devenv.session.control import ControlServer, socket_path
from devenv.session.lifecycle import describe_session, end_all_sessions, end_session
from devenv.session.live import fingerprint
from devenv.session.start import Start, Started, Starting
from tests.fakes.world import FakeKube, FakeProcesses, fake_world


def start_session(start: Start, kube: FakeKube, world: World) -> Started:
    starting = Starting(start, world)
    starting.begin(kube)
    return starting.finish()


FORWARDS = [{"unit": "orders", "name": "http", "port": 8000, "local": 8000}]


def environment(root: Path, name: str = "shop") -> Environment:
    return Environment(name, root, "default", {}, {})


class LiveSession:
    """A session that answers, in this process."""

    def __init__(self, tmp_path: Path, *, fingerprint: str, foreground: bool = False) -> None:
        self.asked: list[str] = []
        self._about = {"pid": 4711, "fingerprint": fingerprint, "foreground": foreground, "forwards": FORWARDS}
        handlers = {op: self._answer for op in ("status", "ready", "stop")}
        self.server = ControlServer(socket_path(tmp_path, "0123456789", "shop"), handlers)

    def _answer(self, request: dict[str, object]) -> dict[str, object]:
        self.asked.append(str(request["op"]))
        if request["op"] == "stop":
            self.server.close()
        return dict(self._about)


def test_a_session_of_the_same_environment_is_kept(tmp_path: Path) -> None:
    live = LiveSession(tmp_path, fingerprint=fingerprint(environment(tmp_path)))
    world = fake_world(tmp_path, FakeKube(), processes=FakeProcesses())
    started = start_session(Start(environment(tmp_path), detach=True), FakeKube(), world)
    assert started.forwards == FORWARDS
    assert live.asked == ["status", "ready"]
    live.server.close()


def test_a_session_of_another_state_is_replaced(tmp_path: Path) -> None:
    live = LiveSession(tmp_path, fingerprint="old")
    processes = FakeProcesses(log="it did not work\n")
    world = fake_world(tmp_path, FakeKube(), processes=processes)
    with pytest.raises(ToolError) as caught:
        start_session(Start(environment(tmp_path), ("--file", "x"), detach=True), FakeKube(), world)
    assert live.asked == ["status", "stop"]
    assert processes.spawned == [[sys.executable, "-m", "devenv", "session", "--file", "x"]]
    assert caught.value.code == "session-failed"
    assert caught.value.details == ("it did not work",)


def test_the_session_of_another_terminal_is_left_alone(tmp_path: Path) -> None:
    live = LiveSession(tmp_path, fingerprint="old", foreground=True)
    with pytest.raises(Refused) as caught:
        start_session(Start(environment(tmp_path)), FakeKube(), fake_world(tmp_path, FakeKube()))
    assert caught.value.code == "session-runs"
    assert live.asked == ["status"]
    live.server.close()


def test_ending_a_session_waits_for_its_end(tmp_path: Path) -> None:
    LiveSession(tmp_path, fingerprint="x")
    assert describe_session(FakeKube(), tmp_path, "shop") is not None
    assert end_session(FakeKube(), tmp_path, "shop") is True
    assert not socket_path(tmp_path, "0123456789", "shop").exists()
    assert end_session(FakeKube(), tmp_path, "shop") is False
    assert describe_session(FakeKube(), tmp_path, "shop") is None


def test_all_sessions_of_a_cluster_end_with_their_logs_and_dead_sockets(tmp_path: Path) -> None:
    live = LiveSession(tmp_path, fingerprint="x")
    (tmp_path / "shop.log").write_text("said")
    for name in ("01234567-gone.sock", "76543210-other.sock"):
        (tmp_path / name).touch()
    assert end_all_sessions(FakeKube(), tmp_path) == 1
    assert live.asked == ["stop"]
    assert [path.name for path in tmp_path.iterdir()] == ["76543210-other.sock"]
