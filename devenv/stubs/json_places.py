"""Where things stand in a JSON text that was read before: for faults, as reading it keeps no places."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from devenv.config.model import Origin

_BLANK = re.compile(r"[ \t\r\n]*")


def members(text: str, at: int) -> Iterator[tuple[str, int]]:
    """The keys or numbers of what an object or a list has, each with the place where its value begins."""
    decode, number, opened = json.JSONDecoder().raw_decode, 0, text[at]
    at = skip(text, at + 1)
    while text[at] not in "]}":
        key = str(number)
        if opened == "{":
            key, at = decode(text, at)
            at = skip(text, skip(text, at) + 1)
        yield key, at
        _, at = decode(text, at)
        at = skip(text, at)
        at = skip(text, at + 1) if text[at] == "," else at
        number += 1


def offset(text: str, tokens: Sequence[str]) -> int:
    """Where the value under some keys and numbers begins, or the nearest one above it."""
    at = skip(text, 0)
    for token in tokens:
        found = dict(members(text, at)).get(token) if text[at] in "[{" else None
        if found is None:
            return at
        at = found
    return at


def skip(text: str, at: int) -> int:
    """The first place from `at` on that is not blank."""
    found = _BLANK.match(text, at)
    return found.end() if found else at


def origin(text: str, at: int, file: Path) -> Origin:
    """A place in a text as line and column of its file."""
    return Origin(file, text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))
