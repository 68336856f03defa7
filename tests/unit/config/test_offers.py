from __future__ import annotations

import pytest
import yaml

from devenv.config.load import load
from devenv.config.offers import describe_profile, list_profiles
from devenv.config.search import shipped_names
from devenv.errors import ConfigError, UsageError
from tests.unit.config.conftest import Write

OWN = """\
description: what orders needs
include: [postgres]
dependencies:
  postgres: {with: {version: "16", seed: [../db.sql]}}
  payments:
    doc: the bank
    stub: {wiremock: ../stubs, ports: {http: 8080}}
    real: {image: "bank:1", ports: {https: 443}, volumes: {data: {path: /data, size: 2Gi}}}
"""


def test_the_projects_own_come_first_and_hide_shipped_ones(write: Write) -> None:
    root = write({"profiles/redis.yaml": "include: [redis]\n", "profiles/a.yaml": OWN})
    found = [(one.name, one.source, one.shadowed) for one in list_profiles(root)]
    assert found == [
        ("a", "project", False),
        ("redis", "project", False),
        ("postgres", "shipped", False),
        ("redis", "shipped", True),
    ]
    assert [one.name for one in list_profiles(None)] == shipped_names()
    first = list_profiles(root)[0]
    assert (first.description, first.include) == ("what orders needs", ("postgres",))


@pytest.mark.parametrize("broken", ["dependencies: [", "descriptoin: x\n", "description: [1]\ninclude: 5\n", "- x\n"])
def test_a_broken_file_is_listed_with_what_is_wrong(write: Write, broken: str) -> None:
    profile = list_profiles(write({"profiles/a.yaml": broken}))[0]
    assert profile.description == ""
    assert profile.faults[0].startswith("profiles/a.yaml:")


def test_what_a_profile_needs_with_those_it_includes(write: Write) -> None:
    offer = describe_profile("a", write({"profiles/a.yaml": OWN}))
    postgres, payments = offer.dependencies
    assert (postgres.name, postgres.mode, postgres.image, postgres.memory) == (
        "postgres",
        "real",
        "postgres:16",
        "128Mi",
    )
    assert postgres.volumes == {"data": "/var/lib/postgresql/data (1Gi)"}
    parameters = {p.name: (p.default, p.value) for p in postgres.parameters}
    assert parameters["version"] == ("15", "16")
    assert parameters["seed"] == ([], ["../db.sql"])
    assert (payments.mode, payments.forms, payments.doc, payments.memory) == (
        "stub",
        ("stub", "real"),
        "the bank",
        None,
    )
    assert (payments.ports, payments.volumes) == ({"http": 8080}, {"data": "/data (2Gi)"})


@pytest.mark.parametrize("name", shipped_names())
def test_a_shipped_profile_says_what_it_is_and_its_example_loads(name: str, write: Write) -> None:
    offer = describe_profile(name, None)
    assert offer.profile.description
    for need in offer.dependencies:
        assert need.doc
        assert need.memory
        assert all(parameter.doc for parameter in need.parameters)
    assert yaml.safe_load(offer.example)["include"] == [name]
    root = write({"devenv.yaml": "services: {}\n", "profiles/default.yaml": offer.example})
    assert load(None, start=root).dependencies.keys() == {need.name for need in offer.dependencies}


def test_a_wrong_name(write: Write) -> None:
    with pytest.raises(UsageError) as caught:
        describe_profile("postgers", write({"profiles/mine.yaml": ""}))
    assert caught.value.message == "there is no profile 'postgers' (did you mean \"postgres\"?)"
    assert caught.value.hint == "known: mine, postgres, redis"


@pytest.mark.parametrize(
    "text",
    [
        "include: [a]\n",
        "include: [nothing]\n",
        "dependencies: {x: {memory: much, real: {image: i}}}\n",
        "dependencies: {x: {real: {image: '${with.no}'}}}\n",
        "dependencies: {x: 5}\n",
    ],
)
def test_faults_are_told_with_their_place(write: Write, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        describe_profile("a", write({"profiles/a.yaml": text}))
    assert caught.value.details[0].startswith("profiles/a.yaml:1:")
