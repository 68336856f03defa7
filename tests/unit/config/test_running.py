"""Env files, replicas, resources, volumes, init steps and seeds: what is read, and what is told of mistakes."""

from __future__ import annotations

import pytest

from devenv.config.model import ContainerStep, Resources, Running, Volume
from tests.unit.config.conftest import Write, faults, read

SERVICE = """\
services:
  web:
    image: acme/web:1
    env_file: [web.env, more.env]
    env: {B: own}
    replicas: 3
    resources: {requests: {cpu: 100m, memory: 64Mi}, limits: {cpu: 1, nvidia.com/gpu: 1}}
    volumes: {cache: {path: /cache, size: 2Gi}}
    init: [{command: [prepare]}, {name: migrate, image: acme/tools, command: "a | b", env: {C: 1}}]
    seed: [{command: [load]}]
"""
FILES = {"devenv.yaml": SERVICE, "web.env": "A=1\nB=2\n", "more.env": "A='over it'\nD=\n"}


def test_a_service(write: Write) -> None:
    web = read(write(FILES)).services["web"]
    assert web.env == {"A": "over it", "B": "own", "D": ""}
    assert web.volumes == {"cache": Volume("/cache", "2Gi")}
    assert web.running == Running(
        replicas=3,
        resources=Resources({"cpu": "100m", "memory": "64Mi"}, {"cpu": "1", "nvidia.com/gpu": "1"}),
        init=(
            ContainerStep("init-1", ("prepare",)),
            ContainerStep("migrate", ("sh", "-c", "a | b"), "acme/tools", {"C": "1"}),
        ),
        seed=(ContainerStep("seed-1", ("load",)),),
    )


def test_a_dependency_whose_files_lie_beside_its_profile(write: Write) -> None:
    profile = """\
include: [postgres]
dependencies:
  postgres:
    with: {user: me}
    real:
      env_file: ../pg.env
      replicas: 1
      resources: {requests: trim, limits: {memory: 1Gi}}
      seed: [{name: load, command: ["psql", "-U", "${with.user}"]}]
"""
    real = read(write({"devenv.yaml": "", "profiles/default.yaml": profile, "pg.env": "A=1"})).dependencies["postgres"]
    assert real.real
    assert real.real.env["A"] == "1"
    assert real.real.env["POSTGRES_USER"] == "me"
    assert real.real.running == Running(
        replicas=1,
        resources=Resources(limits={"memory": "1Gi"}, trim=True),
        seed=(ContainerStep("load", ("psql", "-U", "me")),),
    )


RESOURCES = "known: cpu, memory, ephemeral-storage, and those with a domain such as nvidia.com/gpu"


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ("env_file: nope.env", "1:38  services.web.env_file  there is no file nope.env"),
        ("replicas: 0", "1:38  services.web.replicas  expected a number from 1 to 50, got the number 0"),
        ("replicas: two", '1:38  services.web.replicas  expected a whole number, got "two"'),
        (
            "resources: {requests: trm}",
            '1:50  services.web.resources.requests  expected trim, got "trm" (did you mean "trim"?)',
        ),
        (
            "resources: {requests: {memroy: 1Gi}}",
            '1:59  services.web.resources.requests.memroy  "memroy" is no resource (did you mean "memory"?); '
            + RESOURCES,
        ),
        (
            "resources: {limits: {memory: 1GB}}",
            '1:57  services.web.resources.limits.memory  expected a quantity such as 500m, 2 or 256Mi, got "1GB"',
        ),
        (
            "resources: {limits: {cpu: -1}}",
            "1:54  services.web.resources.limits.cpu  expected a quantity such as 500m, 2 or 256Mi, got the number -1",
        ),
        (
            "resources: {requests: {cpu: 1}, limits: {cpu: 500m}}",
            "1:56  services.web.resources.requests.cpu  asks for 1, and its limit is 500m",
        ),
        (
            "volumes: {a: {path: /x}, b: {path: /x/}}",
            "1:63  services.web.volumes.b.path  /x/ is where a is mounted too",
        ),
        (
            "volumes: {a: {path: x}}",
            '1:48  services.web.volumes.a.path  expected an absolute path in the container, got "x"',
        ),
        (
            "init: [{image: x}]",
            "1:35  services.web.init[0]  needs the key command (the command: a list, or a text for sh -c)",
        ),
        (
            "init: [{name: web, command: a}]",
            "1:42  services.web.init[0].name  the name web is taken: give it another",
        ),
        (
            "seed: [{name: a, command: a}, {name: a, command: b}]",
            "1:65  services.web.seed[1].name  the name a is taken: give it another",
        ),
        (
            f"seed: [{{name: {'a' * 60}, command: a}}]",
            f"1:42  services.web.seed[0].name  web-{'a' * 60} is longer than 63 characters: give it a shorter name",
        ),
        (
            "deploy: web.yaml, init: [{command: a}]",
            "1:52  services.web.init  init of a service with own manifests belong into them (web.yaml)",
        ),
    ],
)
def test_a_fault_is_told_with_its_place(write: Write, keys: str, line: str) -> None:
    root = write({"devenv.yaml": f"services: {{web: {{image: x, {keys}}}}}\n", "web.yaml": "a: 1"})
    assert faults(root) == [f"devenv.yaml:{line}"]


def test_faults_inside_an_env_file_are_told_there(write: Write) -> None:
    root = write({"devenv.yaml": "services: {web: {image: x, env_file: [web.env]}}\n", "web.env": "A=1\nB: 2\n"})
    assert faults(root) == ["web.env:2:2  services.web.env_file  expected NAME=value, found no = after B"]
    (root / "web.env").write_bytes(b"\xff")
    assert faults(root) == ["web.env:1:1  expected UTF-8 text, got the byte 0xFF: save the file as UTF-8"]
