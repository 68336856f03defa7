"""Stable colours for log prefixes, and the colours of programs taken away."""

from __future__ import annotations

import re
import zlib

_CODES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_])")
"""What programs send to colour a terminal or to name its window (ECMA-48: CSI, OSC and two-byte sequences)."""

PALETTE = (36, 32, 33, 35, 34, 96, 92, 93, 95, 94)


def without_codes(text: str) -> str:
    """What a program printed, without what it told the terminal."""
    return _CODES.sub("", text)


def prefix(name: str, width: int, *, color: bool) -> str:
    """`name | `, padded, in the colour that belongs to the name."""
    text = f"{name.ljust(width)} | "
    if not color:
        return text
    return f"\x1b[{PALETTE[zlib.crc32(name.encode()) % len(PALETTE)]}m{text}\x1b[0m"
