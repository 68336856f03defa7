"""Routes of a stub: `METHOD /path` and the answer to such requests."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl

from devenv.config.json_values import json_of
from devenv.config.model import Route
from devenv.config.schema import RouteFile
from devenv.config.sentences import nearest_or_all
from devenv.config.source import Fault, Located, Map, at_key
from devenv.config.strict import text_of

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "ANY")
"""What a route may begin with; ANY answers all that no other route answers."""

_TEMPLATE = re.compile(r"\{([A-Za-z][A-Za-z0-9_]*)\}")
_OUTSIDE_OF_PATHS = re.compile(r'[^!-~]|["#<>\\^`|]')
_URL = re.compile(r"https?://[^/]*(?P<path>/.*)?")
_HEADER = re.compile(r"[-!#$%&'*+.^_`|~0-9A-Za-z]+")


def routes_of(tree: Located, specs: Mapping[str, RouteFile], path: str, faults: list[Fault]) -> tuple[Route, ...]:
    """The routes of a stub without faults, in their order."""
    assert isinstance(tree, Map)
    found: dict[object, tuple[str, int]] = {}
    routes = []
    for key, spec in specs.items():
        origin, value = tree.entries[key]
        route, told = _route(key, spec, value)
        same = found.setdefault(_requests(route), (key, origin.line))
        if not told and same[0] != key:
            told = [f'answers the same requests as "{same[0]}" in line {same[1]}: remove one of them']
        faults.extend(Fault(origin, f"{path}.{key}", text) for text in told)
        routes.append(route)
    return tuple(routes)


def _route(key: str, spec: RouteFile, value: Located) -> tuple[Route, list[str]]:
    method, _, target = (part.strip() for part in key.strip().partition(" "))
    path, _, query = target.partition("?")
    told = [*_faults_of_request(method, target), *_faults_of_answer(spec)]
    given = dict(parse_qsl(query, keep_blank_values=True))
    headers = {name: text_of(text) for name, text in spec.headers.items()}
    return Route(method, path, given, spec.status, _with_type(headers, spec), _body(spec, value)), told


def _requests(route: Route) -> object:
    return route.method, _TEMPLATE.sub("{}", route.path), frozenset(route.query.items())


def _has_json(spec: RouteFile) -> bool:
    return "json_body" in spec.model_fields_set


def _body(spec: RouteFile, value: Located) -> str | None:
    if _has_json(spec):
        return json.dumps(json_of(at_key(value, "json")), ensure_ascii=False)
    return None if spec.text is None else text_of(spec.text)


def _with_type(headers: Mapping[str, str], spec: RouteFile) -> dict[str, str]:
    kind = "application/json" if _has_json(spec) else "text/plain; charset=utf-8" if spec.text is not None else ""
    own = any(name.lower() == "content-type" for name in headers)
    return {**({"Content-Type": kind} if kind and not own else {}), **headers}


def _faults_of_request(method: str, target: str) -> Iterator[str]:
    url = _URL.fullmatch(target if target else method)
    if method.startswith("/"):
        yield f'expected a method before the path: write "GET {method}"'
    elif url:
        yield f'expected a path without scheme and host: write "{method if target else "GET"} {url["path"] or "/"}"'
    elif method not in METHODS:
        yield f'unknown method "{method}"{nearest_or_all(method, METHODS)}'
    if url or method.startswith("/"):
        return
    if not target.startswith("/"):
        yield f'a path begins with /: write "{method} /{target}"'
    else:
        yield from _faults_of_target(target)


def _faults_of_target(target: str) -> Iterator[str]:
    path, _, query = target.partition("?")
    names = [name for segment in path.split("/") for name in _TEMPLATE.findall(segment)]
    unusable = _OUTSIDE_OF_PATHS.search(target)
    if unusable:
        yield f"no request has {unusable[0]!r} in its path: write it as % and two digits"
    for segment in path.split("/"):
        if ("{" in segment or "}" in segment) and not _TEMPLATE.fullmatch(segment):
            yield f'"{segment}" is no template: write {{name}} for a whole segment'
    if len(names) > len(set(names)):
        yield "each template of a path has a name of its own: rename one of them"
    if "**" in path:
        yield "** stands for nothing here: write {name} for one segment"
    parameters = [name for name, _ in parse_qsl(query, keep_blank_values=True)]
    if len(parameters) > len(set(parameters)):
        yield "a parameter stands twice: remove one of them"
    if "{" in query or "}" in query:
        yield "templates stand for segments of the path: leave out a parameter that may be anything"


def _faults_of_answer(spec: RouteFile) -> Iterator[str]:
    if _has_json(spec) and spec.text is not None:
        yield "has both json and text: remove one of them"
    seen: set[str] = set()
    for name, text in spec.headers.items():
        if not _HEADER.fullmatch(name):
            yield f'expected a header\'s name, got "{name}"'
        elif name.lower() in seen:
            yield f"the header {name} stands twice: remove one of them"
        if not re.fullmatch(r"[^\x00-\x1f\x7f]*", text_of(text)):
            yield f"expected one line as the header {name}, without control characters"
        seen.add(name.lower())
