"""S1-S18 from end to end: the engine and the real agent, each stream a process of this machine."""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from devenv.agent.binaries import binary
from devenv.ports import Change
from devenv.session.podtable import Container
from devenv.session.sync import replica
from devenv.session.sync.sync_requests import SyncRequests
from tests import scale
from tests.fakes.agent_pods import AgentPods
from tests.unit.session.agent_scene import AgentScene
from tests.unit.session.machine import SyncMachine
from tests.unit.session.worlds import ProcessWorld

MACHINE = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
SMALL_FILES = scale.scaled(500, full=10_000)
BIG = scale.scaled(64, full=1024) * 1024 * 1024


@pytest.fixture(scope="session")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("agent") / "agent"
    place.write_bytes(binary(MACHINE))  # type: ignore[arg-type]
    place.chmod(0o755)
    # Of another user than root, too: pytest's own folders are closed, one more of them where it runs side by side.
    for folder in (place.parent, *place.parent.parents):
        if folder.name.startswith(("agent", "popen", "pytest-")):
            folder.chmod(0o755)
    return place


@pytest.fixture
def world(tmp_path: Path, agent: Path) -> Iterator[ProcessWorld]:
    class World(ProcessWorld):
        binary = agent

    world = World(tmp_path)
    world.scene.write("main.py", "one")
    yield world
    world.resume()
    world.close()


@pytest.fixture
def scene(world: ProcessWorld) -> Iterator[AgentScene]:
    with world.scene.loop:
        world.scene.wait_synced()
        world.scene.outcomes.clear()
        yield world.scene


def settle(scene: AgentScene, *places: Path) -> None:
    scene.changed(*places)
    scene.wait_synced()
    scene.expect_equal()
    assert not (scene.target / ".devenv-stage").exists()


def test_s1_renames(scene: AgentScene) -> None:
    source = scene.source
    for name in ("a", "b", "one/x", "two/x"):
        scene.write(name, name)
    settle(scene, source)
    (source / "a").rename(source / "moved")
    (source / "one").rename(source / "three")
    settle(scene, source / "a", source / "moved", source / "one", source / "three")
    (source / "moved").rename(source / "c")
    (source / "b").rename(source / "moved")
    (source / "c").rename(source / "b")
    settle(scene, source / "moved", source / "b", source / "c")
    (source / "b").rename(source / "moved")
    (source / "three").rename(source / "Three")
    settle(scene, source)


def test_s2_a_path_becomes_another_kind(scene: AgentScene) -> None:
    place = scene.source / "thing"

    def be_folder() -> None:
        (place / "below/deep").mkdir(parents=True)
        (place / "below/deep/file").write_text("x")

    kinds: list[Callable[[], object]] = [
        lambda: place.write_text("x"),
        be_folder,
        lambda: place.symlink_to("main.py"),
        be_folder,
        lambda: place.write_text("y"),
        lambda: place.symlink_to("nowhere"),
        lambda: place.write_text("z"),
    ]
    for make in kinds:
        subprocess.run(["rm", "-rf", place], check=True)
        make()
        settle(scene, place)


def test_s3_time_stamps_prove_nothing(scene: AgentScene) -> None:
    place = scene.source / "main.py"
    for text in ("two", "six"):
        place.write_text(text)
        settle(scene, place)
    status = place.stat()
    place.write_text("ten")
    os.utime(place, ns=(status.st_atime_ns, status.st_mtime_ns))
    settle(scene, place)
    for shift in (-86_400, 86_400, -2_000_000_000):
        place.write_text(f"at {shift}")
        os.utime(place, (time.time() + shift, time.time() + shift))
        settle(scene, place)
        assert (scene.target / "main.py").stat().st_mtime_ns == place.stat().st_mtime_ns


def test_s4_editors(scene: AgentScene) -> None:
    source, place = scene.source, scene.source / "main.py"
    place.rename(source / "main.py~")
    place.write_text("vim")
    (source / "main.py~").unlink()
    settle(scene, place)
    place.write_text("in place")
    settle(scene, place)
    (source / "main.py___jb_tmp___").write_text("jetbrains")
    place.rename(source / "main.py___jb_old___")
    (source / "main.py___jb_tmp___").rename(place)
    (source / "main.py___jb_old___").unlink()
    settle(scene, place)
    (source / ".#main.py").symlink_to("ann@box.1:2")
    subprocess.run(["sed", "-i", "s/jet/net/", place], check=True)
    (source / ".#main.py").unlink()
    settle(scene, place)
    assert (scene.target / "main.py").read_text() == "netbrains"


@pytest.mark.timeout(scale.seconds(120))
def test_s6_many_small_files_come_go_and_come_again_at_once(scene: AgentScene) -> None:
    def fill(text: str) -> None:
        for number in range(SMALL_FILES):
            # Not the bare number: 4913 is what Vim tries a folder with, and not sent.
            scene.write(f"many/{number % 20}/file-{number}", f"{text} {number}")

    fill("first")
    scene.changed(scene.source / "many")
    subprocess.run(["rm", "-rf", scene.source / "many"], check=True)
    scene.changed(scene.source / "many")
    fill("second")
    scene.changed(scene.source / "many")
    assert scene.loop.wait_synced(scale.seconds())
    settle(scene, scene.source / "many")
    subprocess.run(["rm", "-rf", scene.source / "many"], check=True)
    scene.write("many", "a file now")
    # More than half is gone: that waits for a human, or for the files.
    scene.changed(scene.source / "many")
    scene.wait_for(lambda outcome: outcome.problem is not None)
    (scene.source / "many").unlink()
    fill("third")
    scene.changed(scene.source / "many")
    assert scene.loop.wait_synced(scale.seconds())
    settle(scene, scene.source / "many")


def test_what_was_changed_in_a_container_by_hand_is_sent_again_on_request(scene: AgentScene) -> None:
    for name in ("content", "mode", "gone", "folder", "link", "pkg/below", "sub/deep/below"):
        scene.write(name, name)
    (scene.source / "to").symlink_to("content")
    scene.changed(scene.source)
    scene.wait_synced()
    (scene.target / "content").write_text("by hand")
    (scene.target / "mode").chmod(0o755)
    for name in ("gone", "folder", "link", "to"):
        (scene.target / name).unlink()
    (scene.target / "folder").mkdir()
    (scene.target / "link").symlink_to("/etc/passwd")
    (scene.target / "to").symlink_to("mode")
    (scene.target / "pkg/below").unlink()
    (scene.target / "pkg").rmdir()
    (scene.target / "pkg").write_text("a file now")
    shutil.rmtree(scene.target / "sub")
    (scene.target / "foreign").write_text("of somebody else")
    ask = SyncRequests({"orders": scene.loop}).handlers["sync-verify"]
    [found] = ask({"fix": True})["services"]
    assert (found["differences"], len(found["fixed"])) == ((), 11), found
    assert (scene.target / "foreign").read_text() == "of somebody else"
    (scene.target / "foreign").unlink()
    scene.expect_equal()


@pytest.mark.timeout(scale.seconds(120))
def test_s7_a_big_file_arrives_whole_and_a_sparse_one(scene: AgentScene) -> None:
    with (scene.source / "big").open("wb") as file:
        for number in range(BIG // (1024 * 1024)):
            file.write(number.to_bytes(4, "big") * (256 * 1024))
    with (scene.source / "sparse").open("wb") as file:
        file.truncate(BIG // 4)
        file.seek(BIG // 8)
        file.write(b"island")
    scene.changed(scene.source)
    assert scene.loop.wait_synced(100)
    for name in ("big", "sparse"):
        subprocess.run(["cmp", scene.source / name, scene.target / name], check=True)


def test_s7_a_file_that_grows_or_is_cut_while_it_is_read(scene: AgentScene) -> None:
    place = scene.source / "app.log"
    place.write_bytes(b"line\n" * 200_000)
    stop = threading.Event()

    def scribble() -> None:
        size = 0
        while not stop.wait(0.001):
            size += 1
            with place.open("ab") as file:
                file.write(b"another line\n" * 100)
            if size % 20 == 0:
                os.truncate(place, 500_000)
            scene.watcher.tell(Change(place, settled=False))

    thread = threading.Thread(target=scribble)
    thread.start()
    time.sleep(0.5)
    stop.set()
    thread.join()
    settle(scene, place)


def test_s8_names(scene: AgentScene) -> None:
    names = [
        "with space", "'single'", '"double"', "new\nline", "-leading", "*", "a:b", "\\back", "caf\u00e9", "cafe\u0301",
        os.fsdecode(b"not-utf8-\xff\xfe"), "n" * 255, "$(touch x)", "tab\there", "~ann", "%s%n",
    ]  # fmt: skip
    for name in names:
        scene.write(name, name.encode("utf-8", "surrogateescape"))
    scene.write("/".join(["d" * 200] * 6) + "/deep", "deep")
    settle(scene, scene.source)
    for name in names:
        (scene.source / name).unlink()
    settle(scene, scene.source)


def test_s9_links_and_what_is_no_file(scene: AgentScene) -> None:
    source = scene.source
    (source / "folder").mkdir()
    (source / "folder/file").write_text("x")
    for name, text in {
        "to-file": "main.py",
        "to-folder": "folder",
        "dangling": "nowhere",
        "loop": "loop",
        "folder/up": "../main.py",
    }.items():
        (source / name).symlink_to(text)
    os.link(source / "main.py", source / "hard")
    settle(scene, source)
    (source / "absolute").symlink_to("/etc/passwd")
    (source / "out").symlink_to("../../x")
    os.mkfifo(source / "pipe")
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as server:
        server.bind(str(source / "s"))
    scene.changed(source)
    scene.wait_synced()
    assert not {"absolute", "out", "pipe", "s"} & {path.name for path in scene.target.iterdir()}
    assert {Path(path).name for path in scene.loop.status().skipped} == {"absolute", "out", "pipe", "s"}


def test_s10_modes(scene: AgentScene) -> None:
    place = scene.source / "main.py"
    for mode in (0o755, 0o644, 0o400, 0o500, 0o600, 0o777):
        place.chmod(mode)
        settle(scene, place)
    assert (scene.target / "main.py").stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("uid", [0, 1000, 1_000_730_000])
def test_s10_any_user_and_umask_and_files_that_only_the_owner_may_write(tmp_path: Path, agent: Path, uid: int) -> None:
    class World(ProcessWorld):
        binary = agent

    world = World(tmp_path)
    scene = world.scene
    (scene.target / "seeded").write_text("from the image")
    (scene.target / "seeded").chmod(0o444)
    (scene.target / "shut").mkdir()
    (scene.target / "shut").chmod(0o555)
    for place in (scene.target, scene.target / "seeded", scene.target / "shut", world.processes.state("orders-1")):
        os.chown(place, uid, 0)
    for folder in tmp_path.parents[:2]:
        folder.chmod(0o755)
    tmp_path.chmod(0o755)
    world.processes.options = {"user": uid, "group": 0, "extra_groups": [], "umask": 0o077}
    scene.write("main.py", "one")
    scene.write("seeded", "from the source")
    scene.write("shut/file", "x")
    scene.write("pkg/mod.py", "x")
    with scene.make_loop():
        settle(scene)
        assert {path.stat().st_mode & 0o777 for path in scene.target.rglob("*.py")} == {0o644}
    world.close()


def test_s10_what_may_not_be_written_is_told_with_the_user(tmp_path: Path, agent: Path) -> None:
    class World(ProcessWorld):
        binary = agent

    world = World(tmp_path)
    scene = world.scene
    os.chown(world.processes.state("orders-1"), 1000, 0)
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    world.processes.options = {"user": 1000, "group": 1000, "extra_groups": []}
    scene.write("main.py", "one")
    with scene.make_loop():
        problem = scene.wait_for(lambda outcome: outcome.problem is not None).problem
        assert problem
        assert problem.code in ("sync-not-writable", "sync-failed")
        os.chown(scene.target, 1000, 0)
        settle(scene)
    world.close()


def test_s14_a_stream_or_agent_that_dies_midway(world: ProcessWorld) -> None:
    scene = world.scene
    torn: list[bytes] = []
    whole = {bytes([48 + number]) * 300_000 for number in range(10)}
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            with contextlib.suppress(FileNotFoundError):
                data = (scene.target / "big").read_bytes()
                if data not in whole:
                    torn.append(data[:10])

    with scene.loop:
        scene.save("big", b"0" * 300_000)
        scene.wait_synced()
        reader = threading.Thread(target=read)
        reader.start()
        for number, after in enumerate((10, 5_000, 60_000, 200_000, 290_000)):
            world.cut(after)
            scene.save("big", bytes([49 + number]) * 300_000)
            world.kill_agent() if number % 2 else None
            settle(scene)
        stop.set()
        reader.join()
    assert torn == []


def test_s14_a_container_that_hangs_and_comes_back(world: ProcessWorld) -> None:
    scene = world.scene
    with scene.loop:
        scene.wait_synced()
        world.stall()
        scene.save("main.py", "while it hung")
        assert not scene.loop.wait_synced(0.3)
        world.resume()
        settle(scene)


def test_s14_pods_come_and_go(world: ProcessWorld) -> None:
    scene = world.scene
    with scene.loop:
        scene.wait_synced()
        world.replace_pod()
        scene.write("main.py", "for the new one")
        scene.wait_synced()
        assert (scene.target / "main.py").read_text() == "for the new one"
        one = scene.found[0]
        scene.found = [one, Container("orders", "orders-b", "orders", "containerd://b", has_agent=True)]
        scene.loop.refresh()
        scene.save("main.py", "for both")
        scene.wait_synced()
        assert len(scene.loop.status().replicas) == 2
        scene.found = [one]
        scene.loop.refresh()
        scene.wait_synced()
        assert len(scene.loop.status().replicas) == 1


def test_s15_two_sessions_of_one_pod(world: ProcessWorld) -> None:
    first = world.scene
    with first.loop:
        first.wait_synced()
        name = "ann on another machine"
        second = AgentScene(first.folder)
        second.pods = AgentPods(world.processes.open)
        second.make_loop()
        second.loop._worker._opening._holder = name
        with second.loop:
            problem = second.wait_for(lambda outcome: outcome.problem is not None).problem
            assert problem
            assert problem.code == "sync-held"
            assert f"process {os.getpid()}" in problem.message
        second.take_over = True
        second.make_loop()
        second.loop._worker._opening._holder = name
        first.outcomes.clear()
        with second.loop:
            second.wait_synced()
            problem = first.wait_for(lambda outcome: outcome.problem is not None).problem
            assert problem
            assert name in problem.message


@pytest.mark.timeout(scale.seconds(60))
def test_s17_a_disk_that_is_full_and_then_is_not(world: ProcessWorld) -> None:
    scene = world.scene
    with mounted(scene.target, "256k"), scene.loop:
        scene.wait_synced()
        (scene.target / "ballast").write_bytes(b"x" * 180_000)
        scene.save("big", b"y" * 150_000)
        scene.save("small", b"z")
        problem = scene.wait_for(lambda outcome: outcome.problem is not None).problem
        assert problem
        assert problem.code == "sync-disk-full"
        assert str(scene.target / "big") in problem.message
        scene.wait_for(lambda outcome: "small" in outcome.paths)
        (scene.target / "ballast").unlink()
        settle(scene)


@contextlib.contextmanager
def mounted(place: Path, size: str) -> Iterator[None]:
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", place], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def test_s18_foreign_files_stay_and_a_wipe_is_refused(scene: AgentScene) -> None:
    (scene.target / "foreign").write_text("mine")
    for number in range(30):
        scene.write(f"pkg/{number}", "x")
    scene.changed(scene.source)
    scene.wait_synced()
    (scene.target / "pkg/foreign").write_text("mine")
    for number in range(30):
        (scene.source / f"pkg/{number}").unlink()
    scene.changed(scene.source)
    problem = scene.wait_for(lambda outcome: outcome.problem is not None).problem
    assert "30 of its 31 files are gone" in str(problem)
    for number in range(20):
        scene.write(f"pkg/{number}", "x")
    scene.changed(scene.source)
    scene.wait_synced()
    subprocess.run(["rm", "-rf", scene.source / "pkg"], check=True)
    for number in range(25):
        scene.write(f"other/{number}", "x")
    scene.changed(scene.source)
    scene.wait_synced()
    assert (scene.target / "foreign").read_text() == (scene.target / "pkg/foreign").read_text() == "mine"
    assert [path.name for path in (scene.target / "pkg").iterdir()] == ["foreign"]


@pytest.mark.timeout(scale.seconds(60))
def test_s19_nothing_diverges_with_the_real_agent(agent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replica, "FIRST_RETRY", 0.005)
    monkeypatch.setattr(replica, "LONGEST_RETRY", 0.05)

    class World(ProcessWorld):
        binary = agent

    class Machine(SyncMachine):
        make_world = staticmethod(World)

    runs = settings(
        max_examples=scale.scaled(15, full=1000),
        stateful_step_count=25,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.reuse, Phase.generate),
    )
    run_state_machine_as_test(Machine, settings=runs)
