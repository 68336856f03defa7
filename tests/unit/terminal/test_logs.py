from __future__ import annotations

import json

import pytest

from devenv.terminal.logs import LinePrinter

COLORED = "\x1b[1;31mred\x1b[0m \x1b]0;title\x07and \x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\ \x1bMup [0m"


def test_colours_of_programs_do_not_go_into_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    LinePrinter(as_json=False, color=True).line("web", COLORED)
    LinePrinter(as_json=True, color=False).line("web", COLORED)
    text, document = capsys.readouterr().out.splitlines()
    assert text == "web      | red and link up [0m"
    assert json.loads(document) == {"unit": "web", "line": "red and link up [0m"}


def test_on_a_terminal_they_stay(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    LinePrinter(as_json=False, color=True).line("web", COLORED)
    assert COLORED in capsys.readouterr().out
