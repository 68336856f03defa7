"""Questions, asked only where somebody can answer."""

from __future__ import annotations

import sys


def is_interactive() -> bool:
    """Whether there is a terminal to ask at."""
    return sys.stdin.isatty() and sys.stdout.isatty() and sys.stderr.isatty()


def confirm(question: str) -> bool:
    """Yes or no; False where there is no terminal to ask at."""
    if not is_interactive():
        return False
    import questionary

    return bool(questionary.confirm(question, default=False).ask())


def ask(question: str) -> bool:
    """Yes or no, one question of several: Ctrl-C ends the whole run. KeyboardInterrupt."""
    import questionary

    return bool(questionary.confirm(question, default=False).unsafe_ask())
