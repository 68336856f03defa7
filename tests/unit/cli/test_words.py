from __future__ import annotations

import pytest

from devenv.cli.words import counted, nearest

COMMANDS = ["config", "doctor", "down", "explain", "logs", "status", "test", "up", "url"]


@pytest.mark.parametrize(
    ("word", "meant"),
    [("pu", "up"), ("lgos", "logs"), ("stat", "status"), ("donw", "down"), ("tset", "test"), ("docter", "doctor")],
)
def test_the_word_that_was_meant(word: str, meant: str) -> None:
    assert nearest(word, COMMANDS) == meant


@pytest.mark.parametrize("word", ["", "xyz", "--"])
def test_none_that_is_near(word: str) -> None:
    assert nearest(word, COMMANDS) is None


def test_one_is_no_plural() -> None:
    assert [counted(number, "file") for number in (0, 1, 2)] == ["0 files", "1 file", "2 files"]
