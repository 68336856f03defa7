"""An OpenAPI 3 document as mappings of WireMock: each operation answers, from examples or else from schemas.

A request with the header `X-Devenv-Status: 404` gets that documented response instead, whatever else it holds; ranges
are asked for by their first status (`4XX`: 400), `default` by 500. An example of the request's body is answered by the
response's example of the same name, whatever the status.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from devenv.stubs.openapi_document import Document, Fault, Place, Refused, quoted
from devenv.stubs.openapi_requests import Requests, base_path, generality, url_matcher
from devenv.stubs.openapi_responses import Responses, json_body
from devenv.stubs.openapi_schema import Schemas

__all__ = ["Fault", "mappings"]

STATUS_HEADER = "X-Devenv-Status"
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
# WireMock takes the mapping with the lowest figure first; its own default is 5.
_FIRST_PRIORITY = 10


def mappings(document: Mapping[str, Any], *, service: str) -> tuple[list[dict[str, Any]], list[Fault]]:
    """The mappings of a document, and all that is wrong with it; what is not at fault still has its mappings."""
    faults: list[Fault] = []
    try:
        reader = _Reader(document, service, faults)
        found = reader.read()
    except Refused as refused:
        faults.append(refused.fault)
        found = []
    return found, list(dict.fromkeys(faults))


@dataclass(frozen=True)
class _Operation:
    """One operation with what all its responses have in common."""

    method: str
    path: str
    url: Mapping[str, str]
    item: Place
    place: Place

    @property
    def name(self) -> str:
        return f"{self.method.upper()} {self.path}"

    @property
    def id(self) -> str:
        return str(self.place.mapping().get("operationId") or self.name)


class _Reader:
    def __init__(self, values: object, service: str, faults: list[Fault]) -> None:
        self._document = Document(values)
        schemas = Schemas(self._document)
        self._requests = Requests(self._document, schemas)
        self._responses = Responses(self._document, schemas)
        self._service, self._faults = service, faults

    def read(self) -> list[dict[str, Any]]:
        root = self._document.root
        _check_version(root)
        if not root.get("paths") or not root.value["paths"]:
            raise Refused("#", "no paths, so it would answer nothing")
        found: list[dict[str, Any]] = []
        known: dict[tuple[str, str], str] = {}
        for operation in self._operations():
            try:
                _check_twin(operation, known)
                found.extend(self._mappings(operation))
            except Refused as refused:
                self._faults.append(refused.fault)
        if not found and not self._faults:
            raise Refused("#/paths", "no operations, so it would answer nothing")
        return found

    def _operations(self) -> Iterator[_Operation]:
        for path, place in self._document.root.entries("paths"):
            if path.startswith("x-"):
                continue
            try:
                item = self._document.follow(place)
                for method in _METHODS:
                    operation = item.get(method)
                    if operation:
                        base = base_path(operation, item, self._document.root)
                        yield _Operation(method, path, url_matcher(base, place, path), item, operation)
            except Refused as refused:
                self._faults.append(refused.fault)

    def _mappings(self, operation: _Operation) -> Iterator[dict[str, Any]]:
        responses = operation.place.get("responses")
        answers = dict(_answers(responses)) if responses else {}
        if responses is None or not answers:
            raise Refused(operation.place.pointer, f"{operation.name} has no response that a stub could give")
        usual = _usual(answers)
        for status, place in answers.items():
            try:
                made = self._mapping(operation, status, place, usual=status == usual)
                yield made
                yield from self._pairs(operation, place, made)
            except Refused as refused:
                self._faults.append(refused.fault)

    def _mapping(self, operation: _Operation, status: int, place: Place, *, usual: bool) -> dict[str, Any]:
        seed = f"{self._service}|{operation.name}|{operation.id}|{status}"
        request: dict[str, Any] = {"method": operation.method.upper(), **operation.url}
        if usual:
            request |= self._requests.matcher(operation.item, operation.place)
        else:
            request["headers"] = {STATUS_HEADER: {"equalTo": str(status)}}
        response = self._responses.response(place, status, seed, body=operation.method != "head")
        priority = _FIRST_PRIORITY + 4 * min(generality(operation.path), 1000)
        return {
            "name": operation.name if usual else f"{operation.name} {status}",
            "priority": priority if usual else priority - 2,
            "request": request,
            "response": response,
            "metadata": {"operationId": operation.id, "operation": operation.name, "pointer": place.pointer},
        }

    def _pairs(self, operation: _Operation, place: Place, made: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """A mapping for each example that request and response have by one name; a wish for a status goes before it."""
        asked = self._responses.named(operation.place.get("requestBody"))
        given = self._responses.named(self._document.follow(place)) if asked else {}
        priority = _FIRST_PRIORITY + 4 * min(generality(operation.path), 1000) - 1
        for name in [name for name in given if name in asked and "Content-Type" in made["response"].get("headers", {})]:
            pattern = {"equalToJson": json.dumps(asked[name]), "ignoreArrayOrder": False, "ignoreExtraElements": False}
            yield {
                **made,
                "name": f"{operation.name} {name}",
                "priority": priority,
                "request": {"method": operation.method.upper(), **operation.url, "bodyPatterns": [pattern]},
                "response": {key: made["response"][key] for key in ("status", "headers")} | json_body(given[name]),
            }


def _check_version(root: Place) -> None:
    version = root.mapping().get("openapi")
    if "swagger" in root.value and version is None:
        raise Refused("#/swagger", f"Swagger {quoted(root.value['swagger'])}: convert the document to OpenAPI 3")
    if version is None:
        raise Refused("#", "not an OpenAPI document: it has no `openapi: 3.x`")
    if not re.match(r"3(\.|$)", str(version)):
        raise Refused("#/openapi", f"expected OpenAPI 3.0 or 3.1, found {quoted(version)}")


def _check_twin(operation: _Operation, known: dict[tuple[str, str], str]) -> None:
    key = (operation.method, re.sub(r"\{[^{}]*\}", "{}", next(iter(operation.url.values()))))
    if key in known:
        raise Refused(operation.place.pointer, f"{operation.name} takes the same requests as {known[key]}")
    known[key] = operation.name


def _answers(responses: Place) -> Iterator[tuple[int, Place]]:
    """The status that each response is given with, exact ones first: a range or default takes one that is left."""
    taken: set[int] = set()
    keys = sorted(responses.mapping(), key=lambda key: (key == "default", "X" in key.upper(), key))
    for key in keys:
        status = _status(responses, key)
        if status is not None and status not in taken:
            taken.add(status)
            yield status, responses.at(key)


def _status(responses: Place, key: str) -> int | None:
    if key == "default":
        return 500 if any(other[:1] in ("2", "3") for other in responses.value) else 200
    if key.startswith("x-"):
        return None
    if not re.fullmatch(r"[1-5]([0-9][0-9]|[xX][xX])", key):
        raise Refused(responses.at(key).pointer, f"{quoted(key)} is no status")
    return None if key.startswith("1") else int(key.upper().replace("X", "0"))


def _usual(answers: Iterable[int]) -> int:
    """The status without a wish: the lowest 2xx, else a redirect (304 last), else the lowest error."""
    return min(answers, key=lambda status: (status == 304, (status - 200) % 400, status))
