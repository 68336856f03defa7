"""Commands: their output goes to a log, and a failure shows the end of it."""

import threading
from pathlib import Path

import pytest

from tests.testbed import commands
from tests.testbed.commands import TestbedError, read, read_json, run, stop_all


@pytest.fixture(autouse=True)
def _not_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "_stopped", threading.Event())


def test_output_is_appended_to_the_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    run(["echo", "one"], log)
    run(["sh", "-c", "echo $WORD >&2"], log, env={"WORD": "two"})
    assert log.read_text() == "$ echo one\none\n$ sh -c echo $WORD >&2\ntwo\n"


def test_a_failure_shows_the_command_its_last_lines_and_the_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with pytest.raises(TestbedError) as caught:
        run(["sh", "-c", "seq 100; exit 3"], log)
    lines = str(caught.value).splitlines()
    assert lines[0] == "exit code 3 from: sh -c seq 100; exit 3"
    assert lines[-2:] == ["  100", f"log: {log}"]
    assert len(lines) == commands.TAIL_LINES + 2


def test_a_missing_program_is_named(tmp_path: Path) -> None:
    with pytest.raises(TestbedError, match="cannot run no-such-program"):
        run(["no-such-program"], tmp_path / "log")


def test_nothing_begins_after_a_stop(tmp_path: Path) -> None:
    stop_all()
    with pytest.raises(TestbedError, match="stopped"):
        run(["touch", tmp_path / "file"], tmp_path / "log")
    assert not (tmp_path / "file").exists()


def test_a_stop_ends_what_runs(tmp_path: Path) -> None:
    log = tmp_path / "log"
    failures: list[TestbedError] = []

    def work() -> None:
        try:
            run(["sh", "-c", "mkfifo pipe; echo ready > started; cat pipe"], log, cwd=tmp_path)
        except TestbedError as error:
            failures.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    while thread.is_alive() and not commands._running:
        thread.join(0.01)
    stop_all()
    thread.join(10)
    assert not thread.is_alive()
    assert len(failures) == 1


def test_reading_gives_none_for_a_failure() -> None:
    assert read(["echo", " word "]) == "word"
    assert read(["false"]) is None
    assert read(["no-such-program"]) is None
    assert read_json(["echo", '{"a": 1}']) == {"a": 1}
