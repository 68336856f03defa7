"""`devenv config` as a user meets it."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.cli.test_boundary import devenv
from tests.unit.config.test_broken import BROKEN

PROFILE = """\
include: [redis]
dependencies:
  redis: {with: {version: "8"}}
  payments:
    stub: {wiremock: ../stubs, ports: {http: 80}}
    real: {image: x}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "profiles").mkdir()
    (tmp_path / "stubs").mkdir()
    (tmp_path / "devenv.yaml").write_text("name: shop\nservices: {web: {image: x, needs: [redis]}}\n")
    (tmp_path / "profiles/default.yaml").write_text(PROFILE)
    return tmp_path


def test_show_as_files(project: Path) -> None:
    done = devenv(project, "config", "show", "--real", "payments")
    assert (done.code, done.err) == (0, "")
    first, _, second = done.out.partition("---\n")
    assert first.startswith("# devenv.yaml\nname: shop\n")
    assert second.startswith("# profiles/default.yaml\ndependencies:\n")
    assert second.endswith("  payments:\n    mode: real\n    real: {image: x}\n")


def test_show_as_json(project: Path) -> None:
    shown = json.loads(devenv(project, "config", "show", "-o", "json").out)
    assert shown["services"]["web"]["needs"] == ["redis"]
    assert shown["dependencies"]["payments"]["mode"] == "stub"
    assert shown["dependencies"]["payments"]["stub"]["wiremock"] == str(project / "stubs")
    assert shown["services"]["web"]["origin"] == {"file": str(project / "devenv.yaml"), "line": 2, "column": 17}


def test_explain(project: Path) -> None:
    done = devenv(project, "config", "explain", "dependencies.redis.with.version")
    assert re.sub(r"\.yaml:\d+:\d+ \(", ".yaml (", done.out) == (
        'dependencies.redis.with.version  "8"  profiles/default.yaml:3:27\n'
        "    over: profiles/redis.yaml (shipped)\n"
        "    used in dependencies.redis.real.image: profiles/redis.yaml (shipped)\n"
    )
    (found,) = json.loads(devenv(project, "config", "explain", "services.web.image", "-o", "json").out)
    assert found == {
        "path": "services.web.image",
        "value": "x",
        "origin": {"file": str(project / "devenv.yaml"), "line": 2, "column": 25},
        "note": "",
        "over": [],
        "parameters": [],
        "used_in": [],
    }
    wrong = devenv(project, "config", "explain", "services.wbe")
    assert (wrong.code, wrong.out) == (2, "")
    assert wrong.err == (
        'error: the configuration has no services.wbe (did you mean "web"?) [key-unknown]\n'
        "\nhint: known below services: web\n"
    )


@pytest.mark.parametrize("arguments", [[], ["-f", "devenv.yaml"], ["devenv.yaml"]])
def test_validate(project: Path, arguments: list[str]) -> None:
    done = devenv(project, "config", "validate", *arguments)
    assert (done.code, done.out) == (0, "devenv.yaml: ok (1 service, 2 dependencies, 3 files)\n")


def test_validate_a_profile(project: Path) -> None:
    done = devenv(project, "config", "validate", "profiles/default.yaml", "-o", "json")
    valid = json.loads(done.out)
    assert (valid["valid"], valid["kind"], valid["dependencies"]) == (True, "profile", 2)


@pytest.mark.parametrize("name", ["02-unclosed-quote", "57-broken-in-an-include"])
def test_faults_are_printed_as_the_snapshots_say(tmp_path: Path, name: str) -> None:
    shutil.copytree(BROKEN / name, tmp_path / "shop")
    done = devenv(tmp_path / "shop", "config", "validate")
    assert (done.code, done.out, done.err) == (10, "", (BROKEN / name / "expected.txt").read_text())


def test_schema(project: Path) -> None:
    path = devenv(project, "config", "schema", "profile", "--path").out.strip()
    assert json.loads(Path(path).read_text()) == json.loads(devenv(project, "config", "schema", "profile").out)
    assert json.loads(devenv(project, "config", "schema").out)["title"] == "devenv.yaml"
