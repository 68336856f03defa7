"""S13: what is watched stays watched, whatever becomes of the folder and of the kernel's patience."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from devenv import problems
from devenv.errors import SyncError
from devenv.host import watching
from devenv.host.inotify import InotifyFolder, OutOfWatchesError
from devenv.host.mounts import file_system, is_silent
from devenv.host.watching import FolderWatcher
from devenv.ports import Change
from tests.scale import scaled
from tests.unit.host.told import Told


@contextmanager
def watched(*folders: Path, poll: bool = False) -> Iterator[Told]:
    told = Told()
    with FolderWatcher(tick=0.05).watch(folders, told.put, poll=poll):
        yield told


@contextmanager
def reading(folder: Path, told: Told) -> Iterator[InotifyFolder]:
    from watchdog.observers.inotify_c import InotifyFD

    reader = InotifyFD()
    reader.start()
    tree = InotifyFolder(reader, folder, told.put, on_exhausted=lambda: None)
    tree.start()
    yield tree
    reader.stop()
    reader.join()


def test_ignored_folders_are_not_watched(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("build/\n")
    for folder in ("node_modules/x", "build", ".git/objects", "src/.venv/lib", "src/deep"):
        (tmp_path / folder).mkdir(parents=True)
    with reading(tmp_path, Told()) as tree:
        assert tree.watched == 3  # the source itself, src and src/deep


def test_s12_what_is_watched_follows_the_ignore_files(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("build/\n")
    for folder in ("build/deep", "logs"):
        (tmp_path / folder).mkdir(parents=True)
    told = Told()
    with reading(tmp_path, told) as tree:
        told.until_written(tmp_path / "logs/a")
        (tmp_path / ".gitignore").write_text("logs/\n")
        told.until(lambda change: change == Change(tmp_path / ".gitignore"))
        told.until_written(tmp_path / "build/deep/a")
        assert tree.watched == 3
        (tmp_path / "logs/b").write_text("x")
        assert tmp_path / "logs/b" not in told.until_written(tmp_path / "build/b")


def test_s12_a_folder_brings_its_ignore_file_along(tmp_path: Path) -> None:
    for folder in ("plain/deep", "strict/deep"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "strict/.gitignore").write_text("deep/\n")
    told = Told()
    with reading(tmp_path, told) as tree:
        assert tree.watched == 4
        (tmp_path / "strict").rename(tmp_path / "aside")
        (tmp_path / "plain").rename(tmp_path / "strict")
        told.until(lambda change: change == Change(tmp_path / "strict"))
        told.until_written(tmp_path / "strict/deep/a")


def test_a_new_tree_is_watched_to_its_leaves(tmp_path: Path) -> None:
    with watched(tmp_path) as told:
        (tmp_path / "a/b/c").mkdir(parents=True)
        told.until(lambda change: change.path == tmp_path / "a")
        while not told_of(told, tmp_path / "a/b/c/file"):
            continue


def test_s13_a_folder_moved_out_is_no_longer_told_and_one_moved_in_is(tmp_path: Path) -> None:
    (tmp_path / "src/sub/deep").mkdir(parents=True)
    with watched(tmp_path / "src") as told:
        (tmp_path / "src/sub").rename(tmp_path / "sub")
        told.until(lambda change: change == Change(tmp_path / "src/sub", settled=False))
        (tmp_path / "sub/deep/phantom").write_text("x")
        assert not [path for path in told.until_written(tmp_path / "src/a") if path.name == "phantom"]
        (tmp_path / "sub").rename(tmp_path / "src/back")
        told.until(lambda change: change == Change(tmp_path / "src/back"))
        told.until_written(tmp_path / "src/back/deep/a")


def test_a_move_out_of_the_tree_delays_nothing(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src/a").write_text("x")
    with watched(tmp_path / "src") as told:
        (tmp_path / "src/a").rename(tmp_path / "a")
        seen = told.until_written(tmp_path / "src/b")
    # watchdog's own grouping would hold both back for half a second, and the first then comes after any other event.
    assert tmp_path / "src/a" in seen


def test_s13_a_root_that_was_deleted_and_made_again_is_watched(tmp_path: Path) -> None:
    root = tmp_path / "above/src"
    root.mkdir(parents=True)
    with watched(root) as told:
        for gone in (root, root.parent):
            shutil.rmtree(gone)
            told.until(lambda change: change.path == root)
            root.mkdir(parents=True)
            told.until(lambda change: change == Change(root))
            while not told_of(told, root / "a"):
                continue


def told_of(told: Told, place: Path) -> bool:
    """Whether a write is told; between a folder's coming and its watch, it is the folder that is told."""
    place.write_text("x")
    seen = told.until(lambda change: change.path in (place, place.parent))
    return seen[-1].path == place


def test_s13_a_root_that_is_a_link_is_watched_where_it_leads_to_now(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    (tmp_path / "current").symlink_to("one")
    with watched(tmp_path / "current") as told:
        told.until_written(tmp_path / "current/a")
        (tmp_path / "new").symlink_to("two")
        (tmp_path / "new").rename(tmp_path / "current")
        told.until(lambda change: change == Change(tmp_path / "current"))
        told.until_written(tmp_path / "current/b")


def test_a_source_that_comes_later_is_watched(tmp_path: Path) -> None:
    with watched(tmp_path / "above/src") as told:
        (tmp_path / "above/src").mkdir(parents=True)
        told.until(lambda change: change.path == tmp_path / "above/src")
        while not told_of(told, tmp_path / "above/src/a"):
            continue


def test_a_machine_that_slept_looks_at_everything(tmp_path: Path) -> None:
    slept, told = [0.0], Told()
    with FolderWatcher(tick=0.01, asleep=lambda: slept[0]).watch([tmp_path], told.put):
        slept[0] = 600.0
        assert told.until(lambda change: change.overflow)


def test_watching_polled_tells_what_comes_changes_and_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devenv.host.polling.INTERVAL", 0.02)
    (tmp_path / "gone").write_text("x")
    with watched(tmp_path, poll=True) as told:
        told.until(lambda change: change == Change(tmp_path))
        (tmp_path / "gone").unlink()
        told.until(lambda change: change.path == tmp_path / "gone")
        (tmp_path / "deep").mkdir()
        (tmp_path / "deep/new").write_text("x")
        told.until(lambda change: change.path == tmp_path / "deep/new")
        (tmp_path / "deep/new").chmod(0o700)
        told.until(lambda change: change.path == tmp_path / "deep/new")
        (tmp_path / "a.pyc").write_text("x")
        (tmp_path / "last").write_text("x")
        seen = told.until(lambda change: change.path == tmp_path / "last")
        assert tmp_path / "a.pyc" not in {change.path for change in seen}


LINES = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/root rw
30 22 0:25 / /mnt/c rw - 9p drvfs rw
31 22 0:26 / /mnt/my\\040share rw shared:2 - nfs4 host:/x rw
32 30 0:27 / /mnt/c/fast rw - tmpfs tmpfs rw
33 22 0:28 / /home/me/remote rw - fuse.sshfs me@host:/ rw
"""


@pytest.mark.parametrize(
    ("place", "kind", "silent"),
    [
        ("/home/me/src", "ext4", False),
        ("/mnt/c/src", "9p", True),
        ("/mnt/cc", "ext4", False),
        ("/mnt/my share/src", "nfs4", True),
        ("/mnt/c/fast/src", "tmpfs", False),
        ("/home/me/remote", "fuse.sshfs", True),
    ],
)
def test_where_no_events_come_the_folder_is_polled(tmp_path: Path, place: str, kind: str, silent: bool) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(LINES)
    assert file_system(Path(place), mounts) == kind
    assert is_silent(Path(place), mounts) == silent


def test_without_a_reader_of_events_it_is_polled_and_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise OutOfWatchesError

    monkeypatch.setattr(watching, "_reader", refuse)
    monkeypatch.setattr("devenv.host.polling.INTERVAL", 0.02)
    with watched(tmp_path) as told:
        problem = told.until(lambda change: change.problem is not None)[-1].problem
        assert isinstance(problem, SyncError)
        assert problem.problem is problems.WATCH_LIMIT
        assert "fs.inotify.max_user_instances" in problem.hint
        told.until(lambda change: change == Change(tmp_path))
        (tmp_path / "a").write_text("x")
        told.until(lambda change: change.path == tmp_path / "a")


EXHAUSTED = """
import queue, sys
from pathlib import Path
from devenv.host.watching import FolderWatcher
folder, told = Path(sys.argv[1]), queue.Queue()
with FolderWatcher(tick=0.05).watch([folder], told.put):
    print("watching", flush=True)
    while True:
        change = told.get(timeout=20)
        print(change.problem.hint if change.problem else change.path, flush=True)
"""


def in_a_namespace_with(watches: int, program: str, folder: Path) -> subprocess.Popen[str]:
    """A process whose user may watch only so many folders: the limit belongs to its user namespace."""
    limit = f'echo {watches} > /proc/sys/user/max_inotify_watches; exec "$@"'
    command = [
        "unshare",
        "--user",
        "--map-root-user",
        "sh",
        "-c",
        limit,
        "sh",
        sys.executable,
        "-c",
        program,
        str(folder),
    ]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3])


def read_until(process: subprocess.Popen[str], wanted: str) -> None:
    assert process.stdout
    assert next((line for line in process.stdout if wanted in line), None), f"it never said {wanted!r}"


@pytest.mark.parametrize("folders", [40, 5], ids=["at the start", "later"])
def test_s13_without_watches_left_it_says_the_setting_and_polls(tmp_path: Path, folders: int) -> None:
    for number in range(folders):
        (tmp_path / f"d{number}").mkdir()
    with in_a_namespace_with(20, EXHAUSTED, tmp_path) as process:
        try:
            read_until(process, "watching" if folders < 20 else "sysctl fs.inotify.max_user_watches=")
            for number in range(40):
                (tmp_path / f"d{number}/deep").mkdir(parents=True)
            if folders < 20:
                read_until(process, "sysctl fs.inotify.max_user_watches=")
            read_until(process, str(tmp_path))
            (tmp_path / "d39/deep/file").write_text("x")
            read_until(process, str(tmp_path / "d39/deep/file"))
        finally:
            process.kill()


STALLED = """
import queue, sys, time
from pathlib import Path
from devenv.host.watching import FolderWatcher
from devenv.session.sync.sources import Sources
from devenv.sync.debounce import Debounce
folder, told = Path(sys.argv[1]), queue.Queue()
with FolderWatcher().watch([folder], told.put):
    sources = Sources([(folder, "")])
    list(sources.look_again(frozenset([""])))
    print(len(sources.indexes[0].entries), 0, flush=True)
    overflows = 0
    while True:
        dirty = set()
        change = told.get()
        while True:
            overflows += change.overflow
            dirty |= {""} if change.overflow else sources.relevant(change.path)
            try:
                change = told.get(timeout=0.05)
            except queue.Empty:
                break
        list(sources.look_again(frozenset(dirty)))
        digests = sorted((path, entry.digest) for path, entry in sources.indexes[0].entries.items())
        print(len(digests), hash(tuple(digests)), overflows, flush=True)
"""


def test_s13_nothing_is_lost_when_the_reader_stood_still(tmp_path: Path) -> None:
    from devenv.session.sync.sources import Sources

    count = scaled(2_000, full=10_000)
    for number in range(50):
        (tmp_path / f"d{number}").mkdir()
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    command = [sys.executable, "-c", STALLED, str(tmp_path)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3], env=environment
    ) as process:
        try:
            read_until(process, "50 0")
            process.send_signal(signal.SIGSTOP)
            for number in range(20_000):  # more than the kernel keeps, so that what comes now is dropped
                os.utime(tmp_path / f"d{number % 2}")
            for number in range(count):
                (tmp_path / f"d{number % 50}/f{number}").write_text(str(number))
            process.send_signal(signal.SIGCONT)
            sources = Sources([(tmp_path, "")])
            list(sources.look_again(frozenset([""])))
            digests = sorted((path, entry.digest) for path, entry in sources.indexes[0].entries.items())
            code = "import sys; print(hash(tuple(eval(sys.stdin.read()))))"
            wanted = subprocess.run(
                [sys.executable, "-c", code], input=repr(digests), capture_output=True, text=True, env=environment
            ).stdout.strip()
            assert process.stdout
            line = next(line for line in process.stdout if line.split()[:2] == [str(len(digests)), wanted])
            assert int(line.split()[2]) > 0, "the kernel's queue did not overflow: nothing was shown"
        finally:
            process.kill()
