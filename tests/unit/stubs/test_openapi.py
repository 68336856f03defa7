from __future__ import annotations

import copy
import json
import re
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devenv.stubs.openapi import Fault, mappings
from tests.conftest import ROOT
from tests.scale import scaled

SCHEMA = "#/paths/~1pets/get/responses/200/content/application~1json/schema"
SHOP = (ROOT / "tests/fixtures/openapi/shop.yaml").read_text()


def document(schema: object = None, **parts: Any) -> dict[str, Any]:
    """A document of one operation, GET /pets, whose answer has this schema."""
    media = {"schema": schema} if schema is not None else {}
    operation = {"responses": {"200": {"content": {"application/json": media}}}}
    return {"openapi": "3.1.0", "paths": {"/pets": {"get": operation}}, **parts}


def operation_of(**operation: Any) -> dict[str, Any]:
    return {"openapi": "3.1.0", "paths": {"/pets": {"get": operation}}}


def response_of(found: dict[str, Any]) -> dict[str, Any]:
    stubs, faults = mappings(found, service="pets")
    assert faults == []
    return dict(stubs[0]["response"])


def body(schema: object, **parts: Any) -> Any:
    response = response_of(document(schema, **parts))
    return response["jsonBody"] if "jsonBody" in response else json.loads(response["body"])


def request_of(**operation: Any) -> dict[str, Any]:
    stubs, faults = mappings(operation_of(responses={"200": {}}, **operation), service="pets")
    assert faults == []
    return dict(stubs[0]["request"])


def faults_of(found: Any) -> list[Fault]:
    return mappings(found, service="pets")[1]


def schemas(**named: Any) -> dict[str, Any]:
    return {"components": {"schemas": named}}


def ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


# What comes in may be anything.

PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates() | st.binary()
WORDS = st.sampled_from(
    re.findall(
        r"\S+",
        """openapi paths get post responses default 200 content schema $ref type object array string integer properties
        items allOf oneOf minimum maximum multipleOf minLength maxLength pattern enum required example examples servers
        url parameters name in requestBody minItems uniqueItems additionalProperties discriminator nullable headers""",
    )
)
VALUES = st.recursive(
    PLAIN | WORDS | st.sampled_from(["#/components/schemas/Product", "#/paths", "#", "#/", "3.1.0", "other.yaml#/a"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(), inner, max_size=5),
    max_leaves=25,
)


def check(found: Any) -> None:
    stubs, faults = mappings(found, service="pets")
    json.dumps(stubs, allow_nan=False)
    assert stubs or faults
    assert all(fault.pointer.startswith("#") and fault.text for fault in faults)


@settings(max_examples=scaled(150, full=5000), deadline=None)
@given(VALUES)
def test_any_value_has_mappings_or_faults(value: Any) -> None:
    check(value)
    check({"openapi": "3.0.0", "paths": value})
    check(document(value))


PART_OF_SHOP = yaml.safe_load(SHOP)
PART_OF_SHOP["paths"] = {
    path: item for path, item in PART_OF_SHOP["paths"].items() if path.startswith(("/orders/", "/stock", "/products/s"))
}
PART_OF_SHOP["paths"]["/orders/{orderId}"].pop("put")


def places(value: Any) -> list[tuple[Any, Any]]:
    found = []
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        found += [(value, key), *places(value[key])]
    return found


@settings(max_examples=scaled(40, full=2000), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_document_with_a_wrong_value_somewhere_has_mappings_or_faults(data: st.DataObject) -> None:
    found = copy.deepcopy(PART_OF_SHOP)
    holder, key = data.draw(st.sampled_from(places(found)))
    holder[key] = data.draw(VALUES)
    check(found)


def nested(depth: int, inner: Any, key: str | None = None) -> Any:
    for _ in range(depth):
        inner = [inner] if key is None else {key: inner}
    return inner


@pytest.mark.parametrize("key", [None, "items", "properties", "allOf", "$ref"])
def test_a_document_nested_without_end_is_a_fault(key: str | None) -> None:
    assert faults_of(document(nested(1000, 1, key))) == [Fault("#", "nested deeper than 100 levels")]


def test_a_value_that_holds_itself_is_a_fault() -> None:
    endless: list[Any] = []
    endless.append(endless)
    assert faults_of(document({"example": endless})) == [Fault("#", "a YAML alias holds itself")]


def test_a_few_lines_that_alias_to_billions_of_values_are_a_fault() -> None:
    bomb: list[Any] = ["x"]
    for _ in range(40):
        bomb = [bomb, bomb]
    (fault,) = faults_of(document({"example": bomb}))
    assert fault.text == "an example of more than 20000 values"


def chain(length: int, link: Any) -> dict[str, Any]:
    return schemas(**{f"S{n}": link(ref(f"S{n + 1}")) for n in range(length)}, **{f"S{length}": {"type": "string"}})


@pytest.mark.parametrize(
    "link",
    [
        lambda inner: {"allOf": [inner, inner]},
        lambda inner: {"oneOf": [inner, inner]},
        lambda inner: {"type": "object", "required": ["a", "b"], "properties": {"a": inner, "b": inner}},
        lambda inner: inner,
    ],
    ids=["allOf", "oneOf", "properties", "reference"],
)
def test_what_grows_by_doubling_ends(link: Any) -> None:
    assert body(ref("S0"), **chain(8, link))
    assert len(faults_of(document(ref("S0"), **chain(60, link)))) == 1


# What is no OpenAPI document.


@pytest.mark.parametrize(
    ("found", "fault"),
    [
        ("text", Fault("#", "expected a mapping, found 'text'")),
        (None, Fault("#", "expected a mapping, found None")),
        ({}, Fault("#", "not an OpenAPI document: it has no `openapi: 3.x`")),
        ({"swagger": "2.0"}, Fault("#/swagger", "Swagger '2.0': convert the document to OpenAPI 3")),
        ({"openapi": "4.0"}, Fault("#/openapi", "expected OpenAPI 3.0 or 3.1, found '4.0'")),
        ({"openapi": "3.0.0"}, Fault("#", "no paths, so it would answer nothing")),
        ({"openapi": "3.0.0", "paths": {}}, Fault("#", "no paths, so it would answer nothing")),
        ({"openapi": "3.0.0", "paths": {"/a": {}}}, Fault("#/paths", "no operations, so it would answer nothing")),
        ({"openapi": "3.0.0", "paths": "x"}, Fault("#/paths", "expected a mapping, found 'x'")),
        (document(7), Fault(SCHEMA, "expected a mapping, found 7")),
        (operation_of(), Fault("#/paths/~1pets/get", "GET /pets has no response that a stub could give")),
        (operation_of(responses={"ok": {}}), Fault("#/paths/~1pets/get/responses/ok", "'ok' is no status")),
        (
            {"openapi": "3.0.0", "paths": {"pets": {"get": {"responses": {"200": {}}}}}},
            Fault("#/paths/pets", "expected a path like /pets/{id}, found 'pets'"),
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(found: Any, fault: Fault) -> None:
    assert faults_of(found) == [fault]


def test_all_faults_come_at_once_and_what_is_right_answers() -> None:
    found = yaml.safe_load(SHOP)
    found["paths"]["/stock"]["get"]["responses"]["200"] = "gone"
    found["paths"]["/health"]["get"]["responses"] = {}
    stubs, faults = mappings(found, service="shop")
    assert [fault.pointer for fault in faults] == ["#/paths/~1stock/get/responses/200", "#/paths/~1health/get"]
    assert len({stub["metadata"]["operation"] for stub in stubs}) == 52


def test_two_paths_for_the_same_requests_are_a_fault() -> None:
    operation: dict[str, Any] = {"get": {"responses": {"204": {}}}}
    found = {"openapi": "3.0.0", "paths": {"/pets/{id}": operation, "/pets/{name}": operation}}
    assert faults_of(found) == [
        Fault("#/paths/~1pets~1{name}/get", "GET /pets/{name} takes the same requests as GET /pets/{id}")
    ]


# References.


@pytest.mark.parametrize(
    ("reference", "text"),
    [
        ("other.yaml#/Pet", "'other.yaml#/Pet' is outside of this document: bundle its files into one"),
        ("https://a.example/b", "'https://a.example/b' is outside of this document: bundle its files into one"),
        ("#/components/schemas/Pet", "there is no '#/components/schemas/Pet' in this document"),
        ("#Pet", "'#Pet' is an anchor: only pointers like '#/components/...' are followed"),
        (7, "expected a reference, found 7"),
    ],
)
def test_a_reference_that_leads_nowhere_is_named(reference: object, text: str) -> None:
    assert faults_of(document({"$ref": reference})) == [Fault(f"{SCHEMA}/$ref", text)]


def test_a_reference_may_be_escaped_and_count() -> None:
    parts = {"components": {"schemas": {"a/b~c d": {"oneOf": [{"const": 1}, {"const": 2}]}}}}
    assert body({"$ref": "#/components/schemas/a~1b~0c%20d/oneOf/1"}, **parts) == 2


def test_a_reference_to_itself_is_a_fault() -> None:
    (fault,) = faults_of(document(ref("A"), **schemas(A=ref("B"), B=ref("A"))))
    assert fault.text == "this schema is a part of itself"
    responses = {"components": {"responses": {"R": {"$ref": "#/components/responses/R"}}}}
    found = operation_of(responses={"200": {"$ref": "#/components/responses/R"}}) | responses
    assert faults_of(found) == [Fault("#/components/responses/R/$ref", "this reference leads back to itself")]


def test_a_circle_is_cut_where_the_document_lets_it() -> None:
    node = {"type": "object", "required": ["name", "children"], "properties": {
        "name": {"const": "n"}, "children": {"type": "array", "items": ref("Node")}, "parent": ref("Node"),
        "twin": {**ref("Node"), "nullable": True}}}  # fmt: skip
    made = body(ref("Node"), **schemas(Node=node))
    assert made == {"name": "n", "children": [], "twin": None}


def test_a_circle_that_must_go_on_is_a_fault() -> None:
    node = {"type": "object", "required": ["next"], "properties": {"next": ref("Node")}}
    (fault,) = faults_of(document(ref("Node"), **schemas(Node=node)))
    assert fault.text == "this schema needs itself inside of itself without end"
    assert fault.pointer == "#/components/schemas/Node/properties/next"


def test_schemas_that_share_a_part_are_no_circle() -> None:
    base = {"type": "object", "properties": {"id": {"const": 1}}}
    toy = {"allOf": [ref("Base")]}
    dog = {"allOf": [ref("Base"), {"required": ["toy"], "properties": {"toy": ref("Toy")}}]}
    assert body(ref("Dog"), **schemas(Base=base, Toy=toy, Dog=dog)) == {"id": 1, "toy": {"id": 1}}


# Requests and responses.


@pytest.mark.parametrize(
    ("servers", "path"),
    [
        ([], "/pets"),
        ([{"url": "/"}], "/pets"),
        ([{"url": "/v1/"}, {"url": "/v2"}], "/v1/pets"),
        ([{"url": "v1"}], "/v1/pets"),
        ([{"url": "/a//b"}], "/a//b/pets"),
        ([{"url": "https://a.example:8443/v1"}], "/v1/pets"),
        ([{"url": "//a.example/v1"}], "/v1/pets"),
        ([{"url": "https://{host}:{port}/{v}", "variables": {"v": {"default": "v3"}}}], "/v3/pets"),
    ],
    ids=str,
)
def test_the_path_of_the_first_server_comes_before_all(servers: list[Any], path: str) -> None:
    stubs, faults = mappings(document({}, servers=servers), service="pets")
    assert faults == []
    assert stubs[0]["request"] == {"method": "GET", "urlPath": path}


@pytest.mark.parametrize(
    ("server", "fault"),
    [
        ("x", Fault("#/servers/0", "expected a mapping, found 'x'")),
        ({}, Fault("#/servers/0", "a server without its url")),
        ({"url": "/{v}"}, Fault("#/servers/0/url", "'/{v}' has a variable without a default")),
        ({"url": "\n//[/"}, Fault("#/servers/0/url", "'\\n//[/' is no URL")),
    ],
    ids=str,
)
def test_a_server_without_a_path_is_a_fault(server: Any, fault: Fault) -> None:
    assert faults_of(document({}, servers=[server])) == [fault]


def test_paths_are_asked_for_as_clients_write_them() -> None:
    operation: dict[str, Any] = {"get": {"responses": {"204": {}}}}
    found = {"openapi": "3.0.0", "paths": {"/a b/ü": operation, "/a b/{the id}": operation}}
    urls = [stub["request"] for stub in mappings(found, service="pets")[0]]
    assert urls == [
        {"method": "GET", "urlPath": "/a%20b/%C3%BC"},
        {"method": "GET", "urlPathTemplate": "/a%20b/{the id}"},
    ]


def test_the_path_that_says_more_wins() -> None:
    names = ["/{a}/{b}", "/pets/{id}", "/pets/{id}.json", "/pets/mine", "/{a}/mine"]
    found = {"openapi": "3.0.0", "paths": {name: {"get": {"responses": {"204": {}, "404": {}}}} for name in names}}
    stubs, _ = mappings(found, service="pets")
    usual = [stub for stub in stubs if stub["response"]["status"] == 204]
    assert [stub["name"] for stub in sorted(usual, key=lambda stub: stub["priority"])] == [
        "GET /pets/mine",
        "GET /pets/{id}.json",
        "GET /pets/{id}",
        "GET /{a}/mine",
        "GET /{a}/{b}",
    ]
    asked = {stub["name"]: stub["priority"] for stub in stubs}
    assert asked["GET /pets/mine"] < asked["GET /pets/{id} 404"] < asked["GET /pets/{id}"]


@pytest.mark.parametrize(
    ("statuses", "usual", "asked"),
    [
        (["404", "201", "200"], 200, [201, 404]),
        ([404, 200], 200, [404]),
        (["default"], 200, []),
        (["404", "default"], 200, [404]),
        (["200", "4XX", "404", "default"], 200, [404, 400, 500]),
        (["2XX", "500", "default"], 200, [500]),
        (["302", "default"], 302, [500]),
        (["304", "401"], 401, [304]),
        (["503", "404"], 404, [503]),
        (["101", "200", "x-note"], 200, []),
    ],
    ids=str,
)
def test_the_lowest_good_status_answers_and_the_others_on_request(
    statuses: list[Any], usual: int, asked: list[int]
) -> None:
    stubs, faults = mappings(operation_of(responses={status: {} for status in statuses}), service="pets")
    assert faults == []
    by_header = {
        stub["response"]["status"]: stub["request"]["headers"] for stub in stubs if "headers" in stub["request"]
    }
    assert [stub["response"]["status"] for stub in stubs if "headers" not in stub["request"]] == [usual]
    assert by_header == {status: {"X-Devenv-Status": {"equalTo": str(status)}} for status in asked}


def test_required_parameters_are_matched() -> None:
    parameters = [
        {"name": "q", "in": "query", "required": True},
        {"name": "page", "in": "query"},
        {"name": "filter", "in": "query", "required": True, "style": "deepObject"},
        {"name": "spread", "in": "query", "required": True, "schema": {"type": "object"}},
        {"name": "X-Tenant", "in": "header", "required": True},
        {"name": "Authorization", "in": "header", "required": True},
        {"name": "id", "in": "path", "required": True},
    ]
    any_value = {"matches": "(?s).*"}
    request = request_of(parameters=parameters)
    assert request["queryParameters"] == {"q": any_value}
    assert request["headers"] == {"X-Tenant": any_value}


def test_a_parameter_of_the_operation_takes_the_place_of_its_paths() -> None:
    item = {
        "parameters": [{"name": "q", "in": "query", "required": True}],
        "get": {"parameters": [{"name": "q", "in": "query"}], "responses": {"204": {}}},
    }
    stubs, _ = mappings({"openapi": "3.0.0", "paths": {"/pets": item}}, service="pets")
    assert stubs[0]["request"] == {"method": "GET", "urlPath": "/pets"}


def test_a_required_json_body_is_judged_by_what_is_certain() -> None:
    schema = {
        "type": "object",
        "required": ["id", "name"],
        "properties": {
            "id": {"type": "integer", "readOnly": True},
            "name": {"type": ["string", "null"], "pattern": "^x", "maxLength": 9},
            "either": {"oneOf": [{"type": "string"}, {"type": "integer"}]},
        },
    }
    content = {"application/json": {"schema": schema}}
    assert request_of(requestBody={"required": True, "content": content})["bodyPatterns"] == [
        {
            "matchesJsonSchema": {
                "type": ["object"],
                "required": ["name"],
                "properties": {
                    "id": {"type": ["integer"]},
                    "name": {"type": ["string", "null"], "maxLength": 9},
                    "either": {},
                },
            },
            "schemaVersion": "V202012",
        }
    ]


@pytest.mark.parametrize(
    "body",
    [
        {"content": {"application/json": {"schema": {}}}},
        {"required": True, "content": {"text/plain": {"schema": {}}}},
        {"required": True, "content": {"application/json": {"schema": {}}, "application/xml": {}}},
        {"required": True, "content": {"application/json": {}}},
    ],
    ids=str,
)
def test_another_body_is_not_judged(body: Any) -> None:
    assert "bodyPatterns" not in request_of(requestBody=body)


def answer(content: Any, status: str = "200", **response: Any) -> dict[str, Any]:
    return response_of(operation_of(responses={status: {"content": content, **response}}))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"text/plain": {"example": "hi"}, "application/json": {"example": 1}}, {"jsonBody": 1}),
        ({"application/problem+json; charset=utf-8": {"example": {}}}, {"jsonBody": {}}),
        ({"application/json": {"example": None}}, {"body": "null"}),
        ({"application/json": {"schema": {"type": "object"}, "example": '{"a": 1}'}}, {"jsonBody": {"a": 1}}),
        ({"application/json": {"schema": {"type": "string"}, "example": "{}"}}, {"jsonBody": "{}"}),
        ({"application/json": {"examples": {"a": {"externalValue": "/x"}, "b": {"value": 2}}}}, {"jsonBody": 2}),
        ({"text/csv": {"example": "a,b"}}, {"body": "a,b"}),
        ({"text/plain": {"schema": {"const": 7}}}, {"body": "7"}),
        ({"application/xml": {"example": {"a": ["<", 1]}}}, {"body": None}),
        ({"application/x-www-form-urlencoded": {"example": {"a": "b c", "d": 1}}}, {"body": "a=b+c&d=1"}),
    ],
    ids=str,
)
def test_bodies_are_json_if_they_can_be_else_text(content: Any, expected: dict[str, Any]) -> None:
    if expected == {"body": None}:
        xml = "<response><a><item>&lt;</item><item>1</item></a></response>"
        expected = {"body": f'<?xml version="1.0"?>{xml}'}
    response = answer(content)
    assert response.pop("headers")["Content-Type"] in content
    assert response == {"status": 200, **expected}


@pytest.mark.parametrize("status", ["204", "304"])
def test_some_statuses_have_no_body(status: str) -> None:
    assert answer({"application/json": {"example": 1}}, status) == {"status": int(status)}


def test_headers_have_their_examples_and_are_one_line_each() -> None:
    headers = {
        "X-Count": {"schema": {"type": "integer", "minimum": 3, "maximum": 3}},
        "X-List": {"example": ["a", 1, True]},
        "X-Split": {"example": "a\r\nX-Evil: 1"},
        "Content-Length": {"example": 7},
        "X-None": {},
    }
    response = answer({}, headers=headers)
    assert response["headers"] == {"X-Count": "3", "X-List": "a,1,true", "X-Split": "a  X-Evil: 1", "X-None": ""}


def test_a_header_that_could_not_be_sent_is_a_fault() -> None:
    (fault,) = faults_of(operation_of(responses={"200": {"headers": {"a b": {}}}}))
    assert fault == Fault("#/paths/~1pets/get/responses/200/headers/a b", "'a b' is no name of a header")


def test_what_yaml_reads_as_dates_and_numbers_is_taken() -> None:
    text = """
    openapi: 3.0
    paths:
      /pets:
        get:
          responses:
            200: {content: {application/json: {example: {day: 2025-01-02, not: .nan, key: {2: true, yes: no}}}}}
    """
    response = response_of(yaml.safe_load(text))
    assert response["jsonBody"] == {"day": "2025-01-02", "not": None, "key": {"2": True, "true": False}}


def test_a_mapping_says_which_operation_it_is() -> None:
    stubs, _ = mappings(operation_of(operationId="list", responses={"204": {}}), service="pets")
    assert stubs == [
        {
            "name": "GET /pets",
            "priority": 10,
            "request": {"method": "GET", "urlPath": "/pets"},
            "response": {"status": 204},
            "metadata": {
                "operationId": "list",
                "operation": "GET /pets",
                "pointer": "#/paths/~1pets/get/responses/204",
            },
        }
    ]


def test_examples_of_one_name_are_request_and_answer() -> None:
    operation = {
        "requestBody": {
            "content": {"application/json": {"examples": {"good": {"value": {"n": 1}}, "bad": {"value": 0}}}}
        },
        "responses": {
            "200": {
                "content": {"application/json": {"examples": {"good": {"value": {"ok": True}}, "odd": {"value": 1}}}}
            },
            "422": {"content": {"application/json": {"examples": {"bad": {"value": None}}}}},
        },
    }
    stubs, faults = mappings(operation_of(**operation), service="pets")
    assert faults == []
    exactly = {"ignoreArrayOrder": False, "ignoreExtraElements": False}
    headers = {"Content-Type": "application/json"}
    assert [(stub["name"], stub["priority"]) for stub in stubs] == [
        ("GET /pets", 10),
        ("GET /pets good", 9),
        ("GET /pets 422", 8),
        ("GET /pets bad", 9),
    ]
    assert stubs[1]["request"]["bodyPatterns"] == [{"equalToJson": '{"n": 1}', **exactly}]
    assert stubs[1]["response"] == {"status": 200, "jsonBody": {"ok": True}, "headers": headers}
    assert stubs[3]["request"]["bodyPatterns"] == [{"equalToJson": "0", **exactly}]
    assert stubs[3]["response"] == {"status": 422, "body": "null", "headers": headers}
