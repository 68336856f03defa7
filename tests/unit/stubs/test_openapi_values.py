"""The values that schemas get, judged by a validator that is not ours."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from devenv.stubs.openapi import mappings
from devenv.stubs.openapi_pattern import matching
from tests.scale import scaled


def made(schema: object, **components: Any) -> Any:
    media = {"application/json": {"schema": schema}}
    stubs, faults = mappings(
        {
            "openapi": "3.1.0",
            "paths": {"/a": {"get": {"responses": {"200": {"content": media}}}}},
            "components": {"schemas": components},
        },
        service="pets",
    )
    assert faults == []
    response = stubs[0]["response"]
    return response["jsonBody"] if "jsonBody" in response else json.loads(response["body"])


def ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


SMALL = st.integers(-50, 50)
INTEGERS = st.fixed_dictionaries(
    {"type": st.just("integer")},
    optional={"minimum": SMALL, "maximum": SMALL, "exclusiveMinimum": SMALL, "multipleOf": st.integers(1, 9)},
)
NUMBERS = st.fixed_dictionaries(
    {"type": st.just("number")},
    optional={
        "minimum": st.floats(-9, 9),
        "exclusiveMaximum": st.floats(-9, 20),
        "multipleOf": st.sampled_from([0.5, 0.25, 2, 3]),
    },
)
STRINGS = st.fixed_dictionaries(
    {"type": st.just("string")},
    optional={
        "minLength": st.integers(0, 60),
        "maxLength": st.integers(0, 60),
        "format": st.sampled_from(
            [
                "date",
                "date-time",
                "time",
                "uuid",
                "email",
                "uri",
                "ipv4",
                "ipv6",
                "hostname",
                "byte",
                "duration",
                "other",
            ]
        ),
    },
)
LEAVES = (
    INTEGERS
    | NUMBERS
    | STRINGS
    | st.sampled_from([{"type": "boolean"}, {"type": "null"}, {}, True, {"enum": ["a", 2, None]}, {"const": [1]}])
    | st.just({"type": ["null", "string"]})
)
SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.fixed_dictionaries(
            {"type": st.just("array"), "items": inner}, optional={"minItems": st.integers(0, 4), "maxItems": SMALL}
        ),
        st.fixed_dictionaries(
            {"type": st.just("object"), "properties": st.dictionaries(st.sampled_from("abcd"), inner, max_size=4)},
            optional={"additionalProperties": inner, "minProperties": st.integers(0, 3)},
        ),
        st.fixed_dictionaries({"anyOf": st.lists(inner, min_size=1, max_size=3)}),
    ),
    max_leaves=8,
)


@settings(max_examples=scaled(150, full=5000), deadline=None)
@given(SCHEMAS)
def test_a_value_is_what_its_schema_allows(schema: Any) -> None:
    document = {"openapi": "3.1.0", "paths": {"/a": {"get": {"responses": {"200": {"content": {
        "application/json": {"schema": schema}}}}}}}}  # fmt: skip
    stubs, faults = mappings(document, service="pets")
    assume(not faults)  # bounds that leave no value
    response = stubs[0]["response"]
    value = response["jsonBody"] if "jsonBody" in response else json.loads(response["body"])
    Draft202012Validator(schema).validate(value)


@settings(max_examples=scaled(80, full=5000), deadline=None)
@given(SCHEMAS)
def test_a_request_that_its_schema_allows_is_not_refused(schema: Any) -> None:
    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    operation = {"requestBody": body, "responses": {"200": {"content": body["content"]}}}
    stubs, faults = mappings({"openapi": "3.1.0", "paths": {"/a": {"get": operation}}}, service="pets")
    assume(not faults)
    response = stubs[0]["response"]
    value = response["jsonBody"] if "jsonBody" in response else json.loads(response["body"])
    judged = stubs[0]["request"]["bodyPatterns"][0]["matchesJsonSchema"]
    Draft202012Validator.check_schema(judged)
    Draft202012Validator(judged).validate(value)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "integer", "minimum": 5, "maximum": 5},
        {"type": "integer", "exclusiveMinimum": 5, "exclusiveMaximum": 7},
        {"type": "integer", "multipleOf": 7, "minimum": 50, "maximum": 60},
        {"type": "integer", "format": "int64", "minimum": 2**60},
        {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
        {"type": "number", "multipleOf": 0.01, "maximum": 0.5, "minimum": 0.25},
        {"type": "number", "maximum": -1e300},
        {"type": "string", "minLength": 300, "maxLength": 300},
        {"type": "string", "maxLength": 0},
        {"type": "string", "format": "email", "maxLength": 6},
        {"type": "array", "items": {"enum": [1, 2, 3]}, "minItems": 3, "uniqueItems": True},
        {"type": "array", "items": {"type": "string", "example": "a"}, "minItems": 3, "uniqueItems": True},
        {"type": "array", "minItems": 2},
        {"type": "array", "minItems": 3, "prefixItems": [{"type": "integer"}], "items": {"type": "boolean"}},
        {"type": "object", "required": ["z"]},
        {"type": "object", "properties": {"a": False, "b": True}, "additionalProperties": False},
        {"type": "object", "maxProperties": 1, "required": ["c"], "properties": {"a": {}, "b": {}, "c": {}}},
        {"allOf": [{"type": "number", "minimum": 3}, {"type": "integer", "maximum": 3}]},
        {"allOf": [{"enum": [1, 2, 3]}, {"enum": [3, 4]}]},
        {"properties": {"a": {"minLength": 20}}, "allOf": [{"properties": {"a": {"type": "string", "maxLength": 20}}}]},
        {"anyOf": [{"type": "null"}, {"type": "string"}], "minLength": 9},
        {"required": ["b"], "oneOf": [{"properties": {"b": {"const": 1}}}, {"properties": {"b": {"const": 2}}}]},
    ],
    ids=str,
)
def test_a_schema_of_narrow_bounds_has_its_value(schema: Any) -> None:
    Draft202012Validator(schema).validate(made(schema))


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({"type": "integer", "minimum": 3, "maximum": 2}, "no number is within its bounds"),
        ({"type": "string", "minLength": 3, "maxLength": 2}, "no string has at least 3 and at most 2 characters"),
        ({"type": "string", "minLength": 10**9}, "a stub makes no string of more than 10000 characters"),
        ({"type": "array", "minItems": 10**9}, "no list of at least 1000000000 items, at most 1000"),
        ({"type": "array", "minItems": 2, "uniqueItems": True, "items": {"const": 1}}, "has no 2 items that differ"),
        ({"type": "cat"}, "there is no type 'cat'"),
        ({"minimum": "3"}, "expected a number, found '3'"),
        ({"enum": []}, "no value is allowed here"),
        ({"allOf": [{"type": "string"}, {"type": "integer"}]}, "no type of value is all that is asked of it"),
    ],
    ids=str,
)
def test_a_schema_without_a_value_is_a_fault(schema: Any, text: str) -> None:
    media = {"application/json": {"schema": schema}}
    found = {"openapi": "3.1.0", "paths": {"/a": {"get": {"responses": {"200": {"content": media}}}}}}
    assert [fault.text for fault in mappings(found, service="pets")[1]] == [text]


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string", "example": "e", "default": "d"}, "e"),
        ({"type": "string", "examples": ["one", "two"], "default": "d"}, "one"),
        ({"type": "string", "default": "d", "enum": ["c", "d"]}, "d"),
        ({"type": "string", "default": None, "enum": ["c", "d"]}, "c"),
        ({"default": {}, "required": ["a"], "properties": {"a": {"const": 1}}}, {"a": 1}),
        ({"default": {"b": 2}, "required": ["a"], "properties": {"a": {"const": 1}}}, {"a": 1}),
        ({"default": [], "type": "array", "items": {"const": 1}}, [1, 1]),
        ({"default": "3", "type": "integer", "minimum": 4, "maximum": 4}, 4),
        ({"example": "not in it", "enum": ["c", "d"]}, "c"),
        ({"const": {"a": 1}}, {"a": 1}),
        ({"type": "string", "example": 8001}, "8001"),
        ({"prefixItems": [{"const": "a"}, {"const": 2}], "items": False}, ["a", 2]),
        ({"type": "null"}, None),
        ({"type": ["null", "boolean"], "const": False}, False),
        ({"properties": {"a": {"const": 1, "writeOnly": True}, "b": {"const": 2, "readOnly": True}}}, {"b": 2}),
        ({"type": "object", "additionalProperties": {"const": 1}}, {"key1": 1}),
        ({"type": "object"}, {}),
        ({"$ref": "#/components/schemas/Name", "example": "own"}, "own"),
    ],
    ids=str,
)
def test_what_the_schema_names_comes_first(schema: Any, value: Any) -> None:
    assert made(schema, Name={"type": "string", "example": "referred"}) == value


def test_bounds_of_3_0_may_be_open_by_a_flag() -> None:
    assert (
        made({"type": "integer", "minimum": 4, "exclusiveMinimum": True, "maximum": 6, "exclusiveMaximum": True}) == 5
    )


def test_a_discriminator_names_the_schema() -> None:
    mapping = {"cat": "#/components/schemas/Cat"}
    pet = {
        "type": "object",
        "required": ["kind"],
        "properties": {"kind": {"type": "string"}},
        "discriminator": {"propertyName": "kind", "mapping": mapping},
    }
    components = {"Pet": pet, "Cat": {"allOf": [ref("Pet")]}, "Dog": {"allOf": [ref("Pet")]}}
    assert made(ref("Cat"), **components) == {"kind": "cat"}
    assert made({"oneOf": [ref("Dog"), ref("Cat")]}, **components) == {"kind": "Dog"}


PATTERNS = [
    "^[A-Z]{3}$",
    r"^\d{4}-\d{2}$",
    r"\w+@\w+\.(com|org)",
    "^(red|blue)$",
    "^[^a-z]{2,4}$",
    r"[\w.-]+",
    "a{2}b?c*d+?",
    "^(?:x[0-9]){2,}$",
    r"^\+?[0-9 ]{7,}$",
    "^[a-]$",
    "a.c",
    "^$",
    r"\$$",
    "{",
]


@pytest.mark.parametrize("pattern", PATTERNS[:-1])
@pytest.mark.parametrize("seed", [0, 1, 10**19])
def test_a_simple_pattern_has_a_string(pattern: str, seed: int) -> None:
    found = matching(pattern, 0, 100, seed)
    assert found is not None
    assert re.search(pattern, found)


@pytest.mark.parametrize(
    "pattern", ["(?=a)b", r"\bx", r"\p{L}+", "^a|b$", "(a", "[a", "a{1,x}", "*", "[z-a]", "(" * 50, r"(a)\1"]
)
def test_another_pattern_has_none_and_is_no_fault(pattern: str) -> None:
    assert matching(pattern, 0, 100, 3) is None
    assert len(made({"type": "string", "pattern": pattern, "minLength": 8, "maxLength": 8})) == 8


def test_a_pattern_is_stretched_to_the_length() -> None:
    found = matching("^[a-z]+-[0-9]+$", 20, 21, 5)
    assert found is not None
    assert re.fullmatch("[a-z]+-[0-9]+", found)
    assert 20 <= len(found) <= 21


def test_a_pattern_that_counts_without_end_has_none() -> None:
    assert matching("(((a{0}){2000}){2000}){2000}", 0, 100, 1) is None


@settings(max_examples=scaled(200, full=5000), deadline=None)
@given(st.text("ab(|)[]{}^$\\d?*+-,1", max_size=20), st.integers(0, 2**64))
def test_any_pattern_has_a_string_that_it_matches_or_none(pattern: str, seed: int) -> None:
    try:
        python = re.compile(pattern)
    except (re.error, FutureWarning):  # `[^]` is one of JavaScript alone, `[[` not for ever one of Python
        return
    found = matching(pattern, 0, 100, seed)
    assert found is None or python.search(found)
