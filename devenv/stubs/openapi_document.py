"""An OpenAPI document as plain values and their places: references are followed, hostile shapes refused."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from urllib.parse import unquote

DEEPEST = 100
# Python refuses to write out integers far beyond this, and no number of JSON's readers holds them.
LARGEST = 10**300


@dataclass(frozen=True, order=True)
class Fault:
    """What is wrong with a document, and the JSON pointer (`#/paths/~1pets/get`) of the place."""

    pointer: str
    text: str


class Refused(Exception):  # noqa: N818 - it ends one operation, the rest of the document goes on
    """Nothing can be made of this place of the document."""

    def __init__(self, pointer: str, text: str) -> None:
        super().__init__(text)
        self.fault = Fault(pointer, text)


class Cut(Refused):
    """No value fits here, but what stands around it may do without one."""


def quoted(value: object) -> str:
    """A value of the document for a fault's text, in one short line."""
    text = ascii(value)
    return text if len(text) <= 80 else text[:77] + "..."


@dataclass(frozen=True)
class Place:
    """A value of the document and the JSON pointer it stands at; two places with one pointer are the same."""

    value: Any = field(compare=False)
    pointer: str = "#"

    def at(self, key: str | int) -> Place:
        """What stands under a key or index that is there."""
        token = str(key).replace("~", "~0").replace("/", "~1")
        return Place(self.value[key], f"{self.pointer}/{token}")

    def mapping(self) -> Mapping[str, Any]:
        """The value, which must be a mapping."""
        if not isinstance(self.value, dict):
            raise Refused(self.pointer, f"expected a mapping, found {quoted(self.value)}")
        return self.value

    def get(self, key: str) -> Place | None:
        """What stands under a key of this mapping; None without one, or where it is null."""
        return self.at(key) if self.mapping().get(key) is not None else None

    def entries(self, key: str) -> Iterator[tuple[str, Place]]:
        """The entries of the mapping under a key; none without one."""
        inner = self.get(key)
        for name in inner.mapping() if inner else ():
            yield name, inner.at(name)  # type: ignore[union-attr]

    def list(self, key: str) -> list[Place]:
        """The items of the list under a key; none without one."""
        inner = self.get(key)
        if inner is None:
            return []
        if not isinstance(inner.value, list):
            raise Refused(inner.pointer, f"expected a list, found {quoted(inner.value)}")
        return [inner.at(index) for index in range(len(inner.value))]

    def text(self, key: str) -> str | None:
        """The string under a key; None without one."""
        inner = self.get(key)
        if inner is not None and not isinstance(inner.value, str):
            raise Refused(inner.pointer, f"expected a string, found {quoted(inner.value)}")
        return inner.value if inner else None


class Document:
    """The document as a whole."""

    def __init__(self, values: object) -> None:
        self.root = Place(_Plain().copy(values, 0))

    def follow(self, place: Place) -> Place:
        """The place itself, or what its `$ref` leads to in the end."""
        passed: set[str] = set()
        while isinstance(place.value, dict) and "$ref" in place.value:
            if place.pointer in passed:
                raise Refused(f"{place.pointer}/$ref", "this reference leads back to itself")
            passed.add(place.pointer)
            place = self.target(place)
        return place

    def target(self, place: Place) -> Place:
        """Where the `$ref` of a place points."""
        reference, pointer = place.value["$ref"], f"{place.pointer}/$ref"
        if not isinstance(reference, str):
            raise Refused(pointer, f"expected a reference, found {quoted(reference)}")
        if not reference.startswith("#"):
            raise Refused(pointer, f"{quoted(reference)} is outside of this document: bundle its files into one")
        if reference != "#" and not reference.startswith("#/"):
            raise Refused(
                pointer, f"{quoted(reference)} is an anchor: only pointers like '#/components/...' are followed"
            )
        found = self.root
        for token in reference[2:].split("/") if reference != "#" else ():
            found = _step(found, unquote(token).replace("~1", "/").replace("~0", "~"), pointer, reference)
        return found


def _step(found: Place, token: str, pointer: str, reference: str) -> Place:
    if isinstance(found.value, dict) and token in found.value:
        return found.at(token)
    digits = token.isascii() and token.isdigit() and len(token) < 10
    if isinstance(found.value, list) and digits and int(token) < len(found.value):
        return found.at(int(token))
    raise Refused(pointer, f"there is no {quoted(reference)} in this document")


class _Plain:
    """Copies what a reader of YAML or JSON gives to JSON's own types; what is shared stays shared."""

    def __init__(self) -> None:
        self._done: dict[int, Any] = {}
        self._open: set[int] = set()

    def copy(self, value: Any, depth: int) -> Any:
        if not isinstance(value, Mapping | list | tuple):
            return _scalar(value)
        if depth > DEEPEST:
            raise Refused("#", f"nested deeper than {DEEPEST} levels")
        if id(value) in self._open:
            raise Refused("#", "a YAML alias holds itself")
        if id(value) not in self._done:
            self._open.add(id(value))
            self._done[id(value)] = self._copied(value, depth + 1)
            self._open.remove(id(value))
        return self._done[id(value)]

    def _copied(self, value: Any, depth: int) -> Any:
        if isinstance(value, Mapping):
            return {_key(key): self.copy(inner, depth) for key, inner in value.items()}
        return [self.copy(inner, depth) for inner in value]


def _key(key: object) -> str:
    return str(key).lower() if isinstance(key, bool) else str(_scalar(key))


def _scalar(value: Any) -> Any:
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return value if abs(value) < LARGEST else None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return str(value)
