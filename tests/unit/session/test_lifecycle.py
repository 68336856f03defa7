from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import pytest

from devenv.config.model import Environment
from devenv.errors import Refused, ToolError
from devenv.flows.up import UpRequest
from devenv.flows.world import World
from devenv.ports import Access, Kube
from devenv.session.attempts import Attempts
from devenv.session.control import ControlServer, find_session, socket_path
from devenv.session.following import follow_session
from devenv.session.holder import me
from devenv.session.lifecycle import describe_session, end_all_sessions, end_session
from devenv.session.live import fingerprint
from devenv.session.place import place_of
from devenv.session.start import Start, Started, Starting
from tests.fakes.clusters import FakeClusters
from tests.fakes.terminal import FakeProgress
from tests.fakes.world import FakeKube, FakeProcesses, fake_world


def start_session(start: Start, kube: FakeKube, world: World) -> Started:
    starting = Starting(start, world)
    starting.begin(kube)
    return starting.finish()


def notes_of(world: World) -> list[str]:
    assert isinstance(world.progress, FakeProgress)
    return world.progress.notes


GOES_ON = [
    "a session of shop goes on, so that a save can mend what failed: devenv attach follows it,",
    "  devenv down ends it and takes the environment down",
]
FORWARDS = [{"unit": "orders", "name": "http", "port": 8000, "local": 8000}]


def environment(root: Path, name: str = "shop") -> Environment:
    return Environment(name, root, "default", {}, {})


class LiveSession:
    """A session that answers, in this process."""

    def __init__(self, tmp_path: Path, *, fingerprint: str, foreground: bool = False) -> None:
        self.asked: list[str] = []
        self.last: dict[str, object] = {}
        holder = {"words": "ann@box (process 4711)"}
        self._about = {
            "pid": 4711,
            "holder": holder,
            "fingerprint": fingerprint,
            "foreground": foreground,
            "forwards": FORWARDS,
        }
        handlers = {op: self._answer for op in ("status", "ready", "stop")}
        self.server = ControlServer(socket_path(tmp_path, "0123456789", "shop"), handlers)

    def _answer(self, request: dict[str, object]) -> dict[str, object]:
        self.asked.append(str(request["op"]))
        self.last = request
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
    world = fake_world(tmp_path, FakeKube())
    starting = Starting(Start(environment(tmp_path)), world)
    for step in (starting.look, lambda: starting.begin(FakeKube())):
        with pytest.raises(Refused, match=r"shop is held by ann@box \(process 4711\)") as caught:
            step()
    assert caught.value.code == "session-runs"
    assert live.asked == ["status", "status"]
    live.server.close()


def test_a_session_is_refused_before_the_first_step(tmp_path: Path) -> None:
    live = LiveSession(tmp_path, fingerprint="old", foreground=True)
    world = fake_world(tmp_path, FakeKube())
    with pytest.raises(Refused):
        Attempts(UpRequest(environment(tmp_path)), Start(environment(tmp_path)), world).run(None)
    assert isinstance(world.progress, FakeProgress)
    assert world.progress.steps == []
    live.server.close()


def test_a_session_is_taken_over_where_that_is_asked_for(tmp_path: Path) -> None:
    live = LiveSession(tmp_path, fingerprint="old", foreground=True)
    starting = Starting(Start(environment(tmp_path), take_over=True), fake_world(tmp_path, FakeKube()))
    starting.look()
    starting.begin(FakeKube())
    assert live.asked == ["status", "status", "stop"]
    assert live.last["why"] == "taken over"
    assert str(live.last["by"]).startswith(me().user)
    client = find_session(socket_path(tmp_path, "0123456789", "shop"))
    assert client
    holder = client.ask("status")["holder"]
    assert (holder["pid"], holder["words"]) == (os.getpid(), me().words())
    client.close()
    starting.close()


def test_what_is_taken_over_goes_into_the_background_too(tmp_path: Path) -> None:
    live = LiveSession(tmp_path, fingerprint=fingerprint(environment(tmp_path)), foreground=True)
    world = fake_world(tmp_path, FakeKube(), processes=FakeProcesses())
    Starting(Start(environment(tmp_path), detach=True, take_over=True), world).begin(FakeKube())
    assert live.asked == ["status", "stop"]


def test_who_keeps_the_session_of_another_terminal_is_told_where_it_is(tmp_path: Path) -> None:
    live = LiveSession(tmp_path, fingerprint=fingerprint(environment(tmp_path)), foreground=True)
    world = fake_world(tmp_path, FakeKube())
    started = start_session(Start(environment(tmp_path), detach=True), FakeKube(), world)
    assert started.forwards == FORWARDS
    assert notes_of(world) == [
        "the session is that of another devenv up, ann@box (process 4711), and ends with it;",
        "  devenv up -d --take-over starts one of its own",
    ]
    live.server.close()


def test_who_gives_up_is_told_that_the_session_he_ended_is_gone(tmp_path: Path) -> None:
    live = LiveSession(tmp_path, fingerprint=fingerprint(environment(tmp_path)))
    world = fake_world(tmp_path, FakeKube())
    starting = Starting(Start(environment(tmp_path)), world)
    starting.begin(FakeKube())
    assert live.asked == ["status", "stop"]
    starting.leave()
    assert notes_of(world) == [
        "no session of shop runs now: the one in the background was ended to make room; devenv up -d starts one"
    ]
    assert find_session(socket_path(tmp_path, "0123456789", "shop")) is None


def test_who_gives_up_is_told_of_the_session_that_goes_on(tmp_path: Path) -> None:
    world = fake_world(tmp_path, FakeKube(), processes=FakeProcesses(answers=1))
    starting = Starting(Start(environment(tmp_path), detach=True), world)
    starting.begin(FakeKube())
    starting.leave()
    assert notes_of(world) == GOES_ON
    starting.leave()
    assert notes_of(world) == GOES_ON, "its process ended meanwhile"


def test_who_gives_up_is_told_of_the_session_that_was_kept(tmp_path: Path) -> None:
    live = LiveSession(tmp_path, fingerprint=fingerprint(environment(tmp_path)))
    world = fake_world(tmp_path, FakeKube())
    starting = Starting(Start(environment(tmp_path), detach=True), world)
    starting.begin(FakeKube())
    starting.leave()
    assert notes_of(world) == GOES_ON
    assert live.asked == ["status"]
    live.server.close()


def test_who_gives_up_before_there_was_a_session_is_told_nothing(tmp_path: Path) -> None:
    for detach in (False, True):
        world = fake_world(tmp_path, FakeKube(), processes=FakeProcesses(answers=1))
        Starting(Start(environment(tmp_path), detach=detach), world).leave()
        assert notes_of(world) == []


class Left(FakeClusters):
    """A cluster that is gone, but for its context in the user's kubeconfig."""

    def access(self) -> Access:
        return Access(context=f"kind-{self.name}")


@pytest.mark.parametrize("clusters", [FakeClusters(), Left()])
def test_without_a_cluster_nobody_is_asked(tmp_path: Path, clusters: FakeClusters) -> None:
    asked: list[Access] = []

    def connect(access: Access) -> Kube:
        asked.append(access)
        return FakeKube()

    Starting(Start(environment(tmp_path)), fake_world(tmp_path, FakeKube(), clusters=clusters, connect=connect)).look()
    assert asked == []


def test_who_was_taken_over_says_so_and_ends(tmp_path: Path) -> None:
    world = fake_world(tmp_path, FakeKube())
    starting = Starting(Start(environment(tmp_path)), world)
    starting.begin(FakeKube())
    assert starting.here
    client = find_session(socket_path(tmp_path, "0123456789", "shop"))
    assert client
    client.ask("stop", by="bob@box", why="taken over")
    with pytest.raises(Refused, match="taken over by bob@box") as caught:
        follow_session(starting.here, FakeKube(), world, lambda unit, text: None, since=1)
    assert (caught.value.code, caught.value.exit_code) == ("session-taken", 15)
    assert isinstance(world.progress, FakeProgress)
    assert world.progress.notes == ["taken over by bob@box"]
    client.close()


def test_who_is_ended_by_down_ends_in_peace(tmp_path: Path) -> None:
    world = fake_world(tmp_path, FakeKube())
    starting = Starting(Start(environment(tmp_path)), world)
    starting.begin(FakeKube())
    assert starting.here
    ending = threading.Thread(target=end_session, args=(FakeKube(), world, "shop"), kwargs={"forget": False})
    ending.start()
    follow_session(starting.here, FakeKube(), world, lambda unit, text: None, since=1)
    ending.join()
    assert isinstance(world.progress, FakeProgress)
    assert world.progress.notes == [f"ended by {me().words()}"]


def test_ending_a_session_waits_for_its_end(tmp_path: Path) -> None:
    LiveSession(tmp_path, fingerprint="x")
    world = fake_world(tmp_path, FakeKube())
    assert describe_session(FakeKube(), tmp_path, "shop") is not None
    assert end_session(FakeKube(), world, "shop", forget=False) is True
    assert not socket_path(tmp_path, "0123456789", "shop").exists()
    assert end_session(FakeKube(), world, "shop", forget=False) is False
    assert describe_session(FakeKube(), tmp_path, "shop") is None


def test_what_a_session_kept_goes_where_that_is_asked_for(tmp_path: Path) -> None:
    world = fake_world(tmp_path, FakeKube())
    place = place_of(FakeKube(), world, "shop")
    for path in (place.journal, place.remembered):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("[]")
    end_session(FakeKube(), world, "shop", forget=False)
    assert place.journal.exists()
    assert place.remembered.exists()
    end_session(FakeKube(), world, "shop", forget=True)
    assert not place.journal.exists()
    assert not place.remembered.exists()


def test_all_sessions_of_a_cluster_end_with_their_logs_and_dead_sockets(tmp_path: Path) -> None:
    live = LiveSession(tmp_path, fingerprint="x")
    logs = tmp_path / "state" / "log"
    logs.mkdir(parents=True)
    for path in (
        tmp_path / "01234567-gone.sock",
        tmp_path / "01234567-a.ports",
        tmp_path / "76543210-other.sock",
        logs / "01234567-b.log",
        logs / "01234567-b.log.1",
        logs / "76543210-other.log",
    ):
        path.touch()
    assert end_all_sessions(FakeKube(), fake_world(tmp_path, FakeKube())) == 1
    assert live.asked == ["stop"]
    left = sorted(path.name for path in tmp_path.rglob("*") if not path.is_dir())
    assert left == ["76543210-other.log", "76543210-other.sock"]
