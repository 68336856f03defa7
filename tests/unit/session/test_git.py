"""S5: what git does to a source is one batch and one reload, and never half of it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from devenv.session.sync.sources import Sources
from devenv.sync.debounce import LONGEST_LOCK
from tests.scale import scaled, seconds
from tests.unit.session.watched_scene import WatchedScene, git

ALL = scaled(1_000, full=10_000)
CHANGED = ALL // 5


def write_version(source: Path, version: str, count: int) -> None:
    for number in range(count):
        place = source / f"d{number % 20}/f{number}.py"
        place.parent.mkdir(exist_ok=True)
        place.write_text(version)


def versions(target: Path) -> object:
    """The contents of the files that both branches have, each once: more than one is half a checkout."""
    files = (target / f"d{number % 20}/f{number}.py" for number in range(CHANGED))
    return frozenset(file.read_text() if file.exists() else "missing" for file in files)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[WatchedScene]:
    scene = WatchedScene(tmp_path, versions)
    git(scene.source, "init", "-q", "-b", "one")
    write_version(scene.source, "one", ALL)
    git(scene.source, "add", ".")
    git(scene.source, "commit", "-q", "-m", "one")
    git(scene.source, "checkout", "-q", "-b", "two")
    write_version(scene.source, "two", CHANGED)
    git(scene.source, "commit", "-q", "-a", "-m", "two")
    with scene.loop:
        scene.begin()
        yield scene


@pytest.mark.timeout(seconds())
def test_s5_a_checkout_is_one_batch_and_one_reload(scene: WatchedScene) -> None:
    git(scene.source, "checkout", "-q", "one")
    scene.end()
    assert scene.batches == [(CHANGED, 0)]
    assert scene.reloads == 1


@pytest.mark.timeout(seconds())
def test_s5_a_stash_and_its_pop_are_one_reload_each(scene: WatchedScene) -> None:
    write_version(scene.source, "three", CHANGED)
    scene.end()
    scene.outcomes.clear()
    before = scene.reloads
    git(scene.source, "stash")
    scene.end()
    assert scene.reloads == before + 1
    scene.outcomes.clear()
    git(scene.source, "stash", "pop")
    scene.end()
    assert scene.reloads == before + 2
    assert versions(scene.target) == {"three"}


def test_s5_clean_takes_away_what_git_does_not_know_and_leaves_what_is_ignored(scene: WatchedScene) -> None:
    for name in ("new/a.py", "new/b.py", "c.py"):
        scene.write(name, "x")
    scene.write(".gitignore", "*.log\n")
    scene.end()
    scene.write("kept.log", "x")
    scene.outcomes.clear()
    git(scene.source, "clean", "-fdx")
    scene.end()
    assert not (scene.target / "new").exists()


def steps(target: Path) -> object:
    """Three files that each commit changes together."""
    return frozenset((target / f"{name}.py").read_text() for name in "abc")


@pytest.mark.timeout(seconds())
def test_s5_of_a_rebase_no_half_commit_is_seen_and_its_end_is_right(tmp_path: Path) -> None:
    scene = WatchedScene(tmp_path, steps)
    git(scene.source, "init", "-q", "-b", "main")

    def commit(text: str) -> None:
        for name in "abc":
            scene.write(f"{name}.py", text)
        git(scene.source, "add", ".")
        git(scene.source, "commit", "-q", "-m", text)

    commit("0")
    git(scene.source, "checkout", "-q", "-b", "work")
    for number in range(scaled(10, full=50)):
        commit(f"step {number}")
    git(scene.source, "checkout", "-q", "main")
    (scene.source / "other.py").write_text("x")
    git(scene.source, "add", ".")
    git(scene.source, "commit", "-q", "-m", "other")
    git(scene.source, "checkout", "-q", "work")
    with scene.loop:
        scene.begin()
        git(scene.source, "rebase", "-q", "main")
        (scene.source / "last.py").write_text("x")  # the rebase may leave all as it was but for the new file
        scene.end()
    assert all(len(texts) == 1 for texts in scene.seen)
    assert scene.reloads <= 2


def find_git_dir(place: Path) -> Path:
    return Path(git(place, "rev-parse", "--absolute-git-dir"))


def repository(place: Path) -> Path:
    place.mkdir(parents=True, exist_ok=True)
    git(place, "init", "-q")
    git(place, "commit", "-q", "--allow-empty", "-m", "first")
    return place


def plain(root: Path) -> tuple[Path, Path]:
    return repository(root), root


def below(root: Path) -> tuple[Path, Path]:
    (repository(root) / "services/orders").mkdir(parents=True)
    return root / "services/orders", root


def work_tree(root: Path) -> tuple[Path, Path]:
    git(repository(root / "main"), "worktree", "add", "-q", str(root / "tree"))
    (root / "tree/src").mkdir()
    return root / "tree/src", root / "tree"


def submodule(root: Path) -> tuple[Path, Path]:
    command = [
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "--quiet",
        "add",
        str(repository(root / "library")),
        "lib",
    ]
    git(repository(root / "main"), *command)
    return root / "main/lib", root / "main/lib"


def nested(root: Path) -> tuple[Path, Path]:
    return repository(root), repository(root / "vendor/deep")


def nested_submodule(root: Path) -> tuple[Path, Path]:
    inner, _ = submodule(root)
    return inner.parent, inner


def elsewhere(root: Path) -> tuple[Path, Path]:
    (root / "src").mkdir(parents=True)
    git(root / "src", "init", "-q", "--separate-git-dir", str(root / "store"))
    return root / "src", root / "src"


def through_a_link(root: Path) -> tuple[Path, Path]:
    (repository(root / "real") / "src").mkdir()
    (root / "link").symlink_to("real/src")
    return root / "link", root / "link"


def no_repository_after_all(root: Path) -> tuple[Path, Path]:
    (repository(root) / "src/.git").mkdir(parents=True)
    return root / "src", root / "src"


LAYOUTS = [
    plain, below, work_tree, submodule, nested, nested_submodule, elsewhere, through_a_link, no_repository_after_all,
]  # fmt: skip


def looked_at(source: Path) -> Sources:
    sources = Sources([(source, "")])
    list(sources.look_again(frozenset([""])))
    return sources


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.__name__)
def test_the_lock_is_where_git_says(tmp_path: Path, layout: object) -> None:
    source, inside = layout(tmp_path / "root")  # type: ignore[operator]
    assert looked_at(source).lock_age() is None
    (find_git_dir(inside) / "index.lock").touch()
    assert looked_at(source).lock_age() is not None


def test_the_lock_of_git_dir_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository(tmp_path / "store")
    (tmp_path / "src").mkdir()
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "store/.git"))
    (find_git_dir(tmp_path / "src") / "index.lock").touch()
    assert looked_at(tmp_path / "src").lock_age() is not None


def test_a_repository_that_comes_later_is_known(tmp_path: Path) -> None:
    (tmp_path / "vendor").mkdir()
    sources = looked_at(tmp_path)
    inner = repository(tmp_path / "vendor")
    list(sources.look_again(frozenset(sources.relevant(inner / ".git"))))
    (inner / ".git/index.lock").touch()
    assert sources.lock_age() is not None


def test_a_lock_that_was_left_behind_holds_nothing_up(tmp_path: Path) -> None:
    lock = repository(tmp_path) / ".git/index.lock"
    lock.touch()
    subprocess.run(["touch", "-d", "10 seconds ago", str(lock)], check=True)
    sources = looked_at(tmp_path)
    sources.relevant(tmp_path / "a.py")
    age = sources.lock_age()
    assert age is not None
    assert age >= LONGEST_LOCK
    lock.unlink()
    lock.touch()
    age = sources.lock_age()
    assert age is not None
    assert age < LONGEST_LOCK


def test_a_lock_from_the_future_is_left_behind_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = repository(tmp_path) / ".git/index.lock"
    lock.touch()
    subprocess.run(["touch", "-d", "tomorrow", str(lock)], check=True)
    sources = looked_at(tmp_path)
    assert sources.lock_age() == 0.0 or (sources.lock_age() or 0.0) < 1.0
    later = time.monotonic() + 6.0
    monkeypatch.setattr("devenv.session.sync.gitlocks.time.monotonic", lambda: later)
    assert (sources.lock_age() or 0.0) >= LONGEST_LOCK
