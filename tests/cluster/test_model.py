"""Init steps, seeds, replicas, groups and other projects on the real cluster."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cluster.conftest import SLEEP, Project

pytestmark = pytest.mark.cluster

SERVICES = """\
name: {name}
services:
  web:
    image: busybox:1
    command: [sh, -c, "trap exit TERM; cat /data/ready; sleep 10000 & wait"]
    volumes: {{data: {{path: /data, size: 16Mi}}}}
    resources: {{requests: trim, limits: {{memory: 64Mi}}}}
    env_file: web.env
    env: {{OWN: "2"}}
    init: [{{name: prepare, command: 'echo "$FROM_FILE $OWN" > /data/ready'}}]
    seed: [{{name: load, command: 'echo "seeded $OWN"; {seed}'}}]
  front: {{image: "busybox:1", command: {sleep}, needs: [web]{front}}}
  other: {{image: "busybox:1", command: {sleep}}}
groups: {{shown: [front]}}
"""


def write(project: Project, *, seed: str = "true", front: str = "") -> None:
    project.write("devenv.yaml", SERVICES.format(name=project.name, seed=seed, front=front, sleep=SLEEP))
    project.write("profiles/default.yaml", "dependencies: {}\n")
    project.write("web.env", "FROM_FILE='from a file'\nOWN=1\n")


def up(project: Project, *arguments: str) -> dict[str, Any]:
    result = project.json("up", "-d", *arguments)
    assert "units" in result, result
    return {unit["name"]: unit for unit in result["units"]}


def pods(project: Project, unit: str) -> list[str]:
    return project.kubectl("get", "pods", "-l", f"dev.devenv/unit={unit}", "-o", "name").split()


def test_a_group_its_init_step_and_its_seed_that_runs_once(project: Project) -> None:
    write(project)
    units = up(project, "--only", "shown")
    assert {name: unit["action"] for name, unit in units.items()} == {
        "web": "created",
        "front": "created",
        "web.load": "created",
    }
    assert "from a file 2" in project.kubectl("logs", "deployment/web")
    assert project.kubectl("logs", "job/web-load").strip() == "seeded 2"
    job = project.kubectl("get", "job", "web-load", "-o", "jsonpath={.metadata.uid}")
    again = up(project, "--only", "shown")
    assert {unit["action"] for unit in again.values()} == {"unchanged"}
    assert project.kubectl("get", "job", "web-load", "-o", "jsonpath={.metadata.uid}") == job
    write(project, seed="true again", front=", replicas: 2, resources: {requests: {cpu: 10m}}")
    changed = up(project, "--only", "front")
    assert changed["web"]["action"] == "unchanged"
    assert (changed["web.load"]["action"], changed["web.load"]["reason"]) == ("updated", "command changed")
    assert changed["front"]["reason"] == "replicas and resources changed"
    assert len(pods(project, "front")) >= 2
    assert pods(project, "other") == []
    assert project.devenv("down").code == 0
    assert up(project, "front")["web.load"]["action"] == "unchanged"


def test_a_seed_that_fails_is_explained_and_runs_again(project: Project) -> None:
    write(project, seed="echo last words; exit 4")
    done = project.devenv("up", "-d")
    assert (done.code, "[seed-failed]" in done.err) == (13, True), done.text
    assert "the seed web.load ended with code 4" in done.err
    assert "log: last words" in done.err
    assert pods(project, "front") == []
    again = project.devenv("up", "-d")
    assert (again.code, "[seed-failed]" in again.err) == (13, True), again.text
    write(project)
    assert up(project, "front")["web.load"]["reason"] == "command changed"


def test_an_init_step_that_fails_is_explained(project: Project) -> None:
    init = "init: [{name: migrate, command: 'echo no table; exit 5'}]"
    text = f"services: {{web: {{image: 'busybox:1', command: {SLEEP}, {init}}}}}"
    project.write("devenv.yaml", f"name: {project.name}\n{text}\n")
    project.write("profiles/default.yaml", "dependencies: {}\n")
    done = project.devenv("up", "-d", timeout=120)
    assert (done.code, "[init-failed]" in done.err) == (13, True), done.text
    assert "its init step migrate ends with code 5" in done.err
    assert "log: no table" in done.err


def test_another_project_is_the_real_form_of_a_dependency(project: Project) -> None:
    pay = f"services: {{payments: {{image: 'busybox:1', command: {SLEEP}, needs: [redis]}}, extra: {{image: x}}}}\n"
    project.write("pay/devenv.yaml", pay)
    project.write("pay/profiles/default.yaml", "include: [redis]\n")
    own = f"{{image: 'busybox:1', command: {SLEEP}, needs: [payments]}}"
    project.write("devenv.yaml", f"name: {project.name}\nservices: {{web: {own}}}\n")
    payments = "{real: {devenv: ../pay}, stub: {wiremock: ../stubs/payments, ports: {http: 8080}}}"
    project.write("profiles/default.yaml", f"dependencies: {{payments: {payments}}}\n")
    assert set(up(project, "--real", "payments")) == {"web", "payments", "redis"}
    stubbed = up(project)
    assert set(stubbed) == {"web", "payments", "devenv-stubs"}
    assert "deployment.apps/payments" not in project.kubectl("get", "deployments", "-o", "name")
