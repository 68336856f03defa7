"""Projects without a compose file."""

from __future__ import annotations

from pathlib import Path

import pytest

from devenv.flows.init import InitRequest, propose
from devenv.scan.proposal import Proposal
from tests.fakes.project_files import FakeProjectFiles


def proposed(files: dict[str, str], **request: object) -> Proposal:
    fake = FakeProjectFiles(files)
    return propose(InitRequest(Path("/p"), **request), fake.read(fake.root), fake)  # type: ignore[arg-type]


FROM = "FROM python:3.11\nCOPY . /app\n"


def test_each_folder_with_a_dockerfile_is_a_service() -> None:
    found = proposed({"api/Dockerfile": FROM, "Web App/Dockerfile.prod": FROM, "Web App/Dockerfile.dev": FROM})
    assert {s.name: (s.build.context, s.build.dockerfile) for s in found.services if s.build} == {
        "api": ("api", ""),
        "web-app": ("Web App", "Dockerfile.dev"),
    }


def test_examples_and_tests_are_no_services() -> None:
    found = proposed({"Dockerfile": FROM, "tests/Dockerfile": FROM, ".devcontainer/Dockerfile": FROM})
    assert [service.name for service in found.services] == ["p"]


def test_a_dockerfile_aside_builds_from_the_root_where_its_sources_are() -> None:
    (service,) = proposed({"docker/Dockerfile": "FROM x\nCOPY src /src\n", "src/a.py": ""}).services
    assert service.name == "p"
    assert service.build
    assert (service.build.context, service.build.dockerfile) == (".", "docker/Dockerfile")
    assert [(rule.source, rule.to) for rule in service.sync] == [("src", "/src")]


@pytest.mark.parametrize(
    ("files", "ports"),
    [
        ({"Dockerfile": "FROM x\nEXPOSE 1 2\n"}, {"http": 1, "http-2": 2}),
        ({"Dockerfile": 'FROM x\nCMD ["uvicorn", "a:b", "--port", "7000"]\n'}, {"http": 7000}),
        ({"Dockerfile": "FROM x\n", ".env": "PORT=9000\n"}, {"http": 9000}),
        ({"Dockerfile": "FROM x\nENV PORT=9001\n"}, {"http": 9001}),
        ({"Dockerfile": "FROM x\nCMD python manage.py runserver 0.0.0.0:8001\n"}, {"http": 8001}),
        ({"Dockerfile": "FROM x\nCMD celery worker\n"}, {}),
    ],
)
def test_where_a_port_is_found(files: dict[str, str], ports: dict[str, int]) -> None:
    found = proposed(files)
    assert dict(found.services[0].ports) == ports
    assert found.portless == ()


def test_a_port_that_nothing_tells_is_asked_for_or_given() -> None:
    assert proposed({"Dockerfile": "FROM x\n"}).portless == ("p",)
    found = proposed({"Dockerfile": "FROM x\n"}, ports={"p": [81, 82]})
    assert dict(found.services[0].ports) == {"http": 81, "http-82": 82}


@pytest.mark.parametrize(
    ("dockerfile", "files", "reload"),
    [
        ("FROM python:3.11\nCOPY src /src\nCMD python x.py\n", {}, "restart"),
        ("FROM python:3.11\nCOPY src /src\nCMD flask run --debug\n", {}, "none"),
        ("FROM node:20\nCOPY src /src\nCMD npm run dev\n", {"package.json": '{"scripts": {"dev": "vite"}}'}, "none"),
        ("FROM node:20\nCOPY src /src\nCMD node dist/x.js\n", {}, "rebuild"),
        ("FROM golang:1.23\nCOPY src /src\nCMD /app\n", {}, "rebuild"),
        ("FROM php:8-apache\nCOPY src /src\n", {}, "none"),
    ],
)
def test_what_a_save_needs(dockerfile: str, files: dict[str, str], reload: str) -> None:
    found = proposed({"Dockerfile": dockerfile, "src/x": "", **files})
    assert [rule.reload for rule in found.services[0].sync] == [reload]


@pytest.mark.parametrize(
    ("files", "command"),
    [
        ({"requirements.txt": "pytest==8\n"}, ("python", "-m", "pytest", "-q", "--junitxml=/tmp/junit.xml")),
        ({"manage.py": ""}, ("python", "manage.py", "test")),
        ({"package.json": '{"scripts": {"test": "jest"}}'}, ("npm", "test")),
        ({"package.json": '{"scripts": {"test": "echo \\"Error: no test specified\\" && exit 1"}}'}, ()),
        ({"package.json": "["}, ()),
        ({"go.mod": ""}, ()),
    ],
)
def test_how_it_is_tested(files: dict[str, str], command: tuple[str, ...]) -> None:
    assert proposed({"Dockerfile": "FROM x\n", **files}).services[0].test == command


def test_variables_name_dependencies_and_this_machine_becomes_them() -> None:
    found = proposed(
        {
            "Dockerfile": "FROM x\n",
            ".env.example": "DB_HOST=localhost\nDB_PORT=5433\nDB_USER=u\nDB_NAME=n\nQUEUE=amqp://a:b@mq/v\n",
            "requirements.txt": "psycopg\n",
        }
    )
    (service,) = found.services
    assert dict(service.env)["DB_HOST"] == "postgres"
    assert dict(service.env)["DB_PORT"] == "5432"
    assert service.needs == ("postgres", "mq")
    postgres, queue = found.dependencies
    assert dict(postgres.arguments) == {"database": "n", "user": "u"}
    assert dict(queue.env) == {
        "RABBITMQ_DEFAULT_USER": "a",
        "RABBITMQ_DEFAULT_PASS": "b",
        "RABBITMQ_DEFAULT_VHOST": "v",
    }


def test_what_lies_outside_stays_and_secrets_are_not_written_down() -> None:
    found = proposed(
        {
            "Dockerfile": "FROM x\n",
            ".env": "REDIS_URL=redis://cache.example.com/0\nAPI_TOKEN=abc\nBIG=postgres://u:p@db.example.com/x\n",
        }
    )
    assert dict(found.services[0].env) == {"REDIS_URL": "redis://cache.example.com/0"}
    assert found.dependencies == ()
    said = "\n".join(map(str, found.notes))
    assert ".env:2: API_TOKEN looks secret" in said
    assert "BIG looks secret" in said
    assert "REDIS_URL names cache.example.com, which is outside" in said


def test_charts_and_manifests_are_named() -> None:
    manifest = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: p}\n"
    found = proposed({"Dockerfile": "FROM x\n", "chart/Chart.yaml": "", "k8s/p.yaml": manifest, "k8s/x.yaml": "a: ["})
    said = [str(note) for note in found.notes]
    assert any("chart/Chart.yaml: Helm charts are not used yet" in note for note in said)
    assert any("deploy: {path: k8s/p.yaml}), but which container" in note for note in said)


DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: p}
spec: {template: {spec: {containers: [{name: p, image: p, securityContext: {runAsNonRoot: true}}]}}}
"""


def test_who_is_not_root_is_synced_but_not_into_system_folders() -> None:
    files = {"Dockerfile": "FROM x\nCOPY src /app\nCOPY a.conf /etc/a.conf\nUSER app\n", "src/a.py": "", "a.conf": ""}
    found = proposed(files)
    assert [(rule.source, rule.to) for rule in found.services[0].sync] == [("src", "/app")]
    told = "/etc/a.conf belongs to root and the image runs as app, so it is not synced: add --chown=app"
    assert any(told in str(note) for note in found.notes)
    owned = files["Dockerfile"].replace("COPY a", "COPY --chown=app a")
    assert len(proposed({**files, "Dockerfile": owned}).services[0].sync) == 2


@pytest.mark.parametrize(("copy", "refused"), [("src /app", False), ("src /opt", True)])
def test_manifests_with_a_security_context(copy: str, refused: bool) -> None:
    found = proposed({"Dockerfile": f"FROM x\nCOPY {copy}\n", "src/a.py": "", "k8s/p.yaml": DEPLOYMENT})
    told = "sync can't write into system folders with that securityContext"
    assert any(told in str(note) for note in found.notes) is refused
