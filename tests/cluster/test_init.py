"""Projects of users, brought up by what `devenv init --yes` writes, without editing anything."""

from __future__ import annotations

import json
import shutil
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.conftest import Project
from tests.conftest import ROOT, Machine

pytestmark = pytest.mark.cluster


@pytest.fixture
def initiated(machine: Machine, cluster: str, tmp_path: Path) -> Iterator[Callable[[str], Project]]:
    """A copy of one of the projects, after `devenv init --yes`."""
    made: list[Project] = []

    def make(name: str) -> Project:
        shutil.copytree(ROOT / "tests/fixtures/projects" / name, tmp_path / name)
        project = Project(machine, tmp_path / name, name)
        done = project.devenv("init", "--yes")
        assert (done.code, "next: devenv up" in done.out) == (0, True), done.text
        made.append(project)
        return project

    yield make
    for project in made:
        project.remove()


def test_flask_and_postgres(initiated: Callable[[str], Project]) -> None:
    project = initiated("flask-postgres")
    done = project.devenv("up", "-d")
    assert done.code == 0, done.text
    assert post(project, {"text": "milk"}) == {"added": "milk"}
    assert project.ask("flask-postgres") == {"notes": ["milk"]}
    assert project.devenv("test").code == 0
    project.edit("notes/web.py", '{"notes": [', '{"kept": [')
    assert project.ask("flask-postgres") == {"kept": ["milk", "milk"]}, "the test kept one too"
    assert project.devenv("test").code == 1, "the edit renamed what the test asks for"


def post(project: Project, value: Any) -> Any:
    url = project.devenv("url", "flask-postgres").out.strip()
    request = urllib.request.Request(url, json.dumps(value).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def test_django_celery_and_redis_from_a_compose_file(initiated: Callable[[str], Project]) -> None:
    project = initiated("django-celery-redis")
    done = project.devenv("up", "-d")
    assert done.code == 0, done.text
    assert project.ask("web") == {"database": "shop", "sum": 5}
