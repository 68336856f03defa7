"""What the configuration says, as people read it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from devenv.config.explain import Explained
from devenv.config.search import shown_place
from devenv.config.validate import Validated

_WIDEST_PATH, _WIDEST_VALUE = 60, 40


def explained_lines(explained: Sequence[Explained], root: Path) -> list[str]:
    """A line of key path, value and origin for each value; below it what it replaced and where it is used."""
    paths = _width((found.path for found in explained), _WIDEST_PATH)
    values = _width((_value(found) for found in explained), _WIDEST_VALUE)
    lines = []
    for found in explained:
        lines.append(f"{found.path:<{paths}}  {_value(found):<{values}}  {_origin(found, root)}")
        lines += [f"    {more}" for more in _more(found, root)]
    return lines


def _width(texts: Iterable[str], widest: int) -> int:
    return max((len(text) for text in texts if len(text) <= widest), default=0)


def _value(found: Explained) -> str:
    value = found.value
    plain = isinstance(value, str) and value and value.isprintable() and value == value.strip()
    if not plain or value in ("true", "false", "null", "~") or str(value).lstrip("+-").isdigit():
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def _origin(found: Explained, root: Path) -> str:
    if found.origin is None:
        return f"({found.note})"
    return shown_place(found.origin, root) + (f", {found.note}" if found.note else "")


def _more(found: Explained, root: Path) -> Iterator[str]:
    if found.over:
        yield f"over: {', '.join(shown_place(origin, root) for origin in found.over)}"
    for place in found.parameters:
        yield f"{place.path} from {shown_place(place.origin, root)}"
    for place in found.used_in:
        yield f"used in {place.path}: {shown_place(place.origin, root)}"


def validated_line(valid: Validated, folder: Path) -> str:
    """What was found to be without faults."""
    file = valid.file.relative_to(folder) if valid.file.is_relative_to(folder) else valid.file
    counts = [(valid.services, "service"), (valid.dependencies, "dependency"), (len(valid.files), "file")]
    shown = [_count(number, word) for number, word in counts if word != "service" or valid.kind == "environment"]
    return f"{file}: ok ({', '.join(shown)})"


def _count(number: int, word: str) -> str:
    many = f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"
    return f"{number} {word if number == 1 else many}"
