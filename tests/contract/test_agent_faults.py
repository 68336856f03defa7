"""What goes wrong in containers: full and read-only disks, other users' folders, mounts, killed and silent streams."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devenv.sync import protocol as p
from devenv.sync import replies as r
from tests.contract.agent_streams import NATIVE, Agents, Stream, command_of, process_of
from tests.contract.test_agent import NOW, put
from tests.scale import scaled, seconds

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount, and start programs as another user")
OTHER = 12345


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("programs")


@pytest.fixture(params=["amd64", "arm64"])
def agents(request: pytest.FixtureRequest, programs: Path, tmp_path: Path) -> Iterator[Agents]:
    made = Agents(tmp_path, command_of(request.param, programs))
    yield made
    made.close()


@pytest.fixture
def native(programs: Path, tmp_path: Path) -> Iterator[Agents]:
    made = Agents(tmp_path, command_of(NATIVE, programs))
    yield made
    made.close()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user reaches."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


Mount = Callable[..., Path]


@pytest.fixture
def mount() -> Iterator[Mount]:
    """Mounts something at a place; all is taken away at the end."""
    places: list[Path] = []

    def mounted(place: Path, *options: str) -> Path:
        subprocess.run(["mount", *options, str(place)], check=True)
        places.append(place)
        return place

    yield mounted
    for place in reversed(places):
        subprocess.run(["umount", "-l", str(place)], check=True)


@needs_root
def test_s10_another_users_folder(programs: Path, open_folder: Path) -> None:
    command = command_of(NATIVE, open_folder)
    agents = Agents(open_folder, command)
    os.chown(agents.state, OTHER, OTHER)
    (agents.target / "ours").mkdir()
    os.chown(agents.target / "ours", OTHER, OTHER)
    stream = agents.open(user=OTHER)
    assert stream.hello(agents.target).uid == OTHER
    # Staging is in the target itself: who may not write there can't sync into it.
    failed = stream.commit(put("f"), put("ours/f"), p.MakeDir(0, 0o755, "d"), p.Link(0, "l", "x"))
    assert failed == dict.fromkeys(["f", "ours/f", "d", "l"], errno.EACCES)
    (agents.target / "theirs").write_text("x")
    (agents.target / "theirs").chmod(0o600)
    assert stream.rows(p.List(0, ("theirs",)))["theirs"].kind == "!"
    assert stream.ask(p.Get(0, "theirs"), r.Done).status == errno.EACCES
    assert stream.commit(p.Delete(0, ord("f"), "theirs")) == {"theirs": errno.EACCES}
    assert stream.commit(p.ChangeMode(0, 0o644, NOW, "theirs")) == {"theirs": errno.EPERM}
    os.chown(agents.target, OTHER, OTHER)
    assert stream.commit(put("f"), put("theirs"), p.MakeDir(0, 0o755, "ours")) == {}
    assert (agents.target / "f").stat().st_uid == OTHER
    stream.close()


@needs_root
def test_s10_folders_that_are_read_only_to_their_owner(open_folder: Path) -> None:
    agents = Agents(open_folder, command_of(NATIVE, open_folder))
    (agents.target / "ro/deep").mkdir(parents=True)
    (agents.target / "ro/old").touch()
    for place in (
        agents.state,
        agents.target,
        agents.target / "ro",
        agents.target / "ro/deep",
        agents.target / "ro/old",
    ):
        os.chown(place, OTHER, OTHER)
    (agents.target / "ro").chmod(0o555)
    stream = agents.open(user=OTHER)
    stream.hello(agents.target)
    assert stream.commit(put("ro/f"), p.MakeDir(0, 0o755, "ro/d"), p.Delete(0, ord("f"), "ro/old")) == {}
    assert sorted(os.listdir(agents.target / "ro")) == ["d", "deep", "f"]
    assert (agents.target / "ro").stat().st_mode & 0o777 == 0o555
    stream.close()


def test_s10_the_umask_does_not_matter(agents: Agents) -> None:
    stream = agents.open(umask=0o077)
    stream.hello(agents.target)
    assert stream.commit(p.MakeDir(0, 0o755, "d"), put("d/f", mode=0o644), put("e/f", mode=0o755)) == {}
    modes = {path: (agents.target / path).stat().st_mode & 0o777 for path in ("d", "d/f", "e", "e/f")}
    assert modes == {"d": 0o755, "d/f": 0o644, "e": 0o755, "e/f": 0o755}
    stream.send(p.Exec(("sh", "-c", "umask")))
    assert stream.answer(r.Output).data == b"0077\n"


@needs_root
def test_s17_a_full_disk_that_has_room_again(agents: Agents, mount: Mount) -> None:
    mount(agents.target, "-t", "tmpfs", "-o", "size=64k", "none")
    stream = agents.greeted()
    (agents.target / "hog").write_bytes(b"x" * 40_000)
    assert stream.commit(put("big", b"y" * 40_000)) == {"big": errno.ENOSPC}
    assert os.listdir(agents.target) == ["hog"]
    (agents.target / "hog").unlink()
    assert stream.commit(put("big", b"y" * 40_000)) == {}
    assert (agents.target / "big").stat().st_size == 40_000


def test_more_failures_than_a_frame_holds(native: Agents) -> None:
    stream = native.greeted()
    paths = [f"{number:04}/{'x' * 250}/../y" for number in range(2000)]
    failed = stream.commit(*map(put, paths))
    assert list(failed) == [*paths[: len(failed) - 1], ""]
    assert len(failed) > 500


@needs_root
def test_a_read_only_disk(agents: Agents, mount: Mount) -> None:
    mount(agents.target, "-t", "tmpfs", "-o", "ro", "none")
    stream = agents.greeted()
    failed = stream.commit(put("f"), p.MakeDir(0, 0o755, "d"), p.Link(0, "l", "x"))
    assert failed == dict.fromkeys("fdl", errno.EROFS)


@needs_root
def test_a_mounted_file_is_written_in_place(agents: Agents, mount: Mount) -> None:
    source = agents.folder / "config"
    source.write_text("a longer old content")
    (agents.target / "f").touch()
    mount(agents.target / "f", "--bind", str(source))
    stream = agents.greeted()
    assert stream.commit(put("f", mode=0o600)) == {}
    assert (source.read_text(), source.stat().st_mtime_ns) == ("new", NOW)
    assert stream.commit(p.Delete(0, ord("f"), "f")) == {"f": errno.EBUSY}
    subprocess.run(["mount", "-o", "remount,bind,ro", str(agents.target / "f")], check=True)
    assert stream.commit(put("f", b"newer")) == {"f": errno.EROFS}
    assert source.read_text() == "new"


@needs_root
def test_a_volume_below_the_target(agents: Agents, mount: Mount) -> None:
    (agents.target / "data/was").mkdir(parents=True)
    mount(agents.target / "data", "-t", "tmpfs", "none")
    (agents.target / "data/x").mkdir()
    stream = agents.greeted()
    assert stream.commit(put("data/f", mode=0o755), p.Link(0, "data/l", "f"), put("data/d/g"), put("data/x")) == {}
    assert sorted(os.listdir(agents.target / "data")) == ["d", "f", "l", "x"]
    status = (agents.target / "data/f").stat()
    assert (status.st_mode & 0o777, status.st_mtime_ns) == (0o755, NOW)
    assert stream.commit(put("data/f", b"again"), p.Delete(0, ord("l"), "data/l")) == {}
    assert (agents.target / "data/f").read_text() == "again"
    assert os.listdir(agents.target) == ["data"]


def test_a_running_program_is_replaced(agents: Agents) -> None:
    place = agents.target / "tool"
    shutil.copy("/bin/sleep", place)
    with subprocess.Popen([place, "60"]) as running:
        assert agents.greeted().commit(put("tool", b"#!/bin/sh\necho new\n", mode=0o755)) == {}
        assert subprocess.check_output([place], text=True) == "new\n"
        assert running.poll() is None
        running.kill()


def test_s14_a_killed_agent_leaves_no_half_file(agents: Agents) -> None:
    before = "old"
    (agents.target / "f").write_text(before)
    for number in range(scaled(5, full=100)):
        stream = agents.open()
        stream.hello(agents.target)
        stream.send(*(put(f"d{number}/{name}", b"x" * 5000) for name in range(40)), put("f", b"new" * number))
        stream.send(p.Commit(0), p.Put(0, 0o644, NOW, 100_000, "half", b"x" * 40_000))
        time.sleep(0.002 * (number % 8))
        process_of(stream).kill()
        process_of(stream).wait()
        for place in agents.target.glob("d*/*"):
            assert place.stat().st_size == 5000
        after = (agents.target / "f").read_text()
        assert after in (before, "new" * number)
        before = after
        assert not (agents.target / "half").exists()
        again = agents.greeted()
        assert not (agents.target / ".devenv-stage").exists()
        there = {str(place.relative_to(agents.target)) for place in agents.target.glob("d*/*")}
        assert there <= set(again.rows(p.Record(0)))
        again.close()


def test_an_agent_that_hears_nothing_ends(agents: Agents) -> None:
    stream = agents.open(env={"DEVENV_AGENT_SILENCE_MS": "400"})
    stream.hello(agents.target)
    stream.send(put("f"))
    for _ in range(5):
        time.sleep(0.2)
        assert stream.ask(p.Ping(b"here"), r.Pong).data == b"here"
    with pytest.raises(EOFError):
        stream.next()
    assert os.listdir(agents.target) == []


def test_a_holder_that_hangs_is_killed(native: Agents) -> None:
    first = native.greeted()
    process_of(first).send_signal(signal.SIGSTOP)
    second = native.open()
    second.hello(native.target, flags=p.TAKE_OVER)
    assert process_of(first).wait(10) == -signal.SIGKILL


def test_a_stream_without_targets_holds_nothing(agents: Agents) -> None:
    first = agents.greeted()
    second = agents.open()
    second.hello()
    assert second.ask(p.Ping(b"x"), r.Pong).data == b"x"
    second.send(p.Get(p.ABSOLUTE, "/proc/version"))
    assert second.answer(r.File).size == 0
    assert second.answer(r.Content).data
    assert second.answer(r.Done).status == 0
    assert first.commit(put("f")) == {}


def test_exec(agents: Agents) -> None:
    stream = agents.greeted()

    def run(*argv: str) -> tuple[int, dict[int, bytes]]:
        stream.send(p.Exec(argv), batch=3)
        out = {1: b"", 2: b""}
        while isinstance(frame := stream.next()[1], r.Output):
            out[frame.stream] += frame.data
        assert isinstance(frame, r.Done)
        return frame.status, out

    assert run("sh", "-c", "echo out; echo err >&2; exit 3") == (3, {1: b"out\n", 2: b"err\n"})
    assert run("sh", "-c", "kill -9 $$") == (137, {1: b"", 2: b""})
    assert run("cat") == (0, {1: b"", 2: b""})
    assert run("devenv-no-such-program")[0] == 127
    assert run("/")[0] == 126
    assert run("sh", "-c", "sleep 60 & echo started") == (0, {1: b"started\n", 2: b""})
    code, out = run("sh", "-c", "head -c 3000000 /dev/zero")
    assert (code, len(out[1])) == (0, 3_000_000)
    assert "SigBlk:\t0000000000000000" in run("grep", "SigBlk", "/proc/self/status")[1][1].decode()


def test_long_requests_do_not_hold_up_a_ping(agents: Agents) -> None:
    stream = agents.greeted()
    stream.send(p.Exec(("sh", "-c", "sleep 1; echo done")), put("f"), p.Commit(0), p.Ping(b"first"))
    assert stream.answer(r.Pong).data == b"first"
    assert not (agents.target / "f").exists()
    assert stream.answer(r.Output).data == b"done\n"
    assert stream.answer(r.Done).status == 0
    assert stream.answer(r.Ack).failed == ()
    assert stream.ask(p.Ping(b"last"), r.Pong).data == b"last"


def test_the_end_of_a_stream_ends_its_command(native: Agents) -> None:
    stream = native.open(env={"DEVENV_AGENT_GRACE_MS": "300"})
    stream.hello(native.target)
    stream.send(p.Exec(("sh", "-c", "trap '' TERM; echo $$; while :; do sleep 0.1; done")))
    pid = int(stream.answer(r.Output).data)
    stream.close()
    assert not os.path.exists(f"/proc/{pid}")


def test_answers_that_nobody_reads_do_not_stop_the_agent_from_reading(native: Agents) -> None:
    """Both ways are full at once: neither end may wait for the other for ever."""
    stream = native.greeted()
    (native.target / "f").write_bytes(b"x" * 3_000_000)
    writing = threading.Thread(target=lambda: stream.send(*[p.Get(0, "f"), p.Ping(b"y" * 100_000)] * 10), daemon=True)
    writing.start()
    time.sleep(0.3)
    got, pongs, done = 0, 0, 0
    while (pongs, done) != (10, 10):
        frame = stream.next()[1]
        got += len(frame.data) if isinstance(frame, r.Content) else 0
        pongs += isinstance(frame, r.Pong)
        done += isinstance(frame, r.Done)
    assert got == 30_000_000


def rss(stream: Stream, what: str = "VmRSS") -> int:
    """Memory of a stream's agent in kB."""
    lines = Path(f"/proc/{process_of(stream).pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(what))


@pytest.mark.timeout(seconds())
def test_a_million_frames_take_no_memory(native: Agents) -> None:
    stream = native.greeted()
    stream.commit(put("f", b"x" * 40_000))
    before = rss(stream)
    for number in range(scaled(10_000, full=1_000_000) // 20):
        frames: list[p.Frame] = [put(f"d/f{(number * 16 + i) % 1000}", b"x" * 100) for i in range(16)]
        stream.send(*frames, p.Ping(b"x"), p.ChangeMode(0, 0o755, NOW, "f"), p.Delete(0, ord("f"), "no"), p.Commit(0))
        while not isinstance(stream.next()[1], r.Ack):
            continue
    assert rss(stream) - before <= 256
    assert rss(stream, "VmHWM") <= 1024
    assert set(stream.rows(p.Record(0))) >= {"f", "d/f0"}
    assert sum(place.stat().st_size for place in native.state.iterdir()) < 4_000_000


@pytest.mark.timeout(seconds())
def test_s16_readers_see_whole_files(native: Agents) -> None:
    stream = native.greeted()
    paths = [native.target / "d" / f"f{number}" for number in range(4)]
    versions = [bytes([65 + number]) * (20_000 + number * 7919) for number in range(8)]
    stream.commit(*(put(f"d/{place.name}", versions[0]) for place in paths))
    reads, faults, stop = [0], [], threading.Event()

    def read() -> None:
        while not stop.is_set():
            for place in paths:
                try:
                    faults.extend([] if place.read_bytes() in versions else [f"{place}: torn"])
                except OSError as error:
                    faults.append(f"{place}: {error}")
                reads[0] += 1

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    number = 0
    while reads[0] < scaled(10_000, full=200_000) or number < 50:
        number += 1
        stream.commit(*(put(f"d/{place.name}", versions[number % 8]) for place in paths), p.MakeDir(0, 0o755, "d"))
    stop.set()
    for reader in readers:
        reader.join()
    assert faults == []
