"""The forms of a stub in a profile: routes that are written there, and one source for each stub."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from devenv.config.json_values import json_of
from devenv.config.load import load_layers
from devenv.config.model import Origin, Route
from devenv.config.show import documents
from devenv.config.source import Fault, read_text
from tests.unit.config.conftest import Write, faults, read

ROUTES = """\
dependencies:
  rates:
    parameters: {base: {default: EUR}}
    stub:
      ports: {http: 80}
      routes:
        GET /rates: {json: {base: "${with.base}", USD: 1.0842, GBP: "0.85", at: null, big: 1e3, +1: ok, days: [1, 2.5]}}
        POST /charges/{id}?retry=1%202: {status: 201, headers: {Location: /charges/1, X-Count: 3}, json: []}
        GET /health: {text: ok}
        GET /version: {text: 1.10, headers: {content-type: text/x}}
        DELETE /rates: {status: 204}
"""


def routes(root: Path, name: str = "rates") -> dict[str, Route]:
    stub = read(root).dependencies[name].stub
    assert stub
    return {f"{route.method} {route.path}": route for route in stub.routes}


def test_routes_are_answers(write: Write) -> None:
    found = routes(write({"devenv.yaml": "", "profiles/default.yaml": ROUTES}))
    body = found.pop("GET /rates").body
    assert body is not None
    assert json.loads(body) == {
        **{"base": "EUR", "USD": 1.0842, "GBP": "0.85", "at": None, "big": 1000.0, "+1": "ok", "days": [1, 2.5]}
    }
    assert found == {
        "POST /charges/{id}": Route(
            "POST",
            "/charges/{id}",
            {"retry": "1 2"},
            201,
            {"Content-Type": "application/json", "Location": "/charges/1", "X-Count": "3"},
            "[]",
        ),
        "GET /health": Route("GET", "/health", {}, 200, {"Content-Type": "text/plain; charset=utf-8"}, "ok"),
        "GET /version": Route("GET", "/version", {}, 200, {"content-type": "text/x"}, "1.10"),
        "DELETE /rates": Route("DELETE", "/rates", {}, 204),
    }


def test_what_is_shown_means_the_same(write: Write) -> None:
    loaded = load_layers(None, start=write({"devenv.yaml": "", "profiles/default.yaml": ROUTES}))
    again = write({f"again/{name}": text for name, text in documents(loaded).items()}) / "again"
    assert read(again).dependencies["rates"].stub == loaded.environment.dependencies["rates"].stub


def test_another_source_replaces_the_one_below_it_and_a_route_the_one_of_its_name(write: Write) -> None:
    base = """\
dependencies:
  a: {stub: {wiremock: gone, ports: {http: 80}}}
  b: {stub: {routes: {GET /x: {text: old}, GET /y: {text: kept}}, ports: {http: 80}}}
"""
    over = """\
include: [./base.yaml]
dependencies:
  a: {stub: {routes: {GET /x: {text: new}}}}
  b: {stub: {routes: {GET /x: {json: new}}}}
"""
    root = write({"devenv.yaml": "", "profiles/base.yaml": base, "profiles/default.yaml": over})
    assert {key: route.body for key, route in routes(root, "a").items()} == {"GET /x": "new"}
    assert {key: route.body for key, route in routes(root, "b").items()} == {"GET /x": '"new"', "GET /y": "kept"}


def test_a_recording_and_its_host(write: Write) -> None:
    base = "dependencies: {a: {stub: {har: ../traffic.har, host: api.test, ports: {http: 80}}}}\n"
    root = write({"devenv.yaml": "", "traffic.har": "", "profiles/default.yaml": base})
    stub = read(root).dependencies["a"].stub
    assert stub
    assert (stub.har, stub.host, stub.origin) == (
        root / "traffic.har",
        "api.test",
        Origin(root / "profiles/default.yaml", 1, 54),
    )
    over = "include: [default]\ndependencies: {a: {stub: {routes: {GET /: {text: a}}}}}\n"
    write({"profiles/over.yaml": over})
    assert documents(load_layers(None, start=root))["profiles/default.yaml"].count("../traffic.har") == 1
    replaced = read(root, profile="over").dependencies["a"].stub
    assert replaced
    assert (replaced.har, replaced.host, len(replaced.routes)) == (None, "", 1)


def test_a_document(write: Write) -> None:
    profile = "dependencies: {a: {stub: {openapi: ../spec.yaml, ports: {http: 80}}}}\n"
    root = write({"devenv.yaml": "", "spec.yaml": "", "profiles/default.yaml": profile})
    stub = read(root).dependencies["a"].stub
    assert stub
    assert (stub.openapi, stub.har, stub.wiremock) == (root / "spec.yaml", None, None)
    loaded = load_layers(None, start=root)
    assert "openapi: ../spec.yaml" in documents(loaded)["profiles/default.yaml"]


def test_two_sources_in_one_file_are_told(write: Write) -> None:
    both = "dependencies: {a: {stub: {routes: {GET /: {text: a}}, wiremock: ., ports: {http: 80}}}}\n"
    assert faults(write({"devenv.yaml": "", "profiles/default.yaml": both})) == [
        "profiles/default.yaml:1:55  dependencies.a.stub.wiremock  has both routes and wiremock: remove one of them"
    ]


def test_json_without_a_value_is_null(write: Write) -> None:
    profile = "dependencies: {a: {stub: {routes: {GET /: {json: null}}, ports: {http: 80}}}}\n"
    assert routes(write({"devenv.yaml": "", "profiles/default.yaml": profile}), "a")["GET /"].body == "null"


KEYS = st.text(st.characters(min_codepoint=97, max_codepoint=122), min_size=1, max_size=5)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(min_codepoint=32, max_codepoint=126)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


@given(VALUES)
def test_json_in_a_yaml_file_is_what_json_readers_read(value: object) -> None:
    told: list[Fault] = []
    tree = read_text(json.dumps({"value": value}), Path("f"), told)
    assert told == []
    assert tree
    assert json_of(tree) == {"value": value}
