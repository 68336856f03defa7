from __future__ import annotations

from pathlib import Path

import pytest

from devenv.errors import Refused
from devenv.host import project_files
from devenv.host.project_files import LocalProjectFiles


def lay_out(folder: Path, *paths: str) -> None:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(path)


def test_what_tells_something_is_read_and_what_was_fetched_is_not_looked_into(tmp_path: Path) -> None:
    lay_out(tmp_path, "Dockerfile", "src/main.py", "node_modules/x/Dockerfile", ".git/config", "a/.venv/pyproject.toml")
    project = LocalProjectFiles().read(tmp_path)
    assert project.paths == {"Dockerfile", "src/main.py"}
    assert dict(project.texts) == {"Dockerfile": "Dockerfile"}
    assert project.folders == {"src", "node_modules", ".git", "a", "a/.venv"}


def test_large_files_and_those_that_are_no_text_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("x" * (project_files.MOST_BYTES + 1))
    (tmp_path / "b.yaml").write_bytes(b"\xff\xfe")
    assert dict(LocalProjectFiles().read(tmp_path).texts) == {}
    assert LocalProjectFiles().read_text(tmp_path / "none") is None


def test_there_is_an_end_to_files_and_depth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay_out(tmp_path, *(f"{n}.txt" for n in range(9)), "/".join("abcdefghijkl") + "/x")
    (tmp_path / "loop").symlink_to(tmp_path)
    assert len(LocalProjectFiles().read(tmp_path).paths) == 9
    monkeypatch.setattr(project_files, "MOST_FILES", 5)
    project = LocalProjectFiles().read(tmp_path)
    assert len(project.paths) == 5
    assert project.left == ("more than 5 files: the others were not looked at",)


def test_files_are_written_whole_with_their_folders_and_rights(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    (tmp_path / "a").chmod(0o640)
    LocalProjectFiles().write({tmp_path / "a": "new", tmp_path / "p/b": "b"})
    assert ((tmp_path / "a").read_text(), (tmp_path / "p/b").read_text()) == ("new", "b")
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "p"]


def test_where_one_can_not_be_written_none_is(tmp_path: Path) -> None:
    (tmp_path / "p").write_text("a file where a folder is wanted")
    with pytest.raises(Refused) as caught:
        LocalProjectFiles().write({tmp_path / "a": "a", tmp_path / "p/b": "b"})
    assert caught.value.code == "write-failed"
    assert [path.name for path in tmp_path.iterdir()] == ["p"]
