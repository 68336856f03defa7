"""What a stub asks of a request before it answers: path, required query parameters and headers, a JSON body.

A body is judged by its types, properties, bounds and enums. Left out, as the engine's verdict could differ from the
document's: patterns and formats, oneOf, anyOf, not, cookies, the values of parameters, parameters that are spread over
several names, and the body of an operation that takes other media types too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from devenv.stubs.openapi_document import Document, Place, Refused, quoted
from devenv.stubs.openapi_responses import is_json
from devenv.stubs.openapi_schema import Flat, Schemas

# How deep, and how much of, a body is judged.
_DEEPEST, _MOST = 6, 300
_NOT_PARAMETERS = ("accept", "content-type", "authorization")
_SAME = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength", "minItems", "maxItems")


def base_path(*levels: Place) -> str:
    """The path of the first server, from the first level (operation, path, document) that has servers."""
    for level in levels:
        for server in level.list("servers")[:1]:
            return _server_path(server)
    return ""


def _server_path(server: Place) -> str:
    url = server.text("url")
    if url is None:
        raise Refused(server.pointer, "a server without its url")
    for name, variable in server.entries("variables"):
        url = url.replace(f"{{{name}}}", str(variable.mapping().get("default", f"{{{name}}}")))
    try:
        # A host may hold braces and brackets that urlsplit refuses; it is the dependency's name in any case.
        path = urlsplit(urljoin("http://server/", re.sub(r"^([A-Za-z][\w+.-]*:)?//[^/]*", "http://server", url))).path
    except ValueError:
        raise Refused(f"{server.pointer}/url", f"{quoted(url)} is no URL") from None
    if "{" in path:
        raise Refused(f"{server.pointer}/url", f"{quoted(path)} has a variable without a default")
    return quote(path.rstrip("/"), safe="/%:@!$&'()*+,;=~", errors="replace")


def url_matcher(base: str, path: Place, name: str) -> dict[str, str]:
    """The part of a request matcher that speaks of the path."""
    if not name.startswith("/") or "?" in name or "#" in name:
        raise Refused(path.pointer, f"expected a path like /pets/{{id}}, found {quoted(name)}")
    outside = re.sub(r"\{[^{}/]+\}", "", name)
    if "{" in outside or "}" in outside:
        raise Refused(path.pointer, f"the braces of {quoted(name)} do not pair")
    parts = re.split(r"(\{[^{}]+\})", name)
    whole = base + "".join(
        part if part.startswith("{") else quote(part, safe="/%:@!$&'()*+,;=~", errors="replace") for part in parts
    )
    return {"urlPathTemplate" if len(parts) > 1 else "urlPath": whole}


def generality(path: str) -> int:
    """How many paths a template takes in beside others: a path of fewer is the better answer where both match."""
    segments = path.split("/")
    return sum(2 if re.fullmatch(r"\{[^{}]*\}", segment) else 1 if "{" in segment else 0 for segment in segments)


class Requests:
    """Makes the matchers of operations."""

    def __init__(self, document: Document, schemas: Schemas) -> None:
        self._document, self._schemas, self._written = document, schemas, 0

    def matcher(self, path_item: Place, operation: Place) -> dict[str, Any]:
        """What an operation demands beside its path and method."""
        found: dict[str, Any] = {}
        for kind, key in (("query", "queryParameters"), ("header", "headers")):
            names = [name for place_in, name in self._demanded(path_item, operation) if place_in == kind]
            if names:
                found[key] = {name: {"matches": "(?s).*"} for name in names}
        body = self._body(operation)
        return found | ({"bodyPatterns": [body]} if body else {})

    def _demanded(self, path_item: Place, operation: Place) -> Iterator[tuple[str, str]]:
        parameters: dict[tuple[str, str], Place] = {}
        for place in path_item.list("parameters") + operation.list("parameters"):
            parameter = self._document.follow(place)
            kind, name = parameter.text("in"), parameter.text("name")
            if kind is None or name is None:
                raise Refused(place.pointer, "a parameter without its name or `in`")
            parameters[kind, name] = parameter
        for (kind, name), parameter in parameters.items():
            if parameter.value.get("required") is True and self._under_one_name(parameter, kind, name):
                yield kind, name

    def _under_one_name(self, parameter: Place, kind: str, name: str) -> bool:
        if kind == "header":
            return name.lower() not in _NOT_PARAMETERS
        schema = parameter.get("schema")
        spread = parameter.value.get("style") == "deepObject" or name.endswith("[]")
        return not spread and not (schema and self._schemas.flat([schema]).type() == "object")

    def _body(self, operation: Place) -> dict[str, Any] | None:
        place = operation.get("requestBody")
        body = self._document.follow(place) if place else None
        if body is None or body.mapping().get("required") is not True:
            return None
        content = list(body.entries("content"))
        schema = content[0][1].get("schema") if len(content) == 1 and is_json(content[0][0]) else None
        if schema is None:
            return None
        self._written = 0
        return {"matchesJsonSchema": self._weaker(schema, _DEEPEST), "schemaVersion": "V202012"}

    def _weaker(self, place: Place, depth: int) -> dict[str, Any]:
        """A schema without references that accepts all that this one does, and little else."""
        flat = self._schemas.flat([place])
        schema: dict[str, Any] = {word: flat.words[word] for word in _SAME if word in flat.words}
        if "type" in flat.words:
            schema["type"] = [*flat.words["type"], *(["null"] if flat.nullable else [])]
        if "enum" in flat.words and not flat.choices:
            schema["enum"] = flat.words["enum"] + ([None] if flat.nullable else [])
        self._written += 1
        if depth and self._written < _MOST:
            schema |= self._inside(flat, depth - 1)
        return schema

    def _inside(self, flat: Flat, depth: int) -> dict[str, Any]:
        made: dict[str, Any] = {}
        inner = {name: self._schemas.flat(places) for name, places in flat.properties.items()}
        required = [name for name in flat.required if name not in inner or not inner[name].words.get("readOnly")]
        if required:
            made["required"] = required
        if flat.properties:
            made["properties"] = {
                name: self._weaker(places[0], depth) for name, places in flat.properties.items() if len(places) == 1
            }
        if len(flat.items) == 1:
            made["items"] = self._weaker(flat.items[0], depth)
        return made
