"""Doctor on a bare Debian, before and after --fix: a container of python:3.11-slim that has no Docker, kind or Go.

What it shows is real: Debian's own docker.io is installed from Debian's archive by the commands that doctor prints.
What it can't show is a daemon that answers at the end: none starts in a container without privileges. So the state
after is "installed, does not answer", with the command that starts it, which was tried and failed.
"""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.conftest import ROOT, Done, Machine

pytestmark = pytest.mark.cluster

IMAGE = "python:3.11-slim"
INSTALL = ["apt-get install -y docker.io", "apt-get update"]
NAMED = ("docker", "kind")


@dataclass(frozen=True)
class Bare:
    """A container that stands for a bare machine; root is its user, and nobody sits at it."""

    machine: Machine
    container: str

    def run(self, *argv: str) -> Done:
        return self.machine.run("docker", "exec", self.container, *argv)

    def doctor(self, *arguments: str) -> Done:
        return self.run("python3", "-m", "devenv", "doctor", *NAMED, *arguments)

    def checks(self) -> dict[str, Any]:
        return {found["id"]: found for found in json.loads(self.doctor("-o", "json").out)["checks"]}


@pytest.fixture
def bare(machine: Machine) -> Iterator[Bare]:
    """This checkout and what it is installed with are mounted, and can't be written."""
    if sys.version_info[:2] != (3, 11):
        pytest.skip("what is installed here is for another Python than the image's")
    packages, name = sysconfig.get_path("purelib"), f"devenv-test-bare-{uuid.uuid4().hex[:8]}"
    mounts = ["-v", f"{ROOT}:/devenv:ro", "-v", f"{packages}:/packages:ro"]
    env = ["-e", "PYTHONPATH=/devenv:/packages", "-e", "PYTHONDONTWRITEBYTECODE=1", "-e", "NO_COLOR=1"]
    started = machine.run("docker", "run", "-d", "--name", name, *mounts, *env, "-w", "/tmp", IMAGE, "sleep", "600")
    assert started.code == 0, started.text
    yield Bare(machine, name)
    subprocess.run(["docker", "rm", "--force", "--volumes", name], check=True, capture_output=True)


def test_a_bare_debian_before_and_after_fix(bare: Bare) -> None:
    before = bare.checks()
    assert {id: (f["status"], f["code"]) for id, f in before.items()} == {
        "docker": ("fail", "docker-missing"),
        "kind": ("fail", "kind-missing"),
    }
    assert [" ".join(command) for command in before["docker"]["fixes"]] == sorted(INSTALL, reverse=True)
    assert (before["kind"]["fixes"], "go install" in before["kind"]["cure"]) == ([], True)

    told = bare.doctor()
    assert (told.code, "✗ docker  docker is not installed [docker-missing]" in told.out) == (16, True), told.text

    unasked = bare.doctor("--fix")
    assert (unasked.code, "not run, for nobody can be asked here" in unasked.err) == (16, True), unasked.text
    assert [line for line in INSTALL if f"  $ {line}\n" not in unasked.err] == []
    assert bare.run("which", "docker").code == 1, "nothing is installed without a yes"

    fixed = bare.doctor("--fix", "--yes")
    assert fixed.code == 16, fixed.text
    assert "done: fail → fail  the Docker daemon does not answer at unix:///var/run/docker.sock" in fixed.err
    assert "  $ service docker start\n" in fixed.err, "what was installed is started, by a fix of its own"
    assert bare.run("docker", "--version").code == 0

    after = bare.checks()
    assert (after["docker"]["status"], after["docker"]["code"]) == ("fail", "docker-not-running")
    assert after["docker"]["fixes"] == [["service", "docker", "start"]]
    assert after["kind"] == before["kind"]
