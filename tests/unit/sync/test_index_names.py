"""S3, S8, S9, S11: odd clocks, names and kinds of files, and that a rescan of parts equals a look at everything."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from devenv.sync import index as index_module
from devenv.sync.ignore import Ignore
from devenv.sync.index import Index, rescan

DAY_NS = 86_400 * 1_000_000_000


def look(source: Path) -> Index:
    return rescan(Index(source, newlines=True), Ignore(source), [""])[0]


NAMES = [
    b"a b", b"it's", b'"q"', b"two\nlines", b"-rf", b"*", b"?", b"a:b", b"back\\slash", b"\xff\xfe", "e\u0301".encode(),
    "\u00e9".encode(), b"$HOME", b"`id`", b" lead", b"trail ", b"\x01\x7f", b"x" * 255, b"...", "日本".encode(),
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES, ids=repr)
def test_s8_a_file_of_any_name_is_found_and_its_edit_seen(tmp_path: Path, name: bytes) -> None:
    text = os.fsdecode(name)
    (tmp_path / text).write_text("1")
    index = look(tmp_path)
    assert list(index.entries) == [text]
    (tmp_path / text).write_text("22")
    assert rescan(index, Ignore(tmp_path), [text])[1] == {text}


def test_s8_twins_in_unicode_are_two_files(tmp_path: Path) -> None:
    for name in ("e\u0301", "\u00e9"):
        (tmp_path / name).write_text(name)
    assert len(look(tmp_path).entries) == 2


def test_s8_a_path_of_more_than_1024_bytes_is_found(tmp_path: Path) -> None:
    folder = Path("/".join(["d" * 200] * 7))
    (tmp_path / folder).mkdir(parents=True)
    (tmp_path / folder / "file").write_text("x")
    assert str(folder / "file") in look(tmp_path).entries


def test_s9_links_are_sent_as_links_and_those_that_lead_out_noted(tmp_path: Path) -> None:
    (tmp_path / "dir").mkdir()
    (tmp_path / "dir/file").write_text("x")
    links = {
        "loop": "loop", "one": "two", "two": "one", "dangling": "nothing", "folder": "dir", "up": "dir/../dir/file",
        "absolute": str(tmp_path / "dir"), "out": "../x", "dir/out": "../../x", "dir/in": "../dir/file",
    }  # fmt: skip
    for name, text in links.items():
        (tmp_path / name).symlink_to(text)
    index = look(tmp_path)
    sent = {path: entry.digest for path, entry in index.entries.items() if entry.kind == "link"}
    out = {"absolute", "out", "dir/out"}
    assert sent == {name: "l" + text for name, text in links.items() if name not in out}
    assert index.notes.keys() == out


def test_s9_both_names_of_a_hard_link_are_files_and_follow_an_edit(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    os.link(tmp_path / "a", tmp_path / "b")
    index = look(tmp_path)
    assert index.entries["a"].digest == index.entries["b"].digest
    (tmp_path / "a").write_text("2")
    assert rescan(index, Ignore(tmp_path), [""])[1] == {"a", "b"}


def test_s9_pipes_and_sockets_are_noted_and_forgotten_when_they_go(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
    index = look(tmp_path)
    assert index.notes.keys() == {"pipe", "socket"}
    (tmp_path / "pipe").unlink()
    (tmp_path / "socket").unlink()
    (tmp_path / "pipe").write_text("a file now")
    rescan(index, Ignore(tmp_path), ["pipe", "socket"])
    assert (list(index.entries), index.notes) == (["pipe"], {})


@pytest.mark.parametrize("shift", [-20 * 365 * DAY_NS, -DAY_NS, 0, DAY_NS, 20 * 365 * DAY_NS], ids=str)
def test_s3_an_edit_is_seen_whatever_the_files_time_says(tmp_path: Path, shift: int) -> None:
    place = tmp_path / "a"
    stamp = time.time_ns() + shift
    index = Index(tmp_path)
    for text in ("one", "two", "six"):
        place.write_text(text)
        os.utime(place, ns=(stamp, stamp))
        assert rescan(index, Ignore(tmp_path), ["a"])[1] == {"a"}


def test_s3_a_copy_with_the_old_time_and_size_is_seen(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("one")
    (tmp_path / "other").write_text("two")
    shutil.copystat(tmp_path / "a", tmp_path / "other")
    index = look(tmp_path)
    shutil.copy2(tmp_path / "other", tmp_path / "a")
    assert "a" in rescan(index, Ignore(tmp_path), ["a"])[1]


@pytest.mark.parametrize("jump", [-DAY_NS, DAY_NS])
def test_s3_a_clock_that_jumps_hides_no_edit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jump: int) -> None:
    real = time.time_ns
    place = tmp_path / "a"
    index = Index(tmp_path)
    for step, text in enumerate(("one", "two", "six")):
        monkeypatch.setattr("devenv.sync.entries.time.time_ns", lambda step=step: real() + step * jump)
        place.write_text(text)
        assert rescan(index, Ignore(tmp_path), ["a"])[1] == {"a"}


def test_a_file_that_was_just_written_is_read_again_and_an_old_one_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_text("x")
    index = look(tmp_path)
    assert index.entries["a"].racy
    now = time.time_ns()
    monkeypatch.setattr("devenv.sync.entries.time.time_ns", lambda: now + 3_000_000_000)
    rescan(index, Ignore(tmp_path), [""])
    entry = index.entries["a"]
    assert not entry.racy
    rescan(index, Ignore(tmp_path), [""])
    assert index.entries["a"] is entry


@contextmanager
def folding(monkeypatch: pytest.MonkeyPatch, source: Path) -> Iterator[None]:
    """A file system that answers to names in any case, by what its folders list."""
    real = os.lstat

    def found(place: str) -> str:
        folder, name = os.path.split(place)
        names = os.listdir(folder)
        same = [other for other in names if other.lower() == name.lower()]
        return os.path.join(folder, name if name in names else same[0] if same else name)

    monkeypatch.setattr(os, "lstat", lambda place: real(found(str(place))))
    monkeypatch.setattr(index_module, "_folds_case", lambda folder: True)
    yield


def test_s11_where_case_does_not_count_a_file_is_known_by_the_name_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with folding(monkeypatch, tmp_path):
        (tmp_path / "Foo.py").write_text("x")
        index = look(tmp_path)
        assert rescan(index, Ignore(tmp_path), ["foo.py", "FOO.py"])[1] == frozenset()
        assert list(index.entries) == ["Foo.py"]
        (tmp_path / "Foo.py").rename(tmp_path / "foo.py")
        assert rescan(index, Ignore(tmp_path), ["Foo.py", "foo.py"])[1] == {"Foo.py", "foo.py"}
        assert list(index.entries) == ["foo.py"]


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True)


@pytest.mark.parametrize("version", ["2", "4"])
def test_s11_a_twin_that_only_gits_index_knows_is_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    source = tmp_path / "src"
    for path in ("Foo.py", "foo.py", "Pkg/a.py", "pkg/b.py", "deep/er/x", "other.py", "gone.py", "Gone.py"):
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).write_text("x")
    (tmp_path / "outside.py").touch()
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "--intent-to-add", "outside.py")
    git(tmp_path, "add", "src")
    git(tmp_path, "update-index", f"--index-version={version}")
    for path in ("foo.py", "pkg/b.py", "gone.py", "Gone.py"):
        (source / path).unlink()
    (source / "pkg").rmdir()
    assert look(source).notes == {}
    with folding(monkeypatch, source):
        index = look(source)
        assert index.notes == {
            "foo.py": "git has it beside Foo.py, and this file system takes both for one",
            "pkg": "git has it beside Pkg, and this file system takes both for one",
        }
        git(tmp_path, "rm", "-q", "--cached", "src/foo.py", "src/pkg/b.py")
        rescan(index, Ignore(source), [""])
        assert index.notes == {}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"DIRC",
        b"DIRC\0\0\0\x09\0\0\0\x01",
        b"DIRC\0\0\0\2\0\0\0\1" + b"x" * 70,
        b"DIRC\0\0\0\4\0\0\0\1" + b"\0" * 62,
    ],
)
def test_an_index_of_git_that_is_none_is_nobodys_concern(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / ".git/index").write_bytes(data)
    (tmp_path / "a").touch()
    with folding(monkeypatch, tmp_path):
        index = look(tmp_path)
    assert (list(index.entries), index.notes) == (["a"], {})


def test_a_file_system_where_case_counts_is_known_as_one(tmp_path: Path) -> None:
    assert not look(tmp_path).folds


@contextmanager
def as_another_user() -> Iterator[None]:
    """Root reads everything, so it is not root that looks."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(before)


@pytest.fixture
def open_path() -> Iterator[Path]:
    """Unlike pytest's own, one that anybody may enter."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.parametrize("closed", ["dir", "dir/file", "dir/sub"])
def test_what_can_not_be_read_stays_as_it_was_and_is_noted(open_path: Path, closed: str) -> None:
    tmp_path = open_path
    (tmp_path / "dir/sub").mkdir(parents=True)
    for path in ("dir/file", "dir/sub/file"):
        (tmp_path / path).write_text("x")
    index = look(tmp_path)
    before = dict(index.entries)
    (tmp_path / closed).chmod(0)
    with as_another_user():
        for places in ([""], ["dir/file", "dir/sub/file"], [closed]):
            assert rescan(index, Ignore(tmp_path), places)[1] == frozenset()
    assert index.entries.keys() == before.keys()
    assert index.notes
    (tmp_path / closed).chmod(0o755 if closed != "dir/file" else 0o644)
    with as_another_user():
        rescan(index, Ignore(tmp_path), [""])
    assert not index.notes
