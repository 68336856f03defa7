"""Routes of a profile to WireMock mappings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from devenv.config.model import Route
from devenv.stubs.mappings import Stub


def mappings(routes: Sequence[Route]) -> list[Stub]:
    """A mapping for each route. The more a route says about a request, the earlier it is asked."""
    return [{"priority": _priority(r), "request": _request(r), "response": _response(r)} for r in routes]


def _priority(route: Route) -> int:
    """The first of all is 1: fewer templates, then more parameters, then a method of its own."""
    templates, parameters = route.path.count("{"), min(len(route.query), 9)
    return 20 * (templates + 1) - 2 * parameters + (route.method == "ANY")


def _request(route: Route) -> dict[str, Any]:
    path = "urlPathTemplate" if "{" in route.path else "urlPath"
    request: dict[str, Any] = {"method": route.method, path: route.path}
    if route.query:
        request["queryParameters"] = {name: {"equalTo": value} for name, value in route.query.items()}
    return request


def _response(route: Route) -> dict[str, Any]:
    response: dict[str, Any] = {"status": route.status}
    if route.headers:
        response["headers"] = dict(route.headers)
    if route.body is not None:
        response["body"] = route.body
    return response
