"""Text of others (names of files, commands) as a person is shown it."""

from __future__ import annotations

_RAW = range(0xDC80, 0xDD00)
"""What Python makes of bytes that are no UTF-8, in names of files. Source: PEP 383."""


def printable(text: str) -> str:
    """The text as a part of one line: nothing in it hides from the eye, moves the cursor or can't be encoded."""
    return text if text.isprintable() else "".join(sign if sign.isprintable() else _escaped(sign) for sign in text)


def _escaped(sign: str) -> str:
    return f"\\x{ord(sign) - 0xDC00:02x}" if ord(sign) in _RAW else sign.encode("unicode_escape").decode()
