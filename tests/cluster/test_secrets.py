"""Secrets and hooks on the real cluster: what reaches the program, what starts anew, and what is told nobody."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.cluster.conftest import Project
from tests.conftest import CLUSTER, Done, Machine

pytestmark = pytest.mark.cluster

CONFIG = """\
name: secrets
services:
  api:
    image: busybox:1
    command: "trap 'exit 0' TERM; sleep 100000 & wait"
    env:
      PLAIN: "key is $(FROM_ENV)"
      FROM_ENV: {secret: {env: TEST_API_KEY}}
      FROM_FILE: {secret: {file: key.txt}}
      FROM_EXEC: {secret: {exec: "echo asked >> asked.txt; cat exec.txt"}}
    needs: [store]
  other:
    image: busybox:1
    command: "trap 'exit 0' TERM; sleep 100000 & wait"
    env: {OTHER: {secret: {exec: [cat, other.txt]}}}
hooks:
  before_up: ["echo before_up >> hooks.txt", "./note.sh"]
  after_up: ['echo "after_up $(cat asked.txt | wc -l)" >> hooks.txt; echo seen by people']
  before_down: ["echo before_down >> hooks.txt"]
"""
PROFILE = """\
dependencies:
  store:
    real:
      image: busybox:1
      command: [sh, -c, "trap 'exit 0' TERM; sleep 100000 & wait"]
      env: {PASSWORD: {secret: {file: ../store.txt}}}
"""
ENV, FILE, EXEC, OTHER, STORE = "k3y-of-env", "k3y-of-file", "k3y-of-exec", "k3y-of-other", "k3y-of-store"
CHANGED = "k3y-that-changed"
CONTEXT = f"kind-{CLUSTER}"


@dataclass
class Vault:
    """The project, and everything that devenv said or wrote."""

    project: Project
    told: list[str] = field(default_factory=list)

    def devenv(self, *arguments: str) -> Done:
        done = self.project.devenv(*arguments)
        self.told += [done.out, done.err, self.written()]
        return done

    def written(self) -> str:
        """What is in devenv's own folders: logs, state, sockets' folder."""
        env = self.project.machine.env
        folders = [Path(env[name]) / "devenv" for name in ("XDG_STATE_HOME", "XDG_RUNTIME_DIR", "XDG_CACHE_HOME")]
        files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
        return "".join(path.read_text(errors="replace") for path in files)

    def variable(self, workload: str, name: str) -> str:
        return self.project.kubectl("exec", f"deploy/{workload}", "--", "sh", "-c", f'echo "${name}"').strip()

    def pods(self) -> dict[str, str]:
        """The pods that run, by unit."""
        listed = json.loads(self.project.kubectl("get", "pods", "-o", "json"))["items"]
        alive = [pod["metadata"] for pod in listed if "deletionTimestamp" not in pod["metadata"]]
        return {pod["labels"]["dev.devenv/unit"]: pod["uid"] for pod in alive}

    def objects(self) -> str:
        """Everything in the namespace as JSON, without the data of Secrets."""
        kinds = "all,configmaps,secrets,events,persistentvolumeclaims,replicasets,controllerrevisions"
        items = json.loads(self.project.kubectl("get", kinds, "-o", "json"))["items"]
        return json.dumps([{**item, "data": None} if item["kind"] == "Secret" else item for item in items])


@pytest.fixture(scope="module")
def vault(machine: Machine, cluster: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vault]:
    folder = tmp_path_factory.mktemp("secrets") / "p"
    folder.mkdir()
    project = Project(Machine({**machine.env, "TEST_API_KEY": ENV}, machine.settings), folder, "secrets")
    files = {"key.txt": FILE, "exec.txt": EXEC, "other.txt": OTHER, "store.txt": STORE}
    for name, text in {**files, "devenv.yaml": CONFIG, "profiles/default.yaml": PROFILE}.items():
        project.write(name, f"{text}\n")
    project.write("note.sh", '#!/bin/sh\necho "$DEVENV_ENVIRONMENT $DEVENV_NAMESPACE $DEVENV_CONTEXT" >> hooks.txt\n')
    (folder / "note.sh").chmod(0o755)
    yield Vault(project)
    project.devenv("down", "--volumes", "--trust")


def test_without_a_yes_and_without_a_terminal_nothing_runs(vault: Vault) -> None:
    done = vault.devenv("up", "-d")
    assert (done.code, "[trust-missing]" in done.err) == (15, True), done.text
    assert "devenv.yaml:10  services.api.env.FROM_EXEC  echo asked >> asked.txt; cat exec.txt" in done.err
    assert not (vault.project.folder / "hooks.txt").exists()
    assert not (vault.project.folder / "asked.txt").exists()
    assert vault.devenv("up", "-d", "--yes").code == 2


def test_secrets_reach_the_program_and_hooks_run_in_order(vault: Vault) -> None:
    done = vault.devenv("up", "-d", "--trust")
    assert done.code == 0, done.text
    assert "seen by people" in done.err
    found = [vault.variable("api", name) for name in ("FROM_ENV", "FROM_FILE", "FROM_EXEC", "PLAIN")]
    assert found == [ENV, FILE, EXEC, f"key is {ENV}"]
    assert (vault.variable("other", "OTHER"), vault.variable("store", "PASSWORD")) == (OTHER, STORE)
    hooks = (vault.project.folder / "hooks.txt").read_text().splitlines()
    assert hooks == ["before_up", f"secrets secrets {CONTEXT}", "after_up 1"]


def test_up_again_asks_nothing_and_changes_nothing(vault: Vault) -> None:
    before = vault.pods()
    done = vault.devenv("up", "-d", "-o", "json")
    assert done.code == 0, done.text
    assert {unit["action"] for unit in json.loads(done.out)["units"]} == {"unchanged"}
    assert vault.pods() == before


def test_a_changed_value_starts_only_its_own_unit_anew(vault: Vault) -> None:
    before = vault.pods()
    vault.project.write("key.txt", CHANGED)
    done = vault.devenv("up", "-d", "--no-hooks", "-o", "json")
    assert done.code == 0, done.text
    units = {unit["name"]: (unit["action"], unit["reason"]) for unit in json.loads(done.out)["units"]}
    assert units == {"store": ("unchanged", ""), "api": ("updated", "secret changed"), "other": ("unchanged", "")}
    assert vault.variable("api", "FROM_FILE") == CHANGED
    after = vault.pods()
    assert [name for name in after if after[name] != before[name]] == ["api"]


def test_a_command_that_fails_shows_what_it_says_and_not_what_it_prints(vault: Vault) -> None:
    text = CONFIG.replace("[cat, other.txt]", '"cat other.txt; echo vault is sealed >&2; exit 3"')
    vault.project.write("devenv.yaml", text)
    asked = vault.devenv("up", "-d", "--no-hooks")
    assert (asked.code, "vault is sealed" in asked.err) == (15, True), asked.text
    done = vault.devenv("up", "-d", "--no-hooks", "--trust", "-v")
    assert (done.code, "[secret-missing]" in done.err) == (11, True), done.text
    assert "other.env.OTHER  cat other.txt; echo vault is sealed >&2; exit 3 ended with code 3\n" in done.err
    assert "\n    vault is sealed\n" in done.err
    vault.project.write("devenv.yaml", CONFIG)


def test_a_hook_that_fails_stops_up(vault: Vault) -> None:
    vault.project.write("devenv.local.yaml", "hooks: {+before_up: ['echo no certificates; exit 4']}\n")
    done = vault.devenv("up", "-d", "--trust")
    assert (done.code, "[hook-failed]" in done.err) == (11, True), done.text
    assert "no certificates" in done.err
    assert vault.devenv("up", "-d", "--no-hooks").code == 0
    (vault.project.folder / "devenv.local.yaml").unlink()


def test_the_session_needs_no_secrets(vault: Vault) -> None:
    asked = (vault.project.folder / "asked.txt").read_text()
    assert vault.devenv("status").code == 0
    assert json.loads(vault.devenv("status", "-o", "json").out)["session"]["synced"] is True
    assert (vault.project.folder / "asked.txt").read_text() == asked


def test_a_secret_that_is_read_no_longer_is_taken_away(vault: Vault) -> None:
    assert "other-devenv-secrets" in vault.project.kubectl("get", "secrets", "-o", "name")
    vault.project.write("devenv.yaml", CONFIG.replace("env: {OTHER: {secret: {exec: [cat, other.txt]}}}", ""))
    assert vault.devenv("up", "-d", "--no-hooks").code == 0
    assert "other-devenv-secrets" not in vault.project.kubectl("get", "secrets", "-o", "name")
    vault.project.write("devenv.yaml", CONFIG)
    assert vault.devenv("up", "-d", "--no-hooks").code == 0


def test_nothing_that_devenv_says_or_writes_tells_of_a_value(vault: Vault) -> None:
    for arguments in (
        ["config", "show"],
        ["config", "show", "-o", "json"],
        ["up", "--dry-run"],
        ["up", "--dry-run", "-o", "json"],
        ["trust", "--show", "-o", "json"],
        ["explain", "secret-missing"],
        ["up", "-d", "-v"],
    ):
        assert vault.devenv(*arguments).code == 0
    everything = "".join([*vault.told, vault.objects()])
    assert "FROM_FILE" in everything
    assert "up" in vault.written()
    for value in (ENV, FILE, EXEC, OTHER, STORE, CHANGED):
        digests = [hashlib.new(name, value.encode()).hexdigest() for name in ("md5", "sha1", "sha256", "sha512")]
        encoded = [base64.b64encode(value.encode()).decode(), value.encode().hex(), *(d[:12] for d in digests)]
        assert [form for form in (value, *encoded) if form in everything] == [], value


def test_before_down_runs_before_anything_is_taken_away(vault: Vault) -> None:
    done = vault.devenv("down", "--volumes")
    assert done.code == 0, done.text
    assert (vault.project.folder / "hooks.txt").read_text().splitlines()[-1] == "before_down"
    again = vault.devenv("down")
    assert (again.code, "was not up" in again.err) == (0, True), again.text
    hooks = (vault.project.folder / "hooks.txt").read_text().splitlines()
    assert hooks.count("before_down") == 1
