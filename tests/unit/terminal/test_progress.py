from __future__ import annotations

import io
import re
import time

import pytest

from devenv.terminal.progress import LiveProgress, PlainProgress, make_progress


def test_a_step_is_one_line_with_its_last_note_and_duration() -> None:
    stream = io.StringIO()
    with PlainProgress(stream).step("image web") as note:
        note("building")
        note("built")
    assert re.fullmatch(r"✓ image web +built +0\.\d s\n", stream.getvalue())


def test_a_step_that_fails_is_marked_and_its_error_goes_on() -> None:
    stream = io.StringIO()
    with pytest.raises(ValueError, match="no"), PlainProgress(stream).step("image web"):
        raise ValueError("no")
    assert stream.getvalue() == "✗ image web\n"


def test_a_long_step_says_that_it_goes_on_and_with_what() -> None:
    stream = io.StringIO()
    with PlainProgress(stream, every=0.02).step("image web") as note:
        while "... image web\n" not in stream.getvalue():
            time.sleep(0.005)
        note("building")
        while "... image web: building\n" not in stream.getvalue():
            time.sleep(0.005)
    assert stream.getvalue().splitlines()[-1].startswith("✓ image web")


def test_nothing_is_told_of_a_step_that_has_ended() -> None:
    stream = io.StringIO()
    for _ in range(20):
        with PlainProgress(stream, every=0.001).step("x"):
            time.sleep(0.002)
    told = stream.getvalue()
    time.sleep(0.02)
    assert stream.getvalue() == told


def test_lines_where_stderr_is_no_terminal() -> None:
    assert isinstance(make_progress(color=True), PlainProgress)


def test_live_lines_show_markup_as_it_was_written(capsys: pytest.CaptureFixture[str]) -> None:
    progress = LiveProgress(color=False)
    with progress.step("image [web]") as note:
        note("[3/4] RUN x")
    progress.warn("[red] is no colour here")
    said = capsys.readouterr().err
    assert "✓ image [web]" in said
    assert "[3/4] RUN x" in said
    assert "warning: [red] is no colour here" in said
