from __future__ import annotations

import pytest

from devenv.terminal.prompts import confirm, is_interactive


class Stream:
    def __init__(self, *, terminal: bool) -> None:
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


@pytest.mark.parametrize("elsewhere", ["stdin", "stdout", "stderr", ""])
def test_a_question_needs_a_terminal_on_every_side(monkeypatch: pytest.MonkeyPatch, elsewhere: str) -> None:
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(f"sys.{name}", Stream(terminal=name != elsewhere))
    assert is_interactive() is (not elsewhere)


def test_without_a_terminal_the_answer_is_no(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Stream(terminal=False))
    assert confirm("really?") is False
