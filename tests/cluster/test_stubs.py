"""Stubs whose answers come from the profile, from a recording and from a document, in the real engine."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cluster.conftest import SLEEP, Project

pytestmark = pytest.mark.cluster

PROFILE = """\
dependencies:
  rates:
    stub:
      ports: {http: 8080}
      routes:
        GET /rates/{code}: {json: {rate: 1.0842}}
        GET /rates/today: {text: one segment is said}
        GET /rates/today?in=GBP: {text: and a parameter}
        POST /charges: {status: 201, json: [1]}
  catalogue: {stub: {har: ../talk.har, ports: {http: 80}}}
  pets: {stub: {openapi: ../pets.yaml, ports: {http: 80}}}
"""
PETS = """\
openapi: 3.0.3
info: {title: pets, version: "1"}
paths:
  /pets/{id}:
    get:
      parameters: [{name: id, in: path, required: true, schema: {type: integer}}]
      responses: {200: {description: ok, content: {application/json: {example: {name: Rex}}}}}
"""


def entry(url: str, text: str, **content: str) -> dict[str, Any]:
    response = {"status": 200, "headers": [], "content": {"text": text, **content}}
    return {"request": {"method": "GET", "url": url}, "response": response}


def test_routes_a_recording_and_a_document_answer(project: Project) -> None:
    service = f"{{image: 'busybox:1', command: {SLEEP}, needs: [rates, catalogue, pets]}}"
    project.write("devenv.yaml", f"name: {project.name}\nservices: {{front: {service}}}\n")
    project.write("profiles/default.yaml", PROFILE)
    item = "https://catalogue.test/items?id=1&in=EUR"
    talk = [entry(item, "first"), entry(item, "c2Vjb25k", encoding="base64"), entry("ws://catalogue.test/", "")]
    project.write("talk.har", json.dumps({"log": {"entries": talk}}))
    project.write("pets.yaml", PETS)
    done = project.devenv("up", "-d")
    assert done.code == 0, done.text
    assert "catalogue: talk.har: 1 entry left out: 1 not http" in done.text

    def ask(url: str, *options: str) -> str:
        return project.kubectl("exec", "deployment/front", "--", "wget", "-q", "-O", "-", *options, f"http://{url}")

    assert ask("rates:8080/rates/EUR") == '{"rate": 1.0842}'
    assert ask("rates:8080/rates/today") == "one segment is said"
    assert ask("rates:8080/rates/today?in=GBP") == "and a parameter"
    assert ask("rates:8080/charges", "--post-data", "x") == "[1]"
    assert [ask("catalogue/items?in=EUR&id=1") for _ in range(3)] == ["first", "second", "second"]
    assert json.loads(ask("pets/pets/7")) == {"name": "Rex"}
