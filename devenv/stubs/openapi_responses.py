"""Responses of an OpenAPI document as WireMock gives them: status, headers and a body."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from devenv.stubs.openapi_document import Document, Place, Refused, quoted
from devenv.stubs.openapi_schema import Schemas
from devenv.stubs.openapi_values import Values, size

WITHOUT_BODY = (204, 205, 304)
# What the engine itself says of the connection and the length would be wrong in a document's words.
_ENGINE_HEADERS = ("content-type", "content-length", "content-encoding", "transfer-encoding", "connection", "date")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class Responses:
    """Makes responses from the document's Response Objects."""

    def __init__(self, document: Document, schemas: Schemas) -> None:
        self._document, self._schemas = document, schemas

    def response(self, place: Place, status: int, seed: str, *, body: bool) -> dict[str, Any]:
        """The response of WireMock for a Response Object (or a reference to one)."""
        place = self._document.follow(place)
        made: dict[str, Any] = {"status": status}
        headers = dict(self._headers(place, seed))
        media = preferred_media(place) if status not in WITHOUT_BODY else None
        if media:
            headers["Content-Type"] = _content_type(media[0])
            made |= self._body(*media, seed) if body else {}
        return made | ({"headers": headers} if headers else {})

    def _headers(self, place: Place, seed: str) -> Iterator[tuple[str, str]]:
        for name, header in place.entries("headers"):
            if name.lower() in _ENGINE_HEADERS:
                continue
            if not _TOKEN.fullmatch(name):
                raise Refused(header.pointer, f"{quoted(name)} is no name of a header")
            value = self._example(self._document.follow(header), f"{seed}|{name}")
            yield name, "" if value is None else _line(value)

    def _body(self, media: str, place: Place, seed: str) -> dict[str, Any]:
        value = self._example(place, seed)
        return json_body(self._parsed(place, value)) if is_json(media) else {"body": _text(media, value)}

    def named(self, place: Place | None) -> dict[str, Any]:
        """The examples with names of a response's or a request's JSON body."""
        found = preferred_media(self._document.follow(place)) if place else None
        if found is None or not is_json(found[0]):
            return {}
        return {name: value for name, value in self._examples(found[1]) if name}

    def _parsed(self, place: Place, value: Any) -> Any:
        """An example that stands in the document as the text of its JSON."""
        schema = place.get("schema")
        if not isinstance(value, str) or schema is None or value[:1] not in ("{", "["):
            return value
        if self._schemas.flat([schema]).type() == "string":
            return value
        try:
            parsed = json.loads(value)
        except (ValueError, RecursionError):
            return value
        return parsed

    def _example(self, place: Place, seed: str) -> Any:
        """The value of a media type or a header: its example, the first of its examples, else one of its schema."""
        for _, value in self._examples(place):
            return value
        for _, inner in place.entries("content"):
            return self._example(inner, seed)
        schema = place.get("schema")
        return Values(self._schemas, seed).of(schema) if schema else None

    def _examples(self, place: Place) -> Iterator[tuple[str, Any]]:
        own = place.mapping()
        if "example" in own:
            size(own["example"], f"{place.pointer}/example")
            yield "", own["example"]
        for name, example in place.entries("examples"):
            found = self._document.follow(example)
            if "value" in found.mapping():
                size(found.value["value"], found.pointer)
                yield name, found.value["value"]


def json_body(value: Any) -> dict[str, Any]:
    """A JSON value as WireMock's body; it takes a jsonBody of null for none."""
    return {"body": "null"} if value is None else {"jsonBody": value}


def preferred_media(place: Place) -> tuple[str, Place] | None:
    """The media type of a `content` to speak: JSON if there is one, else the first."""
    known = list(place.entries("content"))
    for name, inner in known:
        inner.mapping()
        if is_json(name):
            return name, inner
    return known[0] if known else None


def is_json(media: str) -> bool:
    """Whether a media type, maybe one with wildcards or parameters, is JSON."""
    name = media.partition(";")[0].strip().lower()
    return name in ("application/json", "text/json", "*/*", "application/*") or name.endswith("+json")


def _content_type(media: str) -> str:
    name = media.partition(";")[0].strip().lower()
    if name in ("*/*", "application/*"):
        return "application/json"
    return _line(media.replace("*", "plain"))


def _line(value: Any) -> str:
    """A value in one line of a header, lists in the `simple` style."""
    if isinstance(value, list):
        return ",".join(map(_line, value))
    if isinstance(value, dict):
        return ",".join(f"{_line(key)},{_line(inner)}" for key, inner in value.items())
    text = value if isinstance(value, str) else json.dumps(value)
    return "".join(c if c.isprintable() else " " for c in text.encode("latin-1", "replace").decode("latin-1"))


def _text(media: str, value: Any) -> str:
    name = media.partition(";")[0].strip().lower()
    if value is None or isinstance(value, str):
        return value or ""
    if name == "application/x-www-form-urlencoded" and isinstance(value, dict):
        pairs = {key: inner if isinstance(inner, str) else json.dumps(inner) for key, inner in value.items()}
        return urlencode(pairs, errors="replace")
    if name.endswith(("/xml", "+xml")):
        return '<?xml version="1.0"?>' + _xml("response", value)
    return json.dumps(value)


def _xml(name: str, value: Any) -> str:
    tag = re.sub(r"[^A-Za-z0-9_.-]", "_", name)
    tag = tag if tag[:1].isalpha() else f"_{tag}"
    if isinstance(value, dict):
        inside = "".join(_xml(key, inner) for key, inner in value.items())
    elif isinstance(value, list):
        inside = "".join(_xml("item", inner) for inner in value)
    else:
        text = value if isinstance(value, str) else json.dumps(value)
        inside = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"<{tag}>{inside}</{tag}>"
