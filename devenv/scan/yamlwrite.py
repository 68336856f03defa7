"""Plain values as YAML that reads back as the same values."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from devenv.config.source import scalar

WIDTH = 110
_PLAIN = re.compile(
    r"(?:-{1,2}(?=[A-Za-z]))?[A-Za-z0-9_./+][A-Za-z0-9_./+@=~-]*(?:[: ][A-Za-z0-9_./+@=~(-][A-Za-z0-9_./+@=~()-]*)*"
)
_OTHER_READERS = frozenset({"yes", "no", "on", "off", "y", "n", "none"})
"""Words that are text here, and something else to readers of older YAML."""
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")


def text(value: object) -> str:
    """A scalar, plain where that reads back as what it is."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    written = str(value)
    means = scalar(written, plain=True)
    if _PLAIN.fullmatch(written) and isinstance(means, str) and written.lower() not in _OTHER_READERS:
        return written
    quoted = json.dumps(written, ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)


def flow(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key_text(key)}: {flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    return text(value)


def key_text(key: str) -> str:
    """A key: always text, so quoted where it would read as something else."""
    return text(key) if isinstance(scalar(key, plain=True), str) else json.dumps(key)


def entry(key: str, value: Any, indent: int, *, why: str = "", block: bool = False) -> list[str]:
    """`key: value`, on one line where it fits (and `block` does not ask for lines), with the reason behind or above it.

    A mapping in lines has one line for each of its entries, a list one for each item.
    """
    pad = " " * indent
    line = f"{pad}{key_text(key)}: {flow(value)}"
    if not block and len(line) <= WIDTH:
        return _reasoned(line, why, pad)
    if isinstance(value, Mapping) and value:
        inner = [line for name, item in value.items() for line in entry(name, item, indent + 2)]
        return [*_reasoned(f"{pad}{key_text(key)}:", why, pad), *inner]
    if isinstance(value, Sequence) and not isinstance(value, str) and value:
        return [*_reasoned(f"{pad}{key_text(key)}:", why, pad), *(f"{pad}  - {flow(item)}" for item in value)]
    return _reasoned(line, why, pad)


def _reasoned(line: str, why: str, pad: str) -> list[str]:
    if not why:
        return [line]
    shown = " ".join(why.split())
    return [f"{line}  # {shown}"] if len(line) + len(shown) + 4 <= WIDTH + 10 else [f"{pad}# {shown}", line]
