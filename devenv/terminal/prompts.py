"""Questions, asked only where somebody can answer."""

from __future__ import annotations

import sys


def confirm(question: str) -> bool:
    """Yes or no; False where there is no terminal to ask at."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    import questionary

    return bool(questionary.confirm(question, default=False).ask())
