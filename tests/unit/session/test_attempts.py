from __future__ import annotations

import threading
from pathlib import Path

import pytest

from devenv import problems
from devenv.config.model import Build, Environment, Origin, Service
from devenv.errors import DevenvError, ToolError
from devenv.flows.up import UpRequest
from devenv.flows.world import World
from devenv.ports import Change
from devenv.session.attempts import Attempts, Patience, wait_for_change
from devenv.session.start import Start
from tests.fakes.host import FakeWatcher
from tests.fakes.images import FakeImages
from tests.fakes.terminal import FakeProgress
from tests.fakes.world import FakeKube, fake_world


def environment(root: Path, *services: str) -> Environment:
    (root / "Dockerfile").write_text("FROM scratch\n")
    build = Build(root, root / "Dockerfile")
    origin = Origin(root / "devenv.yaml", 1, 1)
    specs = {name: Service(name, build, None, {}, {}, None, (), None, (), (), origin) for name in services}
    return Environment("shop", root, "default", specs, {})


def broken_world(tmp_path: Path, runtime: Path) -> tuple[World, FakeWatcher]:
    images, watcher = FakeImages(), FakeWatcher()
    images.failures = [ToolError(problems.BUILD_FAILED, service="web", dockerfile="Dockerfile")]
    return fake_world(runtime, FakeKube(), images=images, watcher=watcher), watcher


def say_until(done: threading.Event, watcher: FakeWatcher, path: Path) -> None:
    while not done.wait(0.05):
        watcher.tell(Change(path))


@pytest.fixture
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("run")


def test_a_build_that_fails_is_told_and_tried_again_after_a_change(tmp_path: Path, runtime: Path) -> None:
    world, watcher = broken_world(tmp_path, runtime)
    told: list[DevenvError] = []
    done = threading.Event()
    threading.Thread(target=say_until, args=(done, watcher, tmp_path / "app.py"), daemon=True).start()

    def load() -> Environment:
        done.set()
        return environment(tmp_path)

    patience = Patience(told.append, load)
    broken = environment(tmp_path, "web")
    attempts = Attempts(UpRequest(broken), Start(broken), world)
    result, started = attempts.run(patience)
    assert [error.code for error in told] == ["build-failed"]
    assert result.units == ()
    assert started.here is not None
    started.here.close()


def test_without_patience_it_ends_with_the_session_closed(tmp_path: Path, runtime: Path) -> None:
    world, _ = broken_world(tmp_path, runtime)
    broken = environment(tmp_path, "web")
    with pytest.raises(ToolError, match="does not build"):
        Attempts(UpRequest(broken), Start(broken), world).run(None)
    assert list(runtime.glob("*.sock")) == []
    assert isinstance(world.progress, FakeProgress)
    assert world.progress.notes == ["no session of shop runs now; devenv up -d starts one"]


def test_what_an_edit_can_not_mend_ends_it(tmp_path: Path, runtime: Path) -> None:
    world, _ = broken_world(tmp_path, runtime)
    world.clusters.failures = [ToolError(problems.DOCKER_NOT_RUNNING, address="x") for _ in range(2)]  # type: ignore[attr-defined]
    told: list[DevenvError] = []
    with pytest.raises(ToolError):
        Attempts(UpRequest(environment(tmp_path)), Start(environment(tmp_path)), world).run(
            Patience(told.append, lambda: environment(tmp_path))
        )
    assert told == []


def test_what_is_ignored_changes_nothing(tmp_path: Path, runtime: Path) -> None:
    world, watcher = broken_world(tmp_path, runtime)
    (tmp_path / ".gitignore").write_text("*.log\n")

    def save() -> None:
        watcher.tell(Change(tmp_path / "a.log"))
        watcher.tell(Change(tmp_path / "b.py"))

    assert wait_for_change(environment(tmp_path), world, save) == Path("b.py")


def test_who_saves_as_soon_as_asked_is_heard(tmp_path: Path, runtime: Path) -> None:
    world, watcher = broken_world(tmp_path, runtime)
    broken = environment(tmp_path, "web")
    patience = Patience(lambda error: watcher.tell(Change(tmp_path / "app.py")), lambda: environment(tmp_path))
    _, started = Attempts(UpRequest(broken), Start(broken), world).run(patience)
    assert started.here is not None
    started.here.close()
