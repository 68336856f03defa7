"""The engine against the fake agent: what a session and a container do to each other."""

from __future__ import annotations

import errno
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from devenv.config.model import Reload, SyncRule
from devenv.session.podtable import Container
from devenv.session.sync.sync_requests import SyncRequests
from devenv.session.sync.troubles import Trouble
from devenv.sync import protocol as p
from devenv.sync.replies import Ack
from tests.fakes.agent import FakeContainer
from tests.unit.session.agent_scene import PATIENCE, AgentScene


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[AgentScene]:
    scene = AgentScene(tmp_path)
    scene.write("main.py", "one")
    with scene.loop:
        scene.wait_synced()
        scene.outcomes.clear()
        yield scene


def test_the_program_starts_once_everything_is_there(scene: AgentScene) -> None:
    scene.expect_equal()
    assert (scene.box.starts, scene.box.state) == (1, p.RUNS)


def test_a_save_is_sent_and_restarts_once_and_says_why(scene: AgentScene) -> None:
    scene.save("pkg/main.py", "two")
    outcome = scene.wait_for(lambda outcome: outcome.reloaded == ("restart",))
    assert [str(reason) for reason in outcome.reasons] == ["source/pkg/main.py matches restart rule at devenv.yaml:14"]
    scene.wait_synced()
    scene.expect_equal()
    assert scene.box.starts == 2


def test_what_equals_is_not_sent_and_what_was_deleted_meanwhile_goes(scene: AgentScene) -> None:
    scene.save("old.py", "x")
    scene.wait_synced()
    scene.loop.__exit__(None, None, None)
    (scene.source / "old.py").unlink()
    (scene.target / "foreign").touch()
    scene.outcomes.clear()
    with scene.make_loop():
        scene.wait_synced()
    assert [(outcome.files, outcome.deleted) for outcome in scene.outcomes if outcome.files or outcome.deleted] == [
        (0, 1)
    ]
    assert sorted(path.name for path in scene.target.iterdir()) == ["foreign", "main.py"]


def test_an_ignored_path_stays_in_the_container(scene: AgentScene) -> None:
    scene.save("data.log", "x")
    scene.wait_synced()
    scene.save(".gitignore", "*.log\n")
    scene.wait_synced()
    (scene.source / "data.log").unlink()
    scene.wait_synced()
    assert (scene.target / "data.log").exists()
    scene.loop.__exit__(None, None, None)
    with scene.make_loop():
        scene.wait_synced()
        assert (scene.target / "data.log").exists()
        scene.save(".gitignore", "")
        scene.wait_synced()
        assert not (scene.target / "data.log").exists()


def test_a_lost_stream_is_opened_again_and_the_reload_it_owed_is_done(scene: AgentScene) -> None:
    stream = scene.boxes.streams[0]
    write = stream.write

    def cut_at_restart(data: bytes) -> None:
        if len(data) > 4 and data[4] == p.Restart.type:
            stream.agent.kill()
        write(data)

    stream.write = cut_at_restart  # type: ignore[method-assign]
    scene.save("main.py", "two")
    scene.wait_for(lambda outcome: outcome.problem is not None)
    scene.wait_synced()
    assert scene.box.starts == 2
    assert scene.outcomes[-1].problem is None


def test_a_container_that_starts_anew_is_adopted(scene: AgentScene) -> None:
    scene.box.restart()
    scene.found = [Container("orders", "orders-1", "orders", "containerd://two", has_agent=True)]
    scene.loop.refresh()
    scene.save("main.py", "two")
    scene.wait_synced()
    scene.expect_equal()


def test_a_crash_is_told_and_mended_by_a_save(scene: AgentScene) -> None:
    scene.box.crash(3)
    told = scene.wait_for(lambda outcome: outcome.program is not None)
    assert told.program
    assert (told.program.state, told.program.code) == ("crashed", 3)
    scene.save("main.py", "mended")
    scene.wait_for(lambda outcome: bool(outcome.program and outcome.program.state == "runs"))
    scene.wait_synced()
    assert scene.box.starts == 2


def test_a_refused_path_is_told_with_the_uid_and_the_rest_arrives(scene: AgentScene) -> None:
    scene.box.refusals["secret.py"] = errno.EACCES
    scene.save("secret.py", "x")
    scene.save("other.py", "x")
    problem = scene.wait_for(lambda outcome: outcome.problem is not None).problem
    assert problem
    assert problem.code == "sync-not-writable"
    assert "uid 1000" in problem.hint
    assert str(scene.target / "secret.py") in problem.message
    scene.wait_for(lambda outcome: "other.py" in outcome.paths)
    scene.box.refusals.clear()
    scene.wait_synced()
    scene.expect_equal()


def test_s17_a_full_disk_is_told_with_the_path_and_recovered_from(scene: AgentScene) -> None:
    scene.box.refusals["big.bin"] = errno.ENOSPC
    scene.save("big.bin", b"x" * 1000)
    problem = scene.wait_for(lambda outcome: outcome.problem is not None).problem
    assert problem
    assert problem.code == "sync-disk-full"
    assert str(scene.target / "big.bin") in problem.message
    assert not scene.loop.synced()
    scene.box.refusals.clear()
    scene.wait_synced()
    scene.expect_equal()


def test_the_program_does_not_start_while_a_file_is_missing(tmp_path: Path) -> None:
    scene = AgentScene(tmp_path)
    scene.write("main.py", "one")
    scene.box.refusals["main.py"] = errno.ENOSPC
    with scene.loop:
        scene.wait_for(lambda outcome: outcome.problem is not None)
        assert scene.box.starts == 0
        scene.box.refusals.clear()
        scene.wait_synced()
    assert scene.box.starts == 1


def test_s15_a_second_session_is_told_who_holds_the_pod_and_may_take_over(scene: AgentScene) -> None:
    scene.box.agent._holder = "ann on laptop (process 7)"  # type: ignore[union-attr]
    second = AgentScene(scene.folder)
    second.boxes, second.pods = scene.boxes, scene.pods
    with second.make_loop():
        problem = second.wait_for(lambda outcome: outcome.problem is not None).problem
        assert problem
        assert problem.code == "sync-held"
        assert "ann on laptop (process 7)" in problem.message
        assert "--take-over" in problem.hint
    third = AgentScene(scene.folder, take_over=True)
    third.boxes, third.pods = scene.boxes, scene.pods
    with third.make_loop():
        third.wait_synced()


def test_s18_a_wipe_is_refused(scene: AgentScene) -> None:
    names = [f"f{number}" for number in range(30)]
    for name in names:
        scene.write(name, name)
    scene.wait_synced()
    for name in names:
        (scene.source / name).unlink()
    scene.changed(scene.source)
    problem = scene.wait_for(lambda outcome: outcome.problem is not None).problem
    assert "30 of its 31 files are gone" in str(problem)
    assert len(list(scene.target.iterdir())) == 31
    for name in names:
        scene.write(name, name)
    scene.wait_synced()


def test_what_is_gone_for_good_goes_once_it_is_accepted(scene: AgentScene) -> None:
    for number in range(30):
        scene.write(f"f{number}", "x")
    scene.wait_synced()
    for number in range(30):
        (scene.source / f"f{number}").unlink()
    scene.changed(scene.source)
    problem = scene.wait_for(lambda outcome: outcome.problem is not None).problem
    assert problem
    assert problem.hint.endswith("devenv sync accept orders")
    [held] = scene.loop.status().replicas
    assert (held.state, held.problem) == ("held", Trouble("sync-loss", problem.message, problem.hint))
    [found] = SyncRequests({"orders": scene.loop}).handlers["sync-accept"]({"service": "orders"})["services"]
    assert found["synced"]
    assert (found["replicas"][0]["state"], found["replicas"][0]["problem"]) == ("synced", None)
    scene.expect_equal()


def test_a_slow_replica_holds_nobody_up(tmp_path: Path) -> None:
    scene = AgentScene(tmp_path)
    others = [tmp_path / f"other{number}" for number in (2, 3)]
    scene.found += [
        Container("orders", f"orders-{number}", "orders", f"containerd://{number}", has_agent=True) for number in (2, 3)
    ]
    for place in others:
        place.mkdir()
    for number, place in zip((2, 3), others, strict=True):
        scene.boxes.containers[f"orders-{number}"] = FakeContainer(places={str(scene.target): str(place)})
    scene.write("main.py", "one")
    with scene.loop:
        scene.wait_synced()
        second = scene.boxes.containers["orders-2"]
        slow = next(stream for stream in scene.boxes.streams if stream.agent.container is second)
        slow.agent.stalled = True
        scene.outcomes.clear()
        scene.save("main.py", "two")
        scene.wait_for(lambda outcome: outcome.pod == "orders-3" and "main.py" in outcome.paths)
        assert (others[1] / "main.py").read_text() == "two"
        assert (others[0] / "main.py").read_text() == "one"
        slow.agent.stalled = False
        scene.wait_synced()
        assert (others[0] / "main.py").read_text() == "two"


def test_commands_run_before_the_restart_and_their_output_is_told(tmp_path: Path) -> None:
    scene = AgentScene(tmp_path)
    (tmp_path / "pyproject.toml").write_text("a")
    install = Reload("exec", command=("pip", "install", "."))
    scene.rules.append(SyncRule(tmp_path / "pyproject.toml", f"{scene.target}/pyproject.toml", install, is_file=True))
    scene.box.run = lambda argv: (0, b"installed\n", b"")
    with scene.make_loop():
        scene.wait_synced()
        scene.outcomes.clear()
        (tmp_path / "pyproject.toml").write_text("b")
        scene.write("main.py", "x")
        scene.changed(tmp_path / "pyproject.toml", scene.source / "main.py")
        outcome = scene.wait_for(lambda outcome: bool(outcome.reloaded))
    assert outcome.reloaded == ("restart", "pip install .")
    assert outcome.output == "installed\n"
    assert (scene.target / "pyproject.toml").read_text() == "b"


def test_two_rules_of_one_folder_do_not_delete_each_others_files(tmp_path: Path) -> None:
    scene = AgentScene(tmp_path)
    (tmp_path / "single").write_text("a")
    (tmp_path / "below").mkdir()
    (tmp_path / "below/x").write_text("a")
    (scene.target / "sub").mkdir()
    scene.rules.append(SyncRule(tmp_path / "single", f"{scene.target}/single", is_file=True))
    scene.rules.append(SyncRule(tmp_path / "below", f"{scene.target}/sub"))
    for _ in range(2):
        with scene.make_loop():
            scene.wait_synced()
    assert sorted(path.name for path in scene.target.rglob("*")) == ["single", "sub", "x"]


@pytest.mark.parametrize("size", [0, 1, p.CONTENT, p.CONTENT + 1, 3 * p.WINDOW])
def test_files_of_any_size_arrive(scene: AgentScene, size: int) -> None:
    scene.save("file", b"0123456789abcde\n" * (size // 16 + 1))
    scene.wait_synced()
    scene.expect_equal()


def test_a_signal_has_its_linux_number(tmp_path: Path) -> None:
    scene = AgentScene(tmp_path, reload=Reload("signal", signal="USR2"))
    with scene.loop:
        scene.wait_synced()
        scene.save("main.py", "x")
        scene.wait_for(lambda outcome: outcome.reloaded == ("USR2",))
    assert scene.box.signals == [12]


def test_the_status_tells_of_each_replica(scene: AgentScene) -> None:
    scene.save("main.py", "two")
    scene.wait_synced()
    status = scene.loop.status()
    [replica] = status.replicas
    assert (status.files, replica.files, replica.way, replica.synced) == (1, 1, "agent", True)
    assert replica.program
    assert (replica.program.state, replica.program.starts) == ("runs", 2)
    assert replica.last
    assert replica.last.files == 1
    assert replica.lag
    assert replica.lag.count == 1


def test_a_session_ends_at_once_though_a_container_is_silent(scene: AgentScene) -> None:
    scene.boxes.streams[0].agent.stalled = True
    scene.save("main.py", "two")
    ended = threading.Event()

    def end() -> None:
        scene.loop.__exit__(None, None, None)
        ended.set()

    threading.Thread(target=end).start()
    assert ended.wait(PATIENCE / 4)


def test_names_with_newlines_arrive(scene: AgentScene) -> None:
    scene.save("a\nb", "x")
    scene.wait_synced()
    scene.expect_equal()


def test_an_answer_that_can_not_list_all_that_failed_is_looked_into(scene: AgentScene) -> None:
    fake = scene.boxes.streams[0].agent
    commit = fake._commit
    fake._commit = lambda batch, flags: (fake._folders[0].clean(), fake.tell(Ack(((0, 28, ""),)), batch))  # type: ignore
    scene.save("main.py", "two")
    scene.wait_for(lambda outcome: outcome.problem is not None)
    fake._commit = commit  # type: ignore[method-assign]
    scene.wait_synced()
    scene.expect_equal()


def test_a_fake_container_is_what_is_found(scene: AgentScene) -> None:
    assert isinstance(scene.box, FakeContainer)
    assert scene.pods.commands == [("/.devenv/bin/agent", "serve")]


def test_what_one_rule_loses_another_may_have(tmp_path: Path) -> None:
    scene = AgentScene(tmp_path)
    second = tmp_path / "second"
    second.mkdir()
    (second / "settings.py").write_text("of the second")
    scene.write("settings.py", "of the first")
    scene.rules.append(SyncRule(second, str(scene.target), Reload("none")))
    with scene.make_loop():
        scene.wait_synced()
        (scene.source / "settings.py").unlink()
        scene.changed(scene.source / "settings.py")
        scene.wait_synced()
        assert (scene.target / "settings.py").read_text() == "of the second"
        (second / "settings.py").unlink()
        scene.changed(second / "settings.py")
        scene.wait_synced()
        assert not (scene.target / "settings.py").exists()


def test_many_long_names_are_asked_for_in_portions(scene: AgentScene) -> None:
    deep = "/".join(["d" * 150, "e" * 150])
    for number in range(1200):
        scene.write(f"{deep}/{number}", "x")
    scene.loop.__exit__(None, None, None)
    with scene.make_loop():
        scene.wait_synced()
        scene.expect_equal()


def test_a_source_that_goes_while_it_is_looked_at_deletes_nothing(scene: AgentScene) -> None:
    for number in range(10):
        scene.write(f"f{number}", "x")
    scene.wait_synced()
    (scene.source).rename(scene.folder / "away")
    scene.changed(scene.source)
    assert "is not there" in str(scene.wait_for(lambda outcome: outcome.problem is not None).problem)
    assert len(list(scene.target.iterdir())) == 11
    (scene.folder / "away").rename(scene.source)
    scene.wait_synced()


@pytest.fixture
def shared(tmp_path: Path) -> AgentScene:
    """Two rules with the same target: `source`, and `second`, which ignores logs."""
    scene = AgentScene(tmp_path)
    scene.write("main.py", "of the first")
    second = tmp_path / "second"
    second.mkdir()
    (second / ".gitignore").write_text("*.log\n")
    scene.rules.append(SyncRule(second, str(scene.target), Reload("none")))
    return scene


def test_what_one_rule_of_a_shared_target_ignores_the_other_does_not_delete(shared: AgentScene) -> None:
    second = shared.folder / "second"
    (second / ".gitignore").write_text("")
    (second / "data.log").write_text("x")
    with shared.make_loop():
        shared.wait_synced()
        (second / ".gitignore").write_text("*.log\n")
        shared.changed(second / ".gitignore")
        shared.wait_synced()
    for _ in range(2):
        with shared.make_loop():
            shared.wait_synced()
            assert (shared.target / "data.log").read_text() == "x"
            [verdict] = SyncRequests({"orders": shared.loop}).handlers["sync-verify"]({})["services"]
            assert verdict["differences"] == ()
    (second / "data.log").unlink()
    with shared.make_loop():
        shared.wait_synced()
        assert (shared.target / "data.log").exists()
        (second / ".gitignore").write_text("")
        shared.changed(second / ".gitignore")
        shared.wait_synced()
        assert not (shared.target / "data.log").exists()


def test_in_a_session_as_after_it_what_another_rule_ignores_stays(shared: AgentScene) -> None:
    shared.write("trace.log", "x")
    shared.write("gone.py", "x")
    with shared.make_loop():
        shared.wait_synced()
        for name in ("trace.log", "gone.py"):
            (shared.source / name).unlink()
            shared.changed(shared.source / name)
        shared.wait_synced()
        assert (shared.target / "trace.log").exists()
        assert not (shared.target / "gone.py").exists()


def test_the_ignore_rules_of_a_single_file_keep_nothing_of_others(tmp_path: Path) -> None:
    scene = AgentScene(tmp_path)
    (tmp_path / "conf").mkdir()
    subprocess.run(["git", "init", "-q", str(tmp_path / "conf")], check=True)
    (tmp_path / "conf/.gitignore").write_text("*.py\n")
    (tmp_path / "conf/app.toml").write_text("x")
    scene.write("main.py", "x")
    scene.write("old.py", "x")
    scene.rules.append(SyncRule(tmp_path / "conf/app.toml", f"{scene.target}/app.toml", is_file=True))
    with scene.make_loop():
        scene.wait_synced()
    (scene.source / "old.py").unlink()
    with scene.make_loop():
        scene.wait_synced()
        assert sorted(path.name for path in scene.target.iterdir()) == ["app.toml", "main.py"]


def test_what_can_not_be_read_for_now_is_not_deleted_by_a_new_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = AgentScene(tmp_path)
    scene.write("main.py", "x")
    scene.write("pkg/mod.py", "x")
    with scene.make_loop():
        scene.wait_synced()
    read = os.scandir

    def scandir(place: str) -> Iterator[os.DirEntry[str]]:
        if place == str(scene.source / "pkg"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return read(place)

    monkeypatch.setattr(os, "scandir", scandir)
    with scene.make_loop():
        scene.wait_synced()
        assert (scene.target / "pkg/mod.py").exists()


def test_that_an_image_must_be_built_anew_is_told_until_its_container_is_replaced(tmp_path: Path) -> None:
    scene = AgentScene(tmp_path, reload=Reload("rebuild"))
    scene.write("uv.lock", "one")
    scene.write("never.in.the.image", "one")
    (scene.target / "uv.lock").write_text("one")
    with scene.make_loop():
        scene.wait_synced()
        assert scene.loop.status().replicas[0].state == "synced"
        assert [*scene.loop.rebuild] == []
        scene.save("uv.lock", "two")
        scene.wait_synced()
        [stale] = scene.loop.status().replicas
        assert (stale.state, [each.path for each in stale.rebuild]) == ("stale", ["source/uv.lock"])
        scene.save("never.in.the.image", "two")
        scene.wait_synced()
        assert [str(each) for each in scene.loop.rebuild] == [
            "source/never.in.the.image matches rebuild rule at devenv.yaml:14"
        ]
        scene.found = [Container("orders", "orders-2", "orders", "containerd://two", has_agent=True)]
        scene.loop.refresh()
        scene.wait_synced()
        assert [replica.state for replica in scene.loop.status().replicas] == ["synced"]


def test_a_container_of_an_image_that_is_behind_says_so_from_the_start(tmp_path: Path) -> None:
    scene = AgentScene(tmp_path, reload=Reload("rebuild"))
    scene.write("uv.lock", "two")
    (scene.target / "uv.lock").write_text("one")
    with scene.make_loop():
        scene.wait_synced()
        assert [replica.state for replica in scene.loop.status().replicas] == ["stale"]
