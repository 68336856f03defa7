"""S4: however an editor saves, a file is never missing in the container and never half there."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.scale import scaled
from tests.unit.session.watched_scene import WatchedScene

OLD, NEW = "old\n" * 20_000, "new\n" * 30_000


def seen(target: Path) -> object:
    """Which of the two contents the file has."""
    file = target / "main.py"
    if not file.exists():
        return "missing"
    text = file.read_text()
    return {OLD: "old", NEW: "new"}.get(text, f"half: {len(text)}")


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[WatchedScene]:
    scene = WatchedScene(tmp_path, seen)
    scene.write("main.py", OLD)
    scene.write("other.py", "x")
    with scene.loop:
        scene.begin()
        yield scene


def in_pieces(file: Path, text: str) -> None:
    with file.open("w") as opened:
        for start in range(0, len(text), 20_000):
            opened.write(text[start : start + 20_000])
            opened.flush()


def vim_with_a_backup(file: Path, text: str) -> None:
    probe = file.with_name("4913")
    probe.touch()
    probe.unlink()
    file.rename(file.with_name("main.py~"))
    in_pieces(file, text)
    file.chmod(0o644)
    file.with_name("main.py~").unlink()


def vim_with_a_swap_file(file: Path, text: str) -> None:
    swap = file.with_name(".main.py.swp")
    swap.write_text("swap")
    in_pieces(file, text)
    with file.open() as opened:
        os.fsync(opened.fileno())
    swap.unlink()


def vs_code(file: Path, text: str) -> None:
    """In place: opened for truncation, then written."""
    in_pieces(file, text)


def jetbrains(file: Path, text: str) -> None:
    new, old = file.with_name("main.py___jb_tmp___"), file.with_name("main.py___jb_old___")
    in_pieces(new, text)
    file.rename(old)
    new.rename(file)
    old.unlink()


def sed(file: Path, text: str) -> None:
    (file.parent.parent / "script").write_text(f"1s/.*/{'new' if text is NEW else 'old'}/\n")
    temporary = file.with_name("sedAbCdEf")
    in_pieces(temporary, text)
    temporary.chmod(0o644)
    temporary.rename(file)


def emacs(file: Path, text: str) -> None:
    lock = file.with_name(".#main.py")
    lock.symlink_to("me@box.1234:1700000000")
    backup = file.with_name("main.py~")
    file.rename(backup)
    in_pieces(file, text)
    lock.unlink()


def text_edit(file: Path, text: str) -> None:
    """A folder beside it, the new file in that, an exchange of the two, and the folder goes."""
    folder = file.with_name(".main.py.sb-1a2b3c")
    folder.mkdir()
    in_pieces(folder / "main.py", text)
    (folder / "main.py").rename(file)
    folder.rmdir()


def gedit(file: Path, text: str) -> None:
    temporary = file.with_name(".goutputstream-A1B2C3")
    in_pieces(temporary, text)
    backup = file.with_name("main.py~")
    os.link(file, backup)
    temporary.rename(file)


def nano(file: Path, text: str) -> None:
    """Shortened by itself, written later."""
    with file.open("r+") as opened:
        opened.truncate(0)
        opened.write(text)


EDITORS = [vim_with_a_backup, vim_with_a_swap_file, vs_code, jetbrains, sed, emacs, text_edit, gedit, nano]


@pytest.mark.parametrize("save", EDITORS, ids=lambda save: save.__name__)
def test_s4_a_save_is_never_seen_half_and_reloads_once(scene: WatchedScene, save: Callable[[Path, str], None]) -> None:
    for round_ in range(scaled(2, full=20)):
        text = OLD if round_ % 2 else NEW
        scene.outcomes.clear()
        before = scene.reloads
        save(scene.source / "main.py", text)
        scene.end()
        assert seen(scene.target) == ("old" if round_ % 2 else "new")
        assert scene.reloads == before + 1
        for leftover in scene.source.glob("main.py~"):
            leftover.unlink()
    assert set(scene.seen) <= {"old", "new"}


def test_s4_sed_itself(scene: WatchedScene) -> None:
    subprocess.run(["sed", "-i", "s/old/new/", str(scene.source / "main.py")], check=True)
    scene.wait_for(lambda outcome: bool(outcome.reloaded))
    scene.wait_synced()
    assert "missing" not in scene.seen
    assert (scene.target / "main.py").read_text() == (scene.source / "main.py").read_text()


def test_s4_a_file_that_is_long_in_writing_arrives_whole(scene: WatchedScene) -> None:
    with (scene.source / "main.py").open("a") as opened:
        for _ in range(5):
            opened.write("more\n")
            opened.flush()
            time.sleep(0.005)
    scene.end()
    assert (scene.target / "main.py").read_text() == OLD + "more\n" * 5
