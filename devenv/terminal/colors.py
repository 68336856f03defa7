"""Stable colours for log prefixes."""

from __future__ import annotations

import zlib

PALETTE = (36, 32, 33, 35, 34, 96, 92, 93, 95, 94)


def prefix(name: str, width: int, *, color: bool) -> str:
    """`name | `, padded, in the colour that belongs to the name."""
    text = f"{name.ljust(width)} | "
    if not color:
        return text
    return f"\x1b[{PALETTE[zlib.crc32(name.encode()) % len(PALETTE)]}m{text}\x1b[0m"
