"""A small environment of our own: a service with Redis for real and a stubbed payments."""

from __future__ import annotations

import json
import shutil
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Done, Machine

SMALL = Path(__file__).parent / "small"
SLEEP = "[sh, -c, 'trap exit TERM; sleep 10000 & wait']"
"""A command that does nothing; `sleep` alone as a container's first process would be deaf to the signal to end."""


@dataclass(frozen=True)
class Project:
    """A project folder, with devenv run in it."""

    machine: Machine
    folder: Path
    name: str

    def devenv(self, *arguments: str, timeout: float = 240) -> Done:
        return self.machine.devenv(*arguments, cwd=self.folder, timeout=timeout)

    def json(self, *arguments: str) -> Any:
        done = self.devenv(*arguments, "-o", "json")
        return json.loads(done.out)

    def write(self, path: str, text: str) -> None:
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_text(text)

    def edit(self, path: str, old: str, new: str) -> None:
        text = (self.folder / path).read_text()
        assert old in text
        (self.folder / path).write_text(text.replace(old, new))

    def ask(self, service: str = "web") -> Any:
        url = self.devenv("url", service).out.strip()
        with urllib.request.urlopen(url, timeout=30) as answer:
            return json.load(answer)

    def remove(self) -> None:
        """Take it down; its namespace goes while the next test runs, whose project has another name."""
        self.devenv("down")
        self.machine.run("kubectl", "delete", "namespace", self.name, "--wait=false", "--ignore-not-found")

    def kubectl(self, *arguments: str) -> str:
        done = self.machine.run("kubectl", "-n", self.name, *arguments)
        assert done.code == 0, done.text
        return done.out


def make_project(machine: Machine, folder: Path, name: str) -> Project:
    """A copy of the small project under a name of its own."""
    shutil.copytree(SMALL, folder)
    project = Project(machine, folder, name)
    project.edit("devenv.yaml", "name: small", f"name: {name}")
    return project


@pytest.fixture(scope="module")
def small(machine: Machine, cluster: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The small project, up; tests of one module share it."""
    project = make_project(machine, tmp_path_factory.mktemp("small") / "p", "small")
    done = project.devenv("up", "-d")
    assert done.code == 0, done.text
    yield project
    project.devenv("down", "--volumes")


@pytest.fixture
def project(machine: Machine, cluster: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Project]:
    """The small project, not up, under a name of its own."""
    name = "t-" + request.node.name.split("[")[0].removeprefix("test_").replace("_", "-")[:40].strip("-")
    project = make_project(machine, tmp_path / "p", name)
    yield project
    project.remove()


collect_ignore = ["images", "small"]
