from __future__ import annotations

import os
from pathlib import Path

import pytest

from devenv.completion.names import cache_file, find_file, forget, own_profiles, recall, remember, take_stamp

NAMES = [("service", "web", ""), ("dependency", "db", "real stub")]


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "shop/profiles").mkdir(parents=True)
    (tmp_path / "shop/profiles/default.yaml").write_text("dependencies: {}\n")
    file = tmp_path / "shop/devenv.yaml"
    file.write_text("services: {}\n")
    return file


def keep(file: Path, profile: str = "", names: list[tuple[str, str, str]] = NAMES) -> None:
    remember(str(file), profile, take_stamp(str(file)), names)


def test_what_is_kept_comes_back(file: Path) -> None:
    assert recall(str(file), "") is None
    keep(file)
    assert recall(str(file), "") == NAMES


def test_what_is_forgotten_is_gone_and_twice_is_no_error(file: Path) -> None:
    keep(file)
    forget(str(file))
    assert not Path(cache_file(str(file))).exists()
    forget(str(file))
    assert recall(str(file), "") is None


@pytest.mark.parametrize("changed", ["devenv.yaml", "devenv.local.yaml", "profiles/default.yaml", "profiles/new.yaml"])
def test_a_changed_new_or_removed_file_makes_it_stale(file: Path, changed: str) -> None:
    keep(file)
    place = file.parent / changed
    place.write_text("a longer text than what was there before\n")
    assert recall(str(file), "") is None
    keep(file)
    os.utime(place, ns=(1, 1))
    assert recall(str(file), "") is None
    keep(file)
    place.unlink()
    assert recall(str(file), "") is None


def test_each_profile_has_its_names_and_a_change_forgets_all(file: Path) -> None:
    keep(file)
    keep(file, "other", [("service", "api", "")])
    assert recall(str(file), "") == NAMES
    assert recall(str(file), "other") == [("service", "api", "")]
    file.write_text("services: {x: {}}\n")
    keep(file, "other")
    assert recall(str(file), "") is None


def test_a_stamp_taken_before_a_change_is_worth_nothing(file: Path) -> None:
    before = take_stamp(str(file))
    file.write_text("changed: while it was read\n")
    remember(str(file), "", before, NAMES)
    assert recall(str(file), "") is None


def test_it_is_written_once(file: Path) -> None:
    keep(file)
    place = Path(cache_file(str(file)))
    os.utime(place, ns=(1, 1))
    keep(file)
    assert place.stat().st_mtime_ns == 1
    keep(file, names=[("service", "other", "")])
    assert place.stat().st_mtime_ns > 1
    assert [path.name for path in place.parent.iterdir()] == [place.name], "nothing half-written stays"


@pytest.mark.parametrize("broken", ["", "{}", "names\t0\tx\n", "names\t1\tx\nservice\n", "\x00\xff"])
def test_what_is_no_such_file_is_not_read(file: Path, broken: str) -> None:
    keep(file)
    Path(cache_file(str(file))).write_text(broken)
    assert recall(str(file), "") is None
    keep(file)
    assert recall(str(file), "") == NAMES


def test_another_project_under_the_same_cache_name(file: Path, tmp_path: Path) -> None:
    place = Path(cache_file(str(file)))
    keep(file)
    other = tmp_path / "other/devenv.yaml"
    other.parent.mkdir()
    other.write_text("services: {}\n")
    place.rename(cache_file(str(other)))
    assert recall(str(other), "") is None


def test_a_folder_that_cant_be_written_is_no_error(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(file))
    keep(file)
    assert recall(str(file), "") is None


def test_a_path_longer_than_a_file_name(file: Path, tmp_path: Path) -> None:
    deep = tmp_path / "/".join(["d" * 60] * 6)
    deep.mkdir(parents=True)
    (deep / "devenv.yaml").write_text("services: {}\n")
    keep(deep / "devenv.yaml")
    assert recall(str(deep / "devenv.yaml"), "") == NAMES


def test_the_file_is_found_from_below(file: Path, tmp_path: Path) -> None:
    (file.parent / "a/b").mkdir(parents=True)
    assert find_file(str(file.parent / "a/b")) == str(file)
    assert find_file(str(tmp_path)) == ""
    assert own_profiles(str(file.parent)) == ["default"]
    assert own_profiles(str(tmp_path)) == []
