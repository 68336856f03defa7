"""The ignore rules against git itself, over generated trees and rules: not one disagreement is allowed."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from devenv.sync.git import find_repository, ignore_settings
from devenv.sync.ignore import Ignore
from tests.scale import scaled, seconds

NAMES = [
    "a", "b", "ab", "aab", "build", "x.log", "keep.log", "a b", "é", "#c", "!d", "-e", "[f]", "x]", "a\\b", "A", "b ",
]  # fmt: skip
PIECES = [
    *NAMES, "*", "**", "?", "*.log", "a*", "*b", "a**", "**b", "[ab]", "[!a]", "[^b]x", "[a-c]*", "[]x]", "[]-a]", "[a",
    "[[:alpha:]]", "[[:digit:][:space:]]", "[[:nope:]]", "[[:a]", "[a-]", "[\\]]", "[a\\-z]", "[z-a]", "\\*", "\\?",
    "\\#c", "\\!d", "\\a", "a\\", "x.???", "?*", "***", "[!/]", "a[/]b",
]  # fmt: skip


class Generator:
    """Trees and rules from a seed, with git's verdict on each file."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def line(self) -> str:
        pick = self._random
        text = "/".join(pick.choice(PIECES) for _ in range(pick.choice([1, 1, 1, 2, 2, 3])))
        text = pick.choice(["", "", "", "/", "**/", "//"]) + text + pick.choice(["", "", "", "/", "/**", "/*", "//"])
        text = pick.choice(["", "", "", "!", "!", "!!", "\\", "#"]) + text
        return text + pick.choice(["", "", "", "", " ", "  ", "\\ ", "\\  ", "\t", "\r", "\\\\ "])

    def rules(self) -> bytes:
        lines = [self.line() for _ in range(self._random.randint(1, 6))]
        text = "\n".join(lines) + self._random.choice(["", "\n"])
        return self._random.choice([b"", b"", b"\xef\xbb\xbf"]) + os.fsencode(text)

    def tree(self, root: Path) -> list[str]:
        """Make files below `root`, some of them links; gives them."""
        files: set[str] = set()
        for _ in range(60):
            path = "/".join(self._random.choice(NAMES) for _ in range(self._random.randint(1, 4)))
            place = root / path
            try:
                place.parent.mkdir(parents=True, exist_ok=True)
                if self._random.random() < 0.1:
                    place.symlink_to(".")
                else:
                    place.touch(exist_ok=False)
            except (FileExistsError, NotADirectoryError):
                continue
            if not any(parent.is_symlink() for parent in place.parents):
                files.add(path)
        return sorted(files)


def asked_git(root: Path, files: list[str]) -> set[str]:
    command = ["git", "-C", str(root), "check-ignore", "--no-index", "-z", "--stdin"]
    done = subprocess.run(command, input=b"\0".join(map(os.fsencode, files)) + b"\0", capture_output=True)
    assert done.returncode in (0, 1), done.stderr
    return {os.fsdecode(path) for path in done.stdout.split(b"\0") if path}


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user without settings of their own."""
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for name in ("XDG_CONFIG_HOME", "GIT_CONFIG_GLOBAL", "GIT_DIR"):
        monkeypatch.delenv(name, raising=False)


def repository(root: Path) -> Path:
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    return root


def cases(tmp_path: Path, count: int) -> Iterator[tuple[int, Path, list[str]]]:
    for seed in range(count):
        root = repository(tmp_path / f"repo{seed}")
        generator = Generator(seed)
        files = generator.tree(root)
        folders = [str(place) for place in root.rglob("*") if place.is_dir() and not place.is_symlink()]
        inner = [place for place in folders if ".git" not in Path(place).relative_to(root).parts]
        for folder in {str(root), *random.Random(seed).sample(sorted(inner), min(4, len(inner)))}:
            Path(folder, ".gitignore").write_bytes(generator.rules())
        (root / ".git/info/exclude").write_bytes(generator.rules())
        (tmp_path / "home/.config/git").mkdir(parents=True, exist_ok=True)
        (tmp_path / "home/.config/git/ignore").write_bytes(generator.rules())
        yield seed, root, files


@pytest.mark.timeout(seconds(120))
def test_s12_it_agrees_with_git_about_any_path_and_rules(tmp_path: Path) -> None:
    pairs, ignored, differing = 0, 0, []
    for seed, root, files in cases(tmp_path, scaled(12, full=700)):
        ignore, git = Ignore(root), asked_git(root, files)
        ours = {path for path in files if ignore.matches(path, is_dir=False)}
        differing += [(seed, path, str(ignore.why(path, is_dir=False))) for path in ours ^ git]
        pairs += len(files)
        ignored += len(git)
    assert not differing
    assert pairs > scaled(300, full=10_000)
    assert pairs * 0.1 < ignored < pairs * 0.9


def folders_of(files: list[str]) -> list[str]:
    return sorted({path.rpartition("/")[0] for path in files} - {""})


def test_s12_a_source_below_its_repository_agrees_with_git(tmp_path: Path) -> None:
    asked = 0
    for _, root, files in cases(tmp_path, scaled(5, full=100)):
        folders = folders_of(files)
        for folder in sorted(set(folders) - asked_git(root, folders))[:5]:
            below = [path for path in files if path.startswith(folder + "/")]
            ignore, git = Ignore(root / folder), asked_git(root, below)
            ours = {path for path in below if ignore.matches(path[len(folder) + 1 :], is_dir=False)}
            assert ours == git
            asked += len(below)
    assert asked > 20


@pytest.mark.parametrize(
    "text",
    [
        "[core]\n\texcludesFile = ~/mine\n",
        '[core]\n\texcludesfile = "~/my ignores" ; for all\n',
        "[core] excludesFile = /x\\\\y\n[user]\n\tname = me\n",
        "[Core]\nExcludesFile=~/a#b\n",
        "[core]\n  excludesFile = ~/first\n[core]\n  excludesFile = ~/sec\\\nond\n",
        '[core "sub"]\n\texcludesFile = ~/other\n',
        "[include]\n\tpath = more\n",
        "# nothing\n[core]\n\tbare = false\n",
    ],
)
def test_the_users_ignore_file_is_the_one_that_git_takes(tmp_path: Path, text: str) -> None:
    (tmp_path / "home/.gitconfig").write_text(text)
    (tmp_path / "home/more").write_text("[core]\n\texcludesFile = ~/included\n")
    root = repository(tmp_path / "repo")
    command = ["git", "-C", str(root), "config", "--type=path", "--get", "core.excludesFile"]
    said = subprocess.run(command, capture_output=True, text=True).stdout.rstrip("\n")
    found = find_repository(root)
    assert found
    assert str(ignore_settings(found).excludes) == (said or str(tmp_path / "home/.config/git/ignore"))


def test_case_counts_as_the_repository_says(tmp_path: Path) -> None:
    root = repository(tmp_path / "repo")
    subprocess.run(["git", "-C", str(root), "config", "core.ignoreCase", "true"], check=True)
    (root / ".gitignore").write_text("Build\nlogs/[a-c]*\n")
    files = ["build", "BUILD", "logs/Boom", "logs/x"]
    assert {path for path in files if Ignore(root).matches(path, is_dir=False)} == asked_git(root, files)


def test_the_rules_of_a_work_tree_are_those_of_its_repository(tmp_path: Path) -> None:
    root = repository(tmp_path / "repo")
    git = ["git", "-C", str(root), "-c", "user.name=x", "-c", "user.email=x@x"]
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "first"], check=True)
    subprocess.run([*git, "worktree", "add", "-q", str(tmp_path / "tree")], check=True)
    (root / ".git/info/exclude").write_text("secret\n")
    assert asked_git(tmp_path / "tree", ["secret", "a"]) == {"secret"}
    assert str(Ignore(tmp_path / "tree").why("secret", is_dir=False)) == "../repo/.git/info/exclude:1: secret"
