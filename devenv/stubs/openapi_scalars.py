"""Numbers and strings that a schema allows; the same ones for the same seed."""

from __future__ import annotations

import base64
import hashlib
import itertools
import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from devenv.stubs.openapi_document import Refused
from devenv.stubs.openapi_pattern import matching

LONGEST = 10_000
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_INTEGERS = {"int32": 2**31, "int64": 2**63, "int16": 2**15, "int8": 2**7, "uint8": 2**8, "uint32": 2**32}


def seeded(text: str) -> int:
    """A large number that stands for a text: the same on every machine and in every run."""
    return int.from_bytes(hashlib.sha256(text.encode(errors="backslashreplace")).digest()[:8], "big")


def number(words: Mapping[str, Any], seed: int, pointer: str, *, whole: bool) -> int | float:
    """A number within the bounds, whole wherever one fits; between 1 and 1000 if nothing speaks against it."""
    try:
        return _number(words, seed, pointer, whole=whole)
    except OverflowError:
        raise Refused(pointer, "its bounds are beyond what numbers can be counted in") from None


def _number(words: Mapping[str, Any], seed: int, pointer: str, *, whole: bool) -> int | float:
    bits = _INTEGERS.get(str(words.get("format")), 2**63) if whole else 2**63
    low, high = _range(words, bits)
    step: float = words.get("multipleOf", 1)
    unit = int(step) if step == int(step) else 1
    first, last = math.ceil(low / unit), math.floor(high / unit)
    for index in (first + seed % (last - first + 1) if first <= last else 0, *range(first, min(last, first + 50) + 1)):
        if _fits(index * unit, words, step):
            return int(index * unit)
    return _between(words, low, high, step, pointer, whole=whole)


def _range(words: Mapping[str, Any], bits: int) -> tuple[float, float]:
    low = max((words[word] for word in ("minimum", "exclusiveMinimum") if word in words), default=None)
    high = min((words[word] for word in ("maximum", "exclusiveMaximum") if word in words), default=None)
    room = 1000 * max(1, int(words.get("multipleOf", 1)))
    if low is None:
        low = 1 if high is None or high >= 1 else high - room
    if high is None:
        high = min(low + room, bits - 1) if low < bits else low + room
    return low, high


def _fits(value: float, words: Mapping[str, Any], step: float) -> bool:
    above = value >= words.get("minimum", -math.inf) and value > words.get("exclusiveMinimum", -math.inf)
    below = value <= words.get("maximum", math.inf) and value < words.get("exclusiveMaximum", math.inf)
    return above and below and ("multipleOf" not in words or (value / step) == int(value / step))


def _between(words: Mapping[str, Any], low: float, high: float, step: float, pointer: str, *, whole: bool) -> float:
    """A fraction within the bounds, where no whole number is."""
    usual = [] if "multipleOf" in words else [(low + high) / 2, low, high]
    steps = [round(index * step, 12) for index in range(math.ceil(low / step), math.ceil(low / step) + 50)]
    for value in [] if whole else usual + steps:
        if _fits(value, words, step):
            return value
    raise Refused(pointer, "no number is within its bounds")


def text(words: Mapping[str, Any], seed: int, label: str, pointer: str) -> str:
    """A string of the format, the pattern and the length; else a word made of the label."""
    low, high = max(0, words.get("minLength", 0)), words.get("maxLength", math.inf)
    if low > high:
        raise Refused(pointer, f"no string has at least {low} and at most {high} characters")
    if low > LONGEST:
        raise Refused(f"{pointer}/minLength", f"a stub makes no string of more than {LONGEST} characters")
    if words.get("pattern"):
        found = matching(words["pattern"], low, high, seed)
        return found if found is not None else _word(label, seed, low, high)
    for make in _FORMATS.get(str(words.get("format")), ()):
        made = make(seed)
        if low <= len(made) <= high:
            return made
    return _word(label, seed, low, high)


def _word(label: str, seed: int, low: int, high: float) -> str:
    name = "".join(letter for letter in label if letter.isascii() and letter.isalnum()) or "text"
    word = f"{name} {seed % 1000}"
    if len(word) > high:
        word = _letters(seed, int(high))
    return word + _letters(seed, low - len(word))


def _letters(seed: int, count: int) -> str:
    return "".join(_LETTERS[(seed // 26**place + place) % 26] for place in range(min(count, 12))) + "".join(
        itertools.islice(itertools.cycle(_LETTERS), max(0, count - 12))
    )


def _moment(seed: int) -> datetime:
    return datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=seed % (2 * 365 * 86400))


def _uuid(seed: int) -> str:
    return str(UUID(int=seeded(str(seed)) << 64 | seed, version=4))


_EMAILS = (lambda seed: f"{_letters(seed, 6)}@example.com", lambda seed: f"{_letters(seed, 1)}@b.co")
_HOSTS = (lambda seed: f"{_letters(seed, 6)}.example.com", lambda seed: f"{_letters(seed, 4)}")
_LINKS = (lambda seed: f"https://example.com/{_letters(seed, 6)}", lambda seed: f"a:{_letters(seed, 2)}")
_FORMATS: dict[str, tuple[Callable[[int], str], ...]] = {
    "date": (lambda seed: _moment(seed).date().isoformat(),),
    "date-time": (lambda seed: _moment(seed).isoformat().replace("+00:00", "Z"),),
    "time": (lambda seed: _moment(seed).strftime("%H:%M:%SZ"),),
    "duration": (lambda seed: f"P{seed % 30 + 1}D",),
    "uuid": (_uuid,),
    "email": _EMAILS,
    "idn-email": _EMAILS,
    "hostname": _HOSTS,
    "idn-hostname": _HOSTS,
    **dict.fromkeys(("uri", "url", "iri", "uri-reference", "iri-reference"), _LINKS),
    "ipv4": (lambda seed: f"192.0.2.{seed % 254 + 1}",),
    "ipv6": (lambda seed: f"2001:db8::{seed % 0xFFFF + 1:x}",),
    "byte": tuple(
        lambda seed, count=count: base64.b64encode(_letters(seed, count).encode()).decode()  # type: ignore[misc]
        for count in (9, 3)
    ),
    "regex": (lambda seed: f"^{_letters(seed, 3)}$",),
    "json-pointer": (lambda seed: f"/{_letters(seed, 3)}",),
}
