from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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
    (tmp_path / "repo/.git").mkdir()
    (tmp_path / "repo/.gitignore").write_text("*.log\n/services/orders/dist\n")
    ignore = Ignore(source)
    assert ignore.matches("a.log", is_dir=False)
    assert ignore.matches("dist", is_dir=True)
    assert not ignore.matches("main.py", is_dir=False)


NAMES = st.sampled_from(["a", "b", "ab", "build", "x.log", "keep.log"])
PATTERNS = st.lists(
    st.sampled_from(
        [
            "a",
            "/a",
            "a/",
            "b/*",
            "*.log",
            "!keep.log",
            "build/",
            "!build/a",
            "**/ab",
            "a/**",
            "!a/b",
            "/a/b",
            "x.*",
            "!*/",
        ]
    ),
    max_size=5,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    paths=st.sets(st.lists(NAMES, min_size=1, max_size=3).map("/".join), min_size=1, max_size=6),
    rules=st.dictionaries(st.sampled_from(["", "a", "b"]), PATTERNS, max_size=3),
)
def test_it_agrees_with_git(
    tmp_path_factory: pytest.TempPathFactory, paths: set[str], rules: dict[str, list[str]]
) -> None:
    root = tmp_path_factory.mktemp("repo")
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    files = {path for path in paths if not any(other.startswith(path + "/") for other in paths)}
    for path in files:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()
    for folder, lines in rules.items():
        if (root / folder).is_dir():
            (root / folder / ".gitignore").write_text("\n".join(lines))
    asked = subprocess.run(
        ["git", "-C", str(root), "check-ignore", "--no-index", *sorted(files)], capture_output=True, text=True
    )
    ignore = Ignore(root)
    assert {path for path in files if ignore.matches(path, is_dir=False)} == set(asked.stdout.split())
