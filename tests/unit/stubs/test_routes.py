from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devenv.config.model import Route
from devenv.stubs.mappings import read_mappings
from devenv.stubs.routes import mappings
from tests.fakes.wiremock import FakeWireMock

SEGMENTS = st.sampled_from(["a", "b", "c"])
PATHS = st.lists(SEGMENTS | st.just("{}"), min_size=1, max_size=3).map(
    lambda parts: "".join(f"/{f'{{v{i}}}' if part == '{}' else part}" for i, part in enumerate(parts))
)
ROUTES = st.builds(
    Route,
    st.sampled_from(["GET", "POST", "ANY"]),
    PATHS,
    st.dictionaries(st.sampled_from(["q", "r"]), st.sampled_from(["1", "2"])),
    st.integers(100, 599),
    st.dictionaries(st.sampled_from(["X-A", "X-B"]), st.text(max_size=3)),
    st.none() | st.text(max_size=5),
)


def answer(routes: list[Route], method: str, target: str) -> object:
    response = FakeWireMock(mappings(routes)).answer(method, target)
    return response and response.get("body")


def filled(route: Route) -> str:
    """A request that the route describes, no literal route beside it being meant."""
    path = "/".join("z" if part.startswith("{") else part for part in route.path.split("/"))
    return path + ("?" if route.query else "") + "&".join(f"{key}={value}" for key, value in route.query.items())


@given(ROUTES)
def test_a_route_answers_what_it_describes_with_what_it_says(route: Route) -> None:
    response = FakeWireMock(mappings([route])).answer("GET" if route.method == "ANY" else route.method, filled(route))
    assert response["status"] == route.status
    assert response.get("body") == route.body
    assert response.get("headers", {}) == route.headers


@given(ROUTES)
def test_a_route_answers_nothing_else(route: Route) -> None:
    engine = FakeWireMock(mappings([route]))
    assert engine.answer("DELETE", filled(route)) is None or route.method == "ANY"
    assert engine.answer(route.method, f"/x{filled(route)}") is None
    path, _, query = filled(route).partition("?")
    assert engine.answer(route.method, f"{path}/more?{query}") is None


@given(st.lists(ROUTES, min_size=1, max_size=6))
def test_the_order_in_which_routes_are_written_is_no_matter(routes: list[Route]) -> None:
    distinct = list({(r.method, r.path, tuple(sorted(r.query.items()))): r for r in routes}.values())
    for route in distinct:
        if route.method != "ANY" and len({r.path for r in distinct}) == len({r.path.count("{") for r in distinct}):
            asked = (route.method, filled(route))
            there = [FakeWireMock(mappings(order)).answer(*asked) for order in (distinct, distinct[::-1])]
            assert there[0] is not None
            assert there[0]["status"] == there[1]["status"]


@given(st.lists(ROUTES, min_size=1, max_size=6))
def test_what_is_made_is_what_the_engine_is_given(routes: list[Route]) -> None:
    from devenv.flows.stubs import folder_of

    made = read_mappings("rates", folder_of("routes", mappings(routes)))
    assert [stub["response"] for stub in made] == [stub["response"] for stub in mappings(routes)]
    assert {stub["request"]["host"]["matches"] for stub in made} == {"rates(\\..+)?"}


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("GET", "/rates/EUR", "a rate"),
        ("GET", "/rates/today", "today's"),
        ("GET", "/rates/today?in=GBP", "today's in pounds"),
        ("GET", "/rates/today?in=GBP&at=noon", "today's in pounds at noon"),
        ("GET", "/rates/today?in=USD", "today's"),
        ("DELETE", "/rates/EUR", "any"),
        ("GET", "/rates", None),
        ("GET", "/rates/", None),
        ("GET", "/rates/EUR/now", None),
    ],
)
def test_the_route_that_says_most_answers(method: str, target: str, body: str | None) -> None:
    routes = [
        Route("GET", "/rates/today", {"in": "GBP", "at": "noon"}, body="today's in pounds at noon"),
        Route("GET", "/rates/today", {"in": "GBP"}, body="today's in pounds"),
        Route("GET", "/rates/today", body="today's"),
        Route("GET", "/rates/{code}", body="a rate"),
        Route("ANY", "/rates/{code}", body="any"),
    ]
    for order in (routes, routes[::-1]):
        assert answer(order, method, target) == body
