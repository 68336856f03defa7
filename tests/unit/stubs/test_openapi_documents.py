"""Two documents of more than fifty operations each: every body is judged by a validator that is not ours."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from devenv.stubs.openapi import mappings
from tests.conftest import ROOT

NAMES = ("shop", "bank")
METHODS = ("get", "put", "post", "delete", "patch", "head")


@cache
def document(name: str) -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / f"tests/fixtures/openapi/{name}.yaml").read_text()))


@cache
def found(name: str) -> list[dict[str, Any]]:
    stubs, faults = mappings(document(name), service=name)
    assert faults == []
    return stubs


def item(name: str, value: Any) -> Any:
    """A value of the document, its reference followed."""
    if "$ref" not in value:
        return value
    at: Any = document(name)
    for token in value["$ref"].removeprefix("#/").split("/"):
        at = at[token]
    return at


def judged(value: Any) -> Any:
    """A part of a document in the words of JSON Schema, which has neither nullable nor flags for open bounds."""
    if isinstance(value, list):
        return [judged(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    made = {key: judged(inner) for key, inner in value.items() if key != "nullable"}
    if made.get("exclusiveMinimum") is True:
        made["exclusiveMinimum"] = made.pop("minimum")
    return {"anyOf": [made, {"type": "null"}]} if value.get("nullable") is True else made


@cache
def vocabulary(name: str) -> dict[str, Any]:
    return {"components": judged(document(name)["components"])}


def documented() -> list[tuple[str, str, str, str]]:
    """All responses of all operations: document, path, method, status."""
    return [
        (name, path, method, status)
        for name in NAMES
        for path, place in document(name)["paths"].items()
        for method, operation in item(name, place).items()
        if method in METHODS
        for status in operation["responses"]
    ]


def stub_of(name: str, path: str, method: str, status: str) -> dict[str, Any]:
    operation = item(name, document(name)["paths"][path])[method]
    pointer_end = f"/{method}/responses/{status}"
    (stub,) = [
        stub
        for stub in found(name)
        if stub["metadata"]["operationId"] == operation["operationId"]
        and stub["metadata"]["pointer"].endswith(pointer_end)
    ]
    return stub


def body_of(stub: dict[str, Any]) -> Any:
    response = stub["response"]
    return response["jsonBody"] if "jsonBody" in response else json.loads(response["body"])


@pytest.mark.parametrize("name", NAMES)
def test_every_operation_answers(name: str) -> None:
    operations = {(path, method) for document_name, path, method, _ in documented() if document_name == name}
    usual = [stub for stub in found(name) if stub["name"] == stub["metadata"]["operation"]]
    assert len(operations) >= 50
    assert {stub["name"] for stub in usual} == {f"{method.upper()} {path}" for path, method in operations}
    assert len(usual) == len(operations)


@pytest.mark.parametrize(("name", "path", "method", "status"), documented())
def test_a_json_body_is_what_its_schema_allows(name: str, path: str, method: str, status: str) -> None:
    stub = stub_of(name, path, method, status)
    content = item(name, item(name, document(name)["paths"][path])[method]["responses"][status]).get("content", {})
    schemas = [media["schema"] for kind, media in content.items() if "json" in kind]
    if not schemas or method == "head":
        assert "jsonBody" not in stub["response"]
        return
    schema = {**vocabulary(name), "allOf": [judged(schemas[0])]}
    checker = Draft202012Validator.FORMAT_CHECKER
    Draft202012Validator(schema, format_checker=checker).validate(body_of(stub))
    assert "json" in stub["response"]["headers"]["Content-Type"]


def test_the_validator_sees_what_is_wrong() -> None:
    wrong = {"id": "no", "createdAt": "yesterday"}
    schema = {**vocabulary("shop"), "$ref": "#/components/schemas/Customer"}
    checker = Draft202012Validator.FORMAT_CHECKER
    said = [e.message for e in Draft202012Validator(schema, format_checker=checker).iter_errors(wrong)]
    assert sorted(said) == ["'email' is a required property", "'no' is not a 'uuid'"]


@pytest.mark.parametrize("name", NAMES)
def test_stubs_are_the_same_each_time_and_can_be_sent(name: str) -> None:
    again, _ = mappings(yaml.safe_load(yaml.safe_dump(document(name), sort_keys=False)), service=name)
    assert json.dumps(again) == json.dumps(found(name))


def test_another_service_has_other_values() -> None:
    other, _ = mappings(document("shop"), service="other")
    assert [stub["request"] for stub in other] == [stub["request"] for stub in found("shop")]
    assert other != found("shop")


def test_a_body_reads_well() -> None:
    body = body_of(stub_of("shop", "/customers/{customerId}", "get", "200"))
    assert "password" not in body
    assert body["email"].endswith("@example.com")
    assert body["address"]["city"] == "Basel"


def test_payments_say_what_they_are() -> None:
    assert {p["kind"] for p in body_of(stub_of("shop", "/orders/{orderId}/payments", "get", "200"))} == {"card"}
    kinds = [event["type"] for event in body_of(stub_of("bank", "/events", "get", "200"))]
    assert kinds == ["Deposit", "Deposit"]
