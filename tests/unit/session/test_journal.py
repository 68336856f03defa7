from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from devenv.session.journal import BEGINS, Journal, Kept, follow, last_lines, lines_of_last_start, old_path, shown
from tests.fakes.terminal import FakeProgress


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log" / "shop.log"


def texts(lines: list[str]) -> list[str]:
    return [line.split(" ", 2)[2] for line in lines]


def test_lines_have_their_time(path: Path) -> None:
    Journal(path).line("synced 1 to web")
    (line,) = last_lines(path, 10)
    assert texts([line]) == ["synced 1 to web"]
    assert shown(line)[2] == shown(line)[5] == ":"
    assert shown("1999-01-01 12:00:00 x") == "1999-01-01 12:00:00 x"


def test_a_name_that_is_no_utf8_is_a_line_too(path: Path) -> None:
    Journal(path).line(f"synced {os.fsdecode(bytes([0xFF]))} to web")
    assert "synced \\udcff to web" in path.read_text()


def test_it_never_holds_more_than_its_limit(path: Path) -> None:
    journal = Journal(path, limit=2000)
    sizes = []
    for number in range(300):
        journal.line(f"line {number} {'x' * (number % 50)}")
        sizes.append(path.stat().st_size + (old_path(path).stat().st_size if old_path(path).exists() else 0))
    assert max(sizes) <= 2000
    assert max(sizes) > 1000, "half of it is always kept"
    assert texts(last_lines(path, 1))[0].startswith("line 299 ")
    journal.line("y" * 10_000)
    assert path.stat().st_size + old_path(path).stat().st_size <= 2000


def test_who_follows_gets_each_line_once_through_a_change_of_file(path: Path) -> None:
    journal = Journal(path, limit=8000)
    for number in range(5):
        journal.line(f"old {number}")
    got: queue.SimpleQueue[str] = queue.SimpleQueue()
    stop = threading.Event()
    following = threading.Thread(target=follow, args=(path, stop, got.put), kwargs={"tail": 2})
    following.start()
    assert texts([got.get(timeout=10) for _ in range(2)]) == ["old 3", "old 4"]
    for number in range(150):
        journal.line(f"new {number} {'x' * 20}")
        if number == 120:
            assert texts([got.get(timeout=10)]) == [f"new 0 {'x' * 20}"]
    stop.set()
    following.join()
    rest = [got.get() for _ in range(got.qsize())]
    assert [text.split()[1] for text in texts(rest)] == [str(number) for number in range(1, 150)]
    assert old_path(path).exists()


def test_the_lines_of_the_last_start_are_those_after_it(path: Path) -> None:
    journal = Journal(path)
    for text in (f"{BEGINS}: a", "first", f"{BEGINS}: b", "second"):
        journal.line(text)
    with path.open("a") as file:
        file.write("Traceback\n")
    assert [line.rpartition(" ")[2] for line in lines_of_last_start(path, 10)] == ["second", "Traceback"]
    assert lines_of_last_start(path.with_name("none"), 10) == []


def test_what_a_process_says_itself_goes_there_too_also_after_a_change_of_file(path: Path) -> None:
    program = (
        "import os, sys; from pathlib import Path; from devenv.session.journal import Journal\n"
        "journal = Journal(Path(sys.argv[1]), limit=400, output=True)\n"
        "os.write(2, b'before\\n')\n"
        "for _ in range(3): journal.line('x' * 60)\n"
        "os.write(1, b'after\\n')\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, check=True)
    assert done.stdout + done.stderr == b""
    assert "before" in old_path(path).read_text()
    assert last_lines(path, 1) == ["after"]


def test_what_is_told_is_kept(path: Path) -> None:
    progress = FakeProgress()
    for kept in (Kept(Journal(path), progress), Kept(Journal(path))):
        kept.note("synced")
        kept.warn("look")
        with kept.step("session") as note:
            note("in sync")
    assert (progress.notes, progress.warnings, progress.steps) == (
        ["synced"],
        ["look"],
        [("session", "done", "in sync")],
    )
    assert texts(last_lines(path, 10)) == [
        *("synced", "warning: look"),
        *("synced", "warning: look", "session: in sync"),
    ]
