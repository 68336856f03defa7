from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from devenv.plan.changes import changes, sentence
from devenv.plan.marks import FILES, UNIT
from devenv.plan.secrets import TOKEN
from devenv.plan.workloads import deployment, service

BEFORE = deployment(
    "web",
    {
        "initContainers": [{"name": "a", "image": "x", "command": ["a"]}],
        "containers": [
            {
                "name": "web",
                "image": "web:1",
                "env": [{"name": "A", "value": "1"}],
                "ports": [{"name": "http", "containerPort": 80}],
                "resources": {"limits": {"memory": "1Gi", "cpu": "1"}},
            }
        ],
    },
    annotations={FILES: "1"},
)


def changed(*path: str | int, value: Any) -> dict[str, Any]:
    obj = deepcopy(BEFORE)
    place: Any = obj["spec"]
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    return obj


POD = ("template", "spec")
MAIN = (*POD, "containers", 0)


@pytest.mark.parametrize(
    ("obj", "words"),
    [
        (changed("replicas", value=2), ["replicas"]),
        (changed(*MAIN, "image", value="web:2"), ["image"]),
        (changed(*MAIN, "env", value=[]), ["environment variables"]),
        (changed(*MAIN, "command", value=["b"]), ["command"]),
        (changed(*MAIN, "args", value=["b"]), ["command"]),
        (changed(*MAIN, "resources", value={"limits": {"memory": "2Gi", "cpu": "1"}}), ["resources"]),
        (changed(*MAIN, "ports", value=[]), ["ports"]),
        (changed(*MAIN, "volumeMounts", value=[{"name": "a", "mountPath": "/a"}]), ["volumes"]),
        (changed(*POD, "initContainers", value=[]), ["init steps"]),
        (changed("template", "metadata", "annotations", FILES, value="2"), ["files"]),
        (changed("template", "metadata", "annotations", TOKEN, value="2"), ["secret"]),
        (changed("strategy", value={"type": "Recreate"}), ["deployment"]),
        (changed(*MAIN, "resources", value={"limits": {"memory": "1024Mi", "cpu": "1000m"}}), ["deployment"]),
    ],
)
def test_what_changed_of_a_workload(obj: dict[str, Any], words: list[str]) -> None:
    assert changes(BEFORE, obj) == words


def test_an_empty_variable_that_the_server_leaves_out_is_no_change() -> None:
    live, new = (changed(*MAIN, "env", value=[entry]) for entry in ({"name": "A"}, {"name": "A", "value": ""}))
    assert changes(live, new) == ["deployment"]


def test_a_config_map_is_files_and_a_service_tells_of_the_mode() -> None:
    assert changes({"kind": "ConfigMap"}, {"kind": "ConfigMap"}) == ["files"]
    real, stub = service("pay", {"http": 80}), service("pay", {"http": 80}, unit="devenv-stubs", to=8080)
    assert changes(stub, real) == ["now real"]
    assert changes(real, stub) == ["now a stub"]
    assert changes(real, service("pay", {"http": 81})) == ["ports"]
    assert real["spec"]["selector"] == {UNIT: "pay"}


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["image"], "image changed"),
        (["image", "replicas", "ports"], "image, replicas and ports changed"),
        (["files", "now real"], "now real; files changed"),
        (["now real"], "now real"),
    ],
)
def test_in_words(words: list[str], text: str) -> None:
    assert sentence(words) == text
