"""A schema of an OpenAPI document with its references followed and its allOf merged, one level at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any

from devenv.stubs.openapi_document import Cut, Document, Place, Refused, quoted

TYPES = ("object", "array", "string", "integer", "number", "boolean")
_LOWER_BOUNDS = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER_BOUNDS = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_COUNTS = ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties")
_NUMBERS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
_FLAGS = ("uniqueItems", "writeOnly", "readOnly")
_DEEPEST = 40

Words = Mapping[str, Any]


@dataclass(frozen=True)
class Flat:
    """What a schema asks of one value; what it asks of the values inside stays as places."""

    pointer: str
    words: Words = field(default_factory=dict)
    properties: Mapping[str, tuple[Place, ...]] = field(default_factory=dict)
    items: tuple[Place, ...] = ()
    first_items: tuple[Place, ...] = ()
    additional: tuple[Place, ...] = ()
    choices: tuple[tuple[Place, ...], ...] = ()
    discriminator: Place | None = None
    # The component it is, for a discriminator; and all places that are this value, to see a circle by.
    name: str = ""
    heads: frozenset[str] = frozenset()

    @property
    def required(self) -> tuple[str, ...]:
        """The properties it demands, in the document's order."""
        return tuple(self.words.get("required", ()))

    @property
    def nullable(self) -> bool:
        """Whether null is said to be a value."""
        return bool(self.words.get("null"))

    def type(self) -> str:
        """The type of value to make: the first one that is not null, or what its keywords speak of."""
        types = self.words.get("type")
        if types is None:
            return self._guess()
        if not types and not self.nullable:
            raise Cut(self.pointer, "no type of value is all that is asked of it")
        return str(types[0]) if types else "null"

    def _guess(self) -> str:
        if self.properties or self.required or self.additional or "minProperties" in self.words:
            return "object"
        if self.items or self.first_items or "minItems" in self.words or "uniqueItems" in self.words:
            return "array"
        return "number" if any(word in self.words for word in _NUMBERS) else "string"


class Schemas:
    """Reads the schemas of a document, each once."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._known: dict[str, Flat] = {}
        self._open: list[str] = []

    def flat(self, places: Sequence[Place]) -> Flat:
        """One schema of all that the places ask together."""
        return reduce(combined, [self._one(place) for place in places])

    def chosen(self, flat: Flat, alternative: Place) -> Flat:
        """The schema with one alternative of its first oneOf or anyOf."""
        return combined(self._one(alternative), replace(flat, choices=flat.choices[1:], name=""))

    def _one(self, place: Place) -> Flat:
        if place.pointer in self._open:
            raise Refused(place.pointer, "this schema is a part of itself")
        if len(self._open) > _DEEPEST:
            raise Refused(place.pointer, f"more than {_DEEPEST} references and allOf one after the other")
        if place.pointer not in self._known:
            self._open.append(place.pointer)
            try:
                self._known[place.pointer] = self._read(place)
            finally:
                self._open.pop()
        return self._known[place.pointer]

    def _read(self, place: Place) -> Flat:
        if isinstance(place.value, bool):
            return Flat(place.pointer, {} if place.value else {"enum": []}, heads=frozenset({place.pointer}))
        flat = _own(place)
        parts = [self._one(part) for part in place.list("allOf")]
        if "$ref" in place.mapping():
            target = self._document.target(place)
            referred = self._one(target)
            name = referred.name or (target.pointer if target.pointer.startswith("#/components/schemas/") else "")
            flat = replace(flat, name=target.pointer if name else "", heads=flat.heads | referred.heads)
            parts.insert(0, referred)
        return reduce(
            lambda whole, part: replace(combined(whole, part), name=whole.name, heads=whole.heads), parts, flat
        )


def combined(one: Flat, other: Flat) -> Flat:
    """The schema that asks what both ask; where only one can have its way, the first has."""
    return Flat(
        pointer=one.pointer,
        words=_words(one.words, other.words),
        properties={
            name: _together(one.properties.get(name, ()), other.properties.get(name, ()))
            for name in [*one.properties, *other.properties]
        },
        items=_together(one.items, other.items),
        first_items=one.first_items or other.first_items,
        additional=_together(one.additional, other.additional),
        choices=_together(one.choices, other.choices),
        discriminator=one.discriminator or other.discriminator,
        name=one.name or other.name,
        heads=one.heads | other.heads,
    )


def _together(one: tuple[Any, ...], other: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys(one + other))


def _words(one: Words, other: Words) -> Words:
    merged = {**other, **one}
    for word in one.keys() & other.keys():
        if rule := _RULES.get(word):
            merged[word] = rule(one[word], other[word])
    return merged


def _types(one: Sequence[str], other: Sequence[str]) -> tuple[str, ...]:
    both = [name for name in one if name in other or (name == "integer" and "number" in other)]
    return tuple(both + ["integer"] * ("number" in one and "integer" in other and "integer" not in both))


_RULES: dict[str, Callable[[Any, Any], Any]] = {
    "type": _types,
    "enum": lambda one, other: [value for value in one if value in other],
    "required": lambda one, other: _together(tuple(one), tuple(other)),
    **dict.fromkeys(_LOWER_BOUNDS, max),
    **dict.fromkeys(_UPPER_BOUNDS, min),
    **dict.fromkeys(_FLAGS, lambda one, other: one or other),
}


def _own(place: Place) -> Flat:
    """What the schema itself says, without its references and allOf."""
    additional = place.get("additionalProperties")
    items = place.get("items")
    choices = [tuple(sorted(place.list(word), key=_is_null)) for word in ("oneOf", "anyOf")]
    return Flat(
        pointer=place.pointer,
        words=_own_words(place),
        properties={name: (inner,) for name, inner in place.entries("properties")},
        items=(items,) if items else (),
        first_items=tuple(place.list("prefixItems")),
        additional=(additional,) if additional and additional.value is not True else (),
        choices=tuple(choice for choice in choices if choice),
        discriminator=place.get("discriminator"),
        heads=frozenset({place.pointer}),
    )


def _is_null(alternative: Place) -> bool:
    return isinstance(alternative.value, dict) and alternative.value.get("type") == "null"


def _own_words(place: Place) -> dict[str, Any]:
    own = place.mapping()
    words = {word: own[word] for word in ("example", "default") if word in own}
    words |= {word: own[word] for word in _FLAGS if own.get(word) is True}
    words |= {word: place.text(word) for word in ("format", "pattern") if word in own}
    words |= {"enum": [own["const"]]} if "const" in own else {}
    words |= {"enum": [item.value for item in place.list("enum")]} if own.get("enum") is not None else {}
    if isinstance(own.get("examples"), list) and own["examples"]:
        words.setdefault("example", own["examples"][0])
    required = [item.value for item in place.list("required")] if own.get("required") not in (None, True, False) else []
    words |= {"required": [name for name in required if isinstance(name, str)]} if required else {}
    return words | _type_words(place) | _bounds(place)


def _type_words(place: Place) -> dict[str, Any]:
    given = place.get("type")
    if given is None:
        return {"null": True} if place.value.get("nullable") is True else {}
    names = given.value if isinstance(given.value, list) else [given.value]
    for name in names:
        if name not in (*TYPES, "null"):
            raise Refused(given.pointer, f"there is no type {quoted(name)}")
    types = tuple(name for name in names if name != "null")
    return {"type": types, "null": "null" in names or place.value.get("nullable") is True}


def _bounds(place: Place) -> dict[str, Any]:
    own = dict(place.mapping())
    for end, open_end in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        # OpenAPI 3.0 says with a flag what 3.1 says with a number.
        if isinstance(own.get(open_end), bool):
            own[open_end] = own.get(end) if own[open_end] else None
    words = {}
    for word in (*_NUMBERS, *_COUNTS):
        value = own.get(word)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or (word == "multipleOf" and value <= 0):
            raise Refused(f"{place.pointer}/{word}", f"expected a number, found {quoted(value)}")
        words[word] = int(value) if word in _COUNTS else value
    return words
