from __future__ import annotations

from typing import Any

import pytest

from devenv.cli import app
from devenv.errors import EXIT_INTERRUPTED


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The log and the signals of this process are left alone."""
    for name in ("_start_log", "_interrupt_on_term"):
        monkeypatch.setattr(app, name, lambda: None)


def raised(*arguments: Any, **options: Any) -> int:
    """A command at Ctrl-C that typer does not see."""
    raise KeyboardInterrupt


def given(*arguments: Any, **options: Any) -> int:
    """What typer makes of Ctrl-C in a command."""
    return EXIT_INTERRUPTED


@pytest.mark.parametrize("command", [raised, given])
@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["up", "-d"], "interrupted; what is there stays, and the same command goes on from it"),
        (["logs", "-f"], "the logs were interrupted; what prints them goes on"),
        (["wait"], "the wait was interrupted; the environment stays as it is"),
        (["status"], "interrupted"),
        ([], "interrupted"),
    ],
)
def test_ctrl_c_is_told_by_what_it_ended(
    argv: list[str], said: str, command: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(app, "make_command", lambda: command)
    assert app.main(argv) == EXIT_INTERRUPTED
    assert capsys.readouterr().err == f"{said}\n"
