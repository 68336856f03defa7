from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from devenv.sync.ignore import Ignore


@pytest.mark.parametrize(
    "path",
    [".git", "a/.git", "__pycache__/x.pyc", "a/b.pyc", ".venv/bin/python", "node_modules/x/y.js", "x.py~", ".x.py.swp"],
)
def test_built_in_names_are_never_sent(tmp_path: Path, path: str) -> None:
    assert Ignore(tmp_path).matches(path, is_dir=False)


def test_a_plain_file_is_sent(tmp_path: Path) -> None:
    assert not Ignore(tmp_path).matches("a/b/main.py", is_dir=False)


def test_an_own_rule_brings_a_built_in_name_back_but_never_git_itself(tmp_path: Path) -> None:
    (tmp_path / ".devenvignore").write_text("!node_modules\n!.git\n")
    ignore = Ignore(tmp_path)
    assert not ignore.matches("node_modules", is_dir=True)
    assert ignore.matches(".git", is_dir=True)


def test_nothing_below_an_ignored_folder_comes_back(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("build/\n!build/keep.txt\n")
    assert Ignore(tmp_path).matches("build/keep.txt", is_dir=False)


def test_the_nearest_file_decides(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("*.log\n")
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/.gitignore").write_text("!keep.log\n")
    ignore = Ignore(tmp_path)
    assert ignore.matches("a.log", is_dir=False)
    assert not ignore.matches("logs/keep.log", is_dir=False)


def test_rules_above_the_source_count_up_to_the_repository(tmp_path: Path) -> None:
    source = tmp_path / "repo/services/orders"
    source.mkdir(parents=True)
    (tmp_path / ".gitignore").write_text("*\n")
    subprocess.run(["git", "init", "-q", str(tmp_path / "repo")], check=True)
    (tmp_path / "repo/.gitignore").write_text("*.log\n/services/orders/dist\n")
    ignore = Ignore(source)
    assert ignore.matches("a.log", is_dir=False)
    assert ignore.matches("dist", is_dir=True)
    assert not ignore.matches("main.py", is_dir=False)


def test_s12_it_says_what_ignores_a_path(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("# built\n/dist/\n*.log\n!keep.log\n")
    (tmp_path / "a").mkdir()
    (tmp_path / "a/.devenvignore").write_text("data.*\n")
    ignore = Ignore(tmp_path)
    said = {
        path: str(ignore.why(path, is_dir=False)) for path in ("dist/x/y.js", "a/b/data.csv", "a/keep.log", "z.pyc")
    }
    assert said == {
        "dist/x/y.js": ".gitignore:2: /dist/",
        "a/b/data.csv": "a/.devenvignore:1: data.*",
        "a/keep.log": "None",
        "z.pyc": "built-in: *.pyc",
    }
    reason = ignore.why("dist/x/y.js", is_dir=False)
    assert reason
    assert reason.path == "dist"


def test_the_rules_of_now_are_read_when_an_ignore_file_came_changed_or_went(tmp_path: Path) -> None:
    ignore = Ignore(tmp_path)
    assert not ignore.matches("a.log", is_dir=False)
    assert ignore.current() is ignore
    (tmp_path / ".gitignore").write_text("*.log\n")
    assert ignore.current().matches("a.log", is_dir=False)
    ignore = ignore.current()
    (tmp_path / ".gitignore").write_text("*.txt\n")
    assert not ignore.current().matches("a.log", is_dir=False)
    (tmp_path / ".gitignore").unlink()
    assert not ignore.current().matches("a.txt", is_dir=False)


def test_the_stage_of_the_agent_is_never_sent(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("!.devenv-stage\n")
    assert Ignore(tmp_path).matches(".devenv-stage/1", is_dir=False)
