"""A value for a schema: its own example if it has one, else one that it allows, the same for the same seed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from devenv.stubs.openapi_document import Cut, Place, Refused
from devenv.stubs.openapi_scalars import number, seeded, text
from devenv.stubs.openapi_schema import Flat, Schemas

# Beyond the first figure a body leaves out what its schema does not demand, beyond the second it is none.
_ENOUGH, _TOO_MANY = 1_000, 20_000
_MOST_ITEMS, _DEEPEST, _TRIES = 1_000, 30, 40


@dataclass(frozen=True)
class _Spot:
    """Where in the body a value is made, inside of which schemas, and the how-manieth try it is."""

    path: str
    within: frozenset[str] = frozenset()
    depth: int = 0
    again: int = 0

    def label(self) -> str:
        """The nearest property's name, for a word made of it."""
        return next((part for part in reversed(self.path.split("/")) if not part.startswith("#")), "")

    def inner(self, flat: Flat, name: str) -> _Spot:
        return replace(self, path=f"{self.path}/{name}", within=self.within | flat.heads, depth=self.depth + 1)


class Values:
    """Makes the value of one body or header."""

    def __init__(self, schemas: Schemas, seed: str) -> None:
        self._schemas, self._seed, self._made = schemas, seed, 0

    def of(self, schema: Place) -> Any:
        """A value that the schema allows in a response. Left out: `not`, `if`, `contains`, and that of several
        alternatives of a oneOf no other may fit too.
        """
        return self._of(self._schemas.flat([schema]), _Spot(""))

    def _value(self, places: tuple[Place, ...], spot: _Spot) -> Any:
        return self._of(self._schemas.flat(places), spot)

    def _of(self, flat: Flat, spot: _Spot) -> Any:
        self._count(flat.pointer)
        for value in self._given(flat, spot):
            return value
        try:
            if flat.heads & spot.within:
                raise Cut(flat.pointer, "this schema needs itself inside of itself without end")
            if spot.depth > _DEEPEST:
                raise Cut(flat.pointer, f"needs values nested deeper than {_DEEPEST} levels")
            return self._chosen(flat, spot) if flat.choices else self._made_of(flat, spot)
        except Cut:
            if flat.nullable:
                return None
            raise

    def _count(self, pointer: str) -> None:
        self._made += 1
        if self._made > _TOO_MANY:
            raise Refused(pointer, f"a body of more than {_TOO_MANY} values")

    def _given(self, flat: Flat, spot: _Spot) -> Iterator[Any]:
        """The values that the schema itself names, the best first."""
        enum = flat.words.get("enum")
        for word in ("example", "default"):
            value = flat.words.get(word)
            if value is None or spot.again or (enum is not None and value not in enum):
                continue
            if word == "example" or _complete(value, flat):
                self._made += size(value, flat.pointer)
                yield _as_text(value) if flat.words.get("type") == ("string",) else value
        if enum is not None:
            if not enum:
                raise Cut(flat.pointer, "no value is allowed here")
            yield enum[self._seeded(spot) % len(enum) if spot.again else 0]

    def _chosen(self, flat: Flat, spot: _Spot) -> Any:
        last: Cut | None = None
        spot = replace(spot, depth=spot.depth + 1)
        for alternative in flat.choices[0]:
            if alternative.pointer in flat.heads:
                return self._of(replace(flat, choices=flat.choices[1:]), spot)
            try:
                return self._of(self._schemas.chosen(flat, alternative), spot)
            except Cut as cut:
                last = last or cut
        raise last or Cut(flat.pointer, "no alternative has a value")

    def _made_of(self, flat: Flat, spot: _Spot) -> Any:
        seed, label = self._seeded(spot), spot.label()
        match flat.type():
            case "object":
                return self._object(flat, spot)
            case "array":
                return self._array(flat, spot)
            case "integer":
                return number(flat.words, seed, flat.pointer, whole=True)
            case "number":
                return number(flat.words, seed, flat.pointer, whole=False)
            case "boolean":
                return seed % 2 == 0
            case "null":
                return None
        return text(flat.words, seed, label, flat.pointer)

    def _seeded(self, spot: _Spot) -> int:
        return seeded(f"{self._seed}|{spot.path}|{spot.again}")

    def _object(self, flat: Flat, spot: _Spot) -> dict[str, Any]:
        made: dict[str, Any] = {}
        most = flat.words.get("maxProperties", math.inf)
        for name in dict.fromkeys([*flat.required, *flat.properties]):
            needed = name in flat.required
            if needed or (len(made) < most and self._made < _ENOUGH):
                self._property(flat, name, spot, made)
        self._more(flat, spot, made)
        if flat.discriminator:
            self._discriminate(flat, flat.discriminator, made)
        order = [*flat.properties, *made]
        return {name: made[name] for name in dict.fromkeys(order) if name in made}

    def _property(self, flat: Flat, name: str, spot: _Spot, made: dict[str, Any]) -> None:
        places = flat.properties.get(name) or flat.additional or (Place({}, f"{flat.pointer}/additionalProperties"),)
        try:
            inner = self._schemas.flat(places)
            if not inner.words.get("writeOnly"):
                made[name] = self._of(inner, spot.inner(flat, name))
        except Cut:
            if name in flat.required:
                raise

    def _more(self, flat: Flat, spot: _Spot, made: dict[str, Any]) -> None:
        """Entries of a map: one where the schema describes them, and as many as it demands."""
        usual = len(made) + 1 if flat.additional and not flat.properties and self._made < _ENOUGH else 0
        least = min(flat.words.get("minProperties", 0), _MOST_ITEMS)
        wanted = min(max(usual, least), flat.words.get("maxProperties", math.inf))
        for index in range(1, int(wanted) - len(made) + 1):
            before = len(made)
            self._property(flat, f"key{index}", spot, made)
            if len(made) == before:
                break
        if len(made) < flat.words.get("minProperties", 0):
            raise Cut(flat.pointer, f"cannot have {flat.words['minProperties']} properties")

    def _discriminate(self, flat: Flat, discriminator: Place, made: dict[str, Any]) -> None:
        name = discriminator.text("propertyName")
        if name is None or not flat.name or name not in {*flat.properties, *flat.required}:
            return
        words = [key for key, target in discriminator.entries("mapping") if _component(target.value) == flat.name]
        word = words[0] if words else flat.name.rpartition("/")[2]
        allowed = self._schemas.flat(flat.properties[name]).words.get("enum") if name in flat.properties else None
        if allowed is None or word in allowed:
            made[name] = word

    def _array(self, flat: Flat, spot: _Spot) -> list[Any]:
        least, most = flat.words.get("minItems", 0), flat.words.get("maxItems", math.inf)
        if least > min(_MOST_ITEMS, most):
            raise Refused(
                f"{flat.pointer}/minItems", f"no list of at least {least} items, at most {min(most, _MOST_ITEMS)}"
            )
        made: list[Any] = []
        try:
            for index in range(int(min(max(least, self._usual(flat, spot)), most, _MOST_ITEMS))):
                made.append(self._item(flat, spot.inner(flat, f"#{index}"), made))
        except Cut:
            if len(made) < least:
                raise
        return made

    def _usual(self, flat: Flat, spot: _Spot) -> int:
        """How many items a list has where nothing is said: two on the outside, one in lists inside of lists."""
        if flat.first_items or not flat.items or self._made > _ENOUGH:
            return len(flat.first_items)
        return 1 if "/#" in spot.path else 2

    def _item(self, flat: Flat, spot: _Spot, others: list[Any]) -> Any:
        places = flat.first_items[len(others) : len(others) + 1] or flat.items or (Place({}, f"{flat.pointer}/items"),)
        for again in range(_TRIES):
            value = self._value(places, replace(spot, again=again or spot.again))
            if value not in others or not flat.words.get("uniqueItems"):
                return value
        raise Cut(flat.pointer, f"has no {len(others) + 1} items that differ")


def _complete(default: Any, flat: Flat) -> bool:
    """Whether a default says what a value looks like: generators write `{}` and `[]` where nothing is known."""
    if isinstance(default, dict | list):
        return bool(default) and all(name in default for name in flat.required)
    return not isinstance(default, str) or flat.type() == "string"


def _as_text(value: Any) -> Any:
    """YAML reads a postal code without quotes as a number; the schema says that it is a string."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _component(target: object) -> str:
    name = str(target)
    return name if "/" in name else f"#/components/schemas/{name}"


def size(value: Any, pointer: str, limit: int = _TOO_MANY) -> int:
    """How many values a value of the document holds; YAML aliases can make few lines to billions."""
    count, waiting = 0, [value]
    while waiting:
        count += 1
        if count > limit:
            raise Refused(pointer, f"an example of more than {limit} values")
        found = waiting.pop()
        if isinstance(found, dict | list):
            waiting.extend(found.values() if isinstance(found, dict) else found)
    return count
