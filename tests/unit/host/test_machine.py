from __future__ import annotations

import fcntl
import os
import socket
from pathlib import Path

import pytest

from devenv.checks.facts import InotifyUse
from devenv.host.machine import LocalFiles, LocalMachine


@pytest.fixture
def files() -> LocalFiles:
    return LocalFiles()


def test_what_is_at_a_path(files: LocalFiles, tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_text("x")
    file.chmod(0o640)
    found = files.look(file)
    assert found
    assert (found.kind, found.mode, found.owner, found.writable) == ("file", 0o640, os.getuid(), True)
    assert (files.look(tmp_path / "none"), files.read(tmp_path / "none"), files.read(file)) == (None, None, "x")
    folder = files.look(tmp_path)
    assert folder
    assert folder.kind == "folder"


def test_a_file_below_a_file_is_not_there(files: LocalFiles, tmp_path: Path) -> None:
    (tmp_path / "f").write_text("")
    assert files.read(tmp_path / "f/g") is None
    assert (files.entries(tmp_path / "f"), files.entries(tmp_path / "none")) == ([], [])


def test_folders_are_counted_and_links_not_followed(files: LocalFiles, tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "link").symlink_to("/usr")
    (tmp_path / "file").write_text("")
    assert files.count_folders(tmp_path) == 3
    assert (files.count_folders(tmp_path / "file"), files.count_folders(tmp_path / "none")) == (1, 0)


def test_space(files: LocalFiles, tmp_path: Path) -> None:
    assert (files.space(tmp_path) or 0) > 0
    assert files.space(tmp_path / "none") is None


def test_a_lock_is_seen_and_left(files: LocalFiles, tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert files.is_locked(path) is False
    with path.open("w") as file:
        assert files.is_locked(path) is False
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert files.is_locked(path) is True
    folder = os.open(tmp_path, os.O_RDONLY)
    assert files.is_locked(tmp_path) is False
    fcntl.flock(folder, fcntl.LOCK_EX)
    assert files.is_locked(tmp_path) is True
    os.close(folder)
    assert not (tmp_path / "none").exists()


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """A process with two inotify instances and a file open."""
    folder = tmp_path / "proc/812"
    (folder / "fd").mkdir(parents=True)
    (folder / "fdinfo").mkdir()
    for number, target in ((3, "anon_inode:inotify"), (4, "/dev/null"), (5, "anon_inode:inotify")):
        (folder / "fd" / str(number)).symlink_to(target)
    (folder / "fdinfo/3").write_text(
        "pos:\t0\nflags:\t02004000\ninotify wd:2 ino:1 sdev:1\ninotify wd:1 ino:2 sdev:1\n"
    )
    (tmp_path / "proc/self").symlink_to("812")
    (tmp_path / "proc/813").mkdir()
    return tmp_path / "proc"


def test_inotify_in_use_is_counted(proc: Path) -> None:
    assert LocalMachine(proc=proc).inotify() == InotifyUse(instances=2, watches=2)


def test_this_machine() -> None:
    machine = LocalMachine()
    assert machine.open_files() > 0
    assert (machine.home, machine.uid) == (Path.home(), os.getuid())


def test_a_socket_is_a_socket(files: LocalFiles, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        found = files.look(tmp_path / "s")
    assert found
    assert found.kind == "socket"
