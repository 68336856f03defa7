"""A step's hash follows its inputs, and nothing else."""

from pathlib import Path

import pytest

from tests.testbed.fingerprints import fingerprint


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside" / "a").write_text("1")
    (tmp_path / "b").write_text("2")
    return tmp_path


def test_the_same_inputs_give_the_same_hash(folder: Path) -> None:
    assert fingerprint(folder, "x") == fingerprint(folder, "x")


def test_contents_count(folder: Path) -> None:
    before = fingerprint(folder)
    (folder / "b").write_text("3")
    assert fingerprint(folder) != before


def test_names_count(folder: Path) -> None:
    before = fingerprint(folder)
    (folder / "b").rename(folder / "c")
    assert fingerprint(folder) != before


def test_whether_a_file_can_be_executed_counts(folder: Path) -> None:
    before = fingerprint(folder)
    (folder / "b").chmod(0o755)
    assert fingerprint(folder) != before


def test_where_the_folder_lies_does_not_count(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    before = fingerprint(folder)
    moved = folder.rename(tmp_path_factory.mktemp("other") / "place")
    assert fingerprint(moved) == before


def test_texts_do_not_run_together() -> None:
    assert fingerprint("ab", "c") != fingerprint("a", "bc")
