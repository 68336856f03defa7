"""Doctor on the real machine: what is wrong is told, mended after a yes, and told to be well."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from devenv.checks.tools import KIND_TO_INSTALL
from tests.cluster.conftest import Project
from tests.conftest import CLUSTER, REGISTRY, Machine

pytestmark = pytest.mark.cluster


def checks(project: Project, *arguments: str) -> dict[str, Any]:
    return {found["id"]: found for found in project.json("doctor", *arguments)["checks"]}


def change_env(project: Project, **env: str) -> Project:
    machine = Machine({**project.machine.env, **env}, project.machine.settings)
    return Project(machine, project.folder, project.name)


@contextmanager
def stopped_registry() -> Iterator[None]:
    subprocess.run(["docker", "stop", "--time", "1", REGISTRY], check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run(["docker", "start", REGISTRY], check=True, capture_output=True)


def test_a_machine_on_which_devenv_runs_is_well(project: Project) -> None:
    found = checks(project)
    assert [(f["id"], f["text"]) for f in found.values() if f["status"] == "fail"] == []
    assert found["cluster"]["text"] == f"{CLUSTER} is running"
    assert found["configuration"]["text"].startswith(project.name)
    assert project.devenv("doctor").code == 0


def test_a_stopped_registry_before_and_after_fix(project: Project) -> None:
    with stopped_registry():
        before = checks(project)["registry"]
        assert (before["status"], before["fixes"]) == ("warn", [["docker", "start", REGISTRY]])

        unasked = project.devenv("doctor", "registry", "--fix")
        assert (unasked.code, "not run, for nobody can be asked here" in unasked.err) == (16, True), unasked.text
        assert f"$ docker start {REGISTRY}" in unasked.err
        assert checks(project)["registry"]["status"] == "warn"

        done = project.devenv("doctor", "registry", "--fix", "--yes")
        assert done.code == 0, done.text
        assert f"done: warn → ok  {REGISTRY} is running" in done.err
        assert checks(project)["registry"]["status"] == "ok"
    twice = project.devenv("doctor", "registry", "--fix", "--yes")
    assert (twice.code, "docker start" in twice.text) == (0, False), twice.text


def test_remains_of_earlier_runs_before_and_after_fix(project: Project, tmp_path: Path) -> None:
    # Socket paths must be short, and pytest's temporary folders are not.
    runtime = Path("/tmp") / f"devenv-test-doctor-{os.getpid()}"
    state = tmp_path / "state"
    (runtime / "devenv").mkdir(parents=True, mode=0o700)
    (state / "devenv").mkdir(parents=True)
    dead, marker = runtime / "devenv/0-gone.sock", state / "devenv/creating-devenv-test-gone"
    marker.touch()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(dead))
    other = change_env(project, XDG_RUNTIME_DIR=str(runtime), XDG_STATE_HOME=str(state))
    try:
        found = checks(other)
        assert (found["sockets"]["status"], found["markers"]["status"]) == ("warn", "warn")
        assert (dead.exists(), marker.exists()) == (True, True), "nothing is changed without --fix"
        report = other.json("doctor", "sockets", "markers", "--fix", "--yes")
        assert {repair["id"]: (repair["before"], repair["after"]) for repair in report["repairs"]} == {
            "sockets": ("warn", "ok"),
            "markers": ("warn", "ok"),
        }
        assert (dead.exists(), marker.exists()) == (False, False)
    finally:
        shutil.rmtree(runtime)


def test_kind_is_installed_where_the_settings_look_for_it(project: Project, tmp_path: Path) -> None:
    settings = yaml.safe_load(project.machine.settings.read_text())
    there = settings.get("tools", {}).get("kind") or shutil.which("kind")
    # Go itself would fetch what kind is made of; this one puts there what it would have built.
    go, kind = tmp_path / "go", tmp_path / "bin/kind"
    go.write_text(
        "#!/bin/sh\n"
        '[ "$1" = version ] && echo go version go1.26.8 && exit\n'
        f'[ "$*" = "install sigs.k8s.io/kind@{KIND_TO_INSTALL}" ] && cp {there} "$GOBIN/kind"\n'
    )
    go.chmod(0o755)
    kind.parent.mkdir()
    settings["tools"] = {"go": str(go), "kind": str(kind)}
    (tmp_path / "settings.yaml").write_text(yaml.safe_dump(settings))
    other = change_env(project, DEVENV_SETTINGS=str(tmp_path / "settings.yaml"), GOBIN=str(kind.parent))
    before = checks(other)["kind"]
    assert (before["status"], before["code"]) == ("fail", "kind-missing")
    assert before["fixes"] == [["go", "install", f"sigs.k8s.io/kind@{KIND_TO_INSTALL}"]]
    done = other.devenv("doctor", "kind", "--fix", "--yes")
    assert (done.code, f"done: fail → ok  {KIND_TO_INSTALL} at {kind}" in done.err) == (0, True), done.text


def test_a_failing_up_shows_the_checks_that_explain_it(project: Project, tmp_path: Path) -> None:
    config = tmp_path / "docker"
    config.mkdir()
    (config / "config.json").write_text(json.dumps({"credsStore": "not-there"}))
    project.edit("web/Dockerfile", "FROM", f"# {project.name}\nFROM")
    other = change_env(project, DOCKER_CONFIG=str(config))
    done = other.devenv("up", "-d")
    assert (done.code, "UserWarning" in done.err) == (11, False), done.text
    error = done.err[done.err.index("error:") :].splitlines()
    assert error[0].endswith("[credentials-unusable]")
    assert error[1].startswith("  ✗ registry-credentials  docker-credential-not-there not found")
    assert error[-1].startswith("hint: ")
    assert [line for line in error if line.lstrip().startswith("✓")] == []
    envelope = other.json("up", "-d")
    assert [(found["id"], found["status"]) for found in envelope["checks"]] == [("registry-credentials", "fail")]
