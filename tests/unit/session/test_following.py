from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from devenv.config.model import Environment
from devenv.errors import ClusterError
from devenv.session.control import ControlServer
from devenv.session.following import attach
from devenv.session.journal import Journal
from devenv.session.place import place_of
from tests.fakes.terminal import FakeProgress
from tests.fakes.world import FakeKube, fake_world

SHOP = Environment("shop", Path("/p"), "default", {}, {})


def test_who_attaches_gets_the_last_lines_and_what_comes_until_the_end(tmp_path: Path) -> None:
    kube = FakeKube()
    progress = FakeProgress()
    world = fake_world(tmp_path, kube, progress=progress)
    place = place_of(kube, world, "shop")
    journal = Journal(place.journal)
    for text in ("older", "old"):
        journal.line(text)
    server = ControlServer(place.socket, {"status": lambda _request: {"holder": {"words": "ann@box (process 1)"}}})

    def live() -> None:
        while not any("old" in note for note in progress.notes):
            time.sleep(0.01)
        journal.line("new")
        server.close()

    living = threading.Thread(target=live)
    living.start()
    attach(SHOP, kube, world, lambda unit, text: None, tail=1)
    living.join()
    first, *told, last = progress.notes
    assert first == "attached to the session of ann@box (process 1); Ctrl-C leaves it alone"
    assert [note.split(" ", 1)[1] for note in told] == ["old", "new"]
    assert last == "the session ended"


def test_there_must_be_a_session(tmp_path: Path) -> None:
    with pytest.raises(ClusterError) as caught:
        attach(SHOP, FakeKube(), fake_world(tmp_path, FakeKube()), lambda unit, text: None, tail=1)
    assert caught.value.code == "no-session"
