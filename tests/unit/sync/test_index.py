from __future__ import annotations

import os
from pathlib import Path

import pytest

from devenv.sync.ignore import Ignore
from devenv.sync.index import Index, rescan, scan


def look(source: Path, **options: object) -> Index:
    return scan(source, Ignore(source), **options)  # type: ignore[arg-type]


def age(place: Path) -> None:
    os.utime(place, ns=(1_600_000_000_000_000_000, 1_600_000_000_000_000_000))


def test_files_folders_and_links_are_found(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/run.sh").write_text("x")
    (tmp_path / "a/run.sh").chmod(0o755)
    (tmp_path / "link").symlink_to("a/run.sh")
    index = look(tmp_path)
    assert {path: entry.digest[0] for path, entry in index.entries.items()} == {"a": "d", "a/run.sh": "x", "link": "l"}


def test_ignored_paths_are_not_found(tmp_path: Path) -> None:
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__/x.pyc").touch()
    assert not look(tmp_path).entries


@pytest.mark.parametrize("text", ["/etc/passwd", "../outside", "a/../../outside"])
def test_a_link_that_leads_out_is_skipped_with_a_note(tmp_path: Path, text: str) -> None:
    (tmp_path / "link").symlink_to(text)
    index = look(tmp_path)
    assert not index.entries
    assert "link" in index.notes


def test_pipes_and_names_with_a_newline_are_skipped_with_a_note(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "two\nlines").touch()
    index = look(tmp_path)
    assert not index.entries
    assert set(index.notes) == {"pipe", "two\nlines"}


def test_a_name_that_is_no_utf8_survives(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"\xff\xe9")).touch()
    assert os.fsencode(next(iter(look(tmp_path).entries))) == b"\xff\xe9"


def test_a_single_file_stands_under_its_name_in_the_container(tmp_path: Path) -> None:
    (tmp_path / "local.toml").write_text("x")
    index = scan(tmp_path / "local.toml", Ignore(tmp_path), name="remote.toml")
    assert set(index.entries) == {"remote.toml"}
    assert index.locate("remote.toml") == tmp_path / "local.toml"


def test_a_missing_source_is_said_to_be_missing(tmp_path: Path) -> None:
    assert look(tmp_path / "nothing").missing


def test_a_same_size_edit_with_the_old_time_put_back_is_seen(tmp_path: Path) -> None:
    place = tmp_path / "a"
    place.write_text("one")
    age(place)
    before = look(tmp_path)
    place.write_text("two")
    age(place)
    _, changed = rescan(before, Ignore(tmp_path), ["a"])
    assert changed == {"a"}


def test_a_rescan_names_what_came_went_and_changed(tmp_path: Path) -> None:
    for name in ("same", "edited", "gone"):
        (tmp_path / name).write_text(name)
    before = look(tmp_path)
    (tmp_path / "edited").write_text("new")
    (tmp_path / "gone").unlink()
    (tmp_path / "new/deep").mkdir(parents=True)
    (tmp_path / "new/deep/file").touch()
    after, changed = rescan(before, Ignore(tmp_path), ["same", "edited", "gone", "new/deep/file"])
    assert changed == {"edited", "gone", "new", "new/deep", "new/deep/file"}
    assert after.entries.keys() == look(tmp_path).entries.keys()


def test_only_what_is_dirty_is_looked_at(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    before = look(tmp_path)
    (tmp_path / "unnoticed").touch()
    (tmp_path / "b").touch()
    _, changed = rescan(before, Ignore(tmp_path), ["b"])
    assert changed == {"b"}


def test_a_folder_that_became_a_file_takes_its_content_along(tmp_path: Path) -> None:
    (tmp_path / "x/y").mkdir(parents=True)
    (tmp_path / "x/y/z").touch()
    before = look(tmp_path)
    (tmp_path / "x/y/z").unlink()
    (tmp_path / "x/y").rmdir()
    (tmp_path / "x").rmdir()
    (tmp_path / "x").touch()
    after, changed = rescan(before, Ignore(tmp_path), ["x/y/z"])
    assert changed == {"x", "x/y", "x/y/z"}
    assert set(after.entries) == {"x"}
