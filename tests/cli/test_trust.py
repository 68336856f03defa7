"""Commands that files bring along, as a user without a terminal meets them."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from devenv.cli.load import Choice
from devenv.cli.up import session_arguments
from tests.conftest import ROOT, Done, own_folders

CONFIG = """\
services: {web: {image: x, env: {KEY: {secret: {exec: [vault, read]}}}}}
hooks: {before_up: ["touch ran"], before_down: [dump]}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "devenv.yaml").write_text(CONFIG)
    return tmp_path


def devenv(folder: Path, *arguments: str) -> Done:
    env = {**os.environ, **own_folders(folder / "home"), "PYTHONPATH": str(ROOT), "DOCKER_HOST": "unix:///none.sock"}
    env.pop("DEVENV_SETTINGS", None)
    command = [sys.executable, "-m", "devenv", *arguments]
    done = subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    return Done(done.returncode, done.stdout, done.stderr)


def trusted(folder: Path, *arguments: str) -> dict[str, bool]:
    listed = json.loads(devenv(folder, "trust", *arguments, "-o", "json").out)
    return {command["where"]: command["trusted"] for command in listed}


def test_up_runs_nothing_without_a_yes(project: Path) -> None:
    done = devenv(project, "up", "-d")
    assert (done.code, "[trust-missing]" in done.err) == (15, True), done.text
    assert "devenv.yaml:2  hooks.before_up  touch ran" in done.err
    assert "devenv.yaml:1  services.web.env.KEY  vault read" in done.err
    assert not (project / "ran").exists()
    refused = json.loads(devenv(project, "up", "-o", "json").out)
    assert (refused["error"]["code"], refused["exit"]["code"]) == ("trust-missing", 15)


def test_without_hooks_only_the_secrets_commands_are_asked_for(project: Path) -> None:
    done = devenv(project, "up", "-d", "--no-hooks")
    assert "1 command of your files" in done.err
    assert "hooks." not in done.err


def test_trust_on_the_command_line_is_remembered_for_these_commands_alone(project: Path) -> None:
    first = devenv(project, "up", "-d", "--trust")
    assert "[trust-missing]" not in first.err
    assert (project / "ran").exists()
    assert trusted(project, "--show") == {
        "hooks.before_up": True,
        "hooks.before_down": True,
        "services.web.env.KEY": True,
    }
    (project / "devenv.yaml").write_text("# moved\n" + CONFIG.replace("dump", "dump --all"))
    assert trusted(project, "--show") == {
        "hooks.before_up": True,
        "hooks.before_down": False,
        "services.web.env.KEY": True,
    }
    file = project / "home/state/devenv/trust.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "touch" not in file.read_text()


def test_trust_and_revoke(project: Path) -> None:
    assert devenv(project, "trust").code == 15
    done = devenv(project, "trust", "--yes")
    assert (done.code, done.out.splitlines()[0]) == (0, "✓ devenv.yaml:2  hooks.before_up  touch ran")
    assert devenv(project, "trust").code == 0
    assert set(trusted(project, "--revoke").values()) == {False}
    assert devenv(project, "up", "-d").code == 15


def test_a_file_without_commands(project: Path) -> None:
    (project / "devenv.yaml").write_text("services: {web: {image: x}}\n")
    done = devenv(project, "trust")
    assert (done.code, done.out) == (0, "no hooks or secrets run commands here\n")
    assert trusted(project) == {}


def test_a_dry_run_shows_commands_and_needs_no_yes(project: Path) -> None:
    lines = devenv(project, "up", "--dry-run").out.splitlines()
    assert lines[:2] == ["before_up: touch ran", "secrets of web: KEY"]
    assert not (project / "ran").exists()
    assert "before_up: touch ran" not in devenv(project, "up", "--dry-run", "--no-hooks").out


def test_several_profiles_reach_the_configuration(project: Path) -> None:
    shown = json.loads(devenv(project, "config", "show", "-p", "redis", "--profile", "postgres", "-o", "json").out)
    assert (shown["profile"], list(shown["dependencies"])) == ("redis, postgres", ["redis", "postgres"])


def test_the_background_session_means_the_same_environment() -> None:
    choice = Choice(Path("/p/x.yaml"), ["one", "two"], real=["a"], off=["b"])
    arguments = ["--file", "/p/x.yaml", "--real", "a", "--off", "b", "--profile", "one", "--profile", "two"]
    assert session_arguments(choice, "/p") == arguments
    assert session_arguments(Choice(), "/p") == ["--file", "/p/devenv.yaml"]
