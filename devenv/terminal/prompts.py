"""Questions, asked only where somebody can answer."""

from __future__ import annotations

import sys


def is_interactive() -> bool:
    """Whether there is a terminal to ask at."""
    return sys.stdin.isatty() and sys.stdout.isatty() and sys.stderr.isatty()


def confirm(question: str, *, default: bool = False) -> bool:
    """Yes or no; False where there is no terminal to ask at. KeyboardInterrupt on Ctrl-C."""
    if not is_interactive():
        return False
    import questionary

    return bool(questionary.confirm(question, default=default).unsafe_ask())


def ask(question: str) -> bool:
    """Yes or no, one question of several: Ctrl-C ends the whole run. KeyboardInterrupt."""
    import questionary

    return bool(questionary.confirm(question, default=False).unsafe_ask())


def ask_ports(question: str) -> list[int] | None:
    """Ports, separated by commas or blanks; None where there is no terminal to ask at. KeyboardInterrupt on Ctrl-C."""
    if not is_interactive():
        return None
    import questionary

    def judge(text: str) -> bool | str:
        given = text.replace(",", " ").split()
        fits = all(word.isdecimal() and 1 <= int(word) <= 65535 for word in given)
        return fits or "a port is a number from 1 to 65535"

    answer = questionary.text(question, validate=judge).unsafe_ask()
    return [int(word) for word in str(answer).replace(",", " ").split()]
