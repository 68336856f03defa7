"""The command line as a user meets it, without a cluster: exit codes, messages, JSON, traces, the log."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from devenv import problems
from tests.conftest import ROOT, Done, own_folders

SERVICES = "services: {web: {image: x}, api: {image: x}}\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "devenv.yaml").write_text(SERVICES)
    return tmp_path


def devenv(folder: Path, *arguments: str, **variables: str) -> Done:
    env = {**os.environ, **own_folders(folder / "home"), "PYTHONPATH": str(ROOT), "DOCKER_HOST": "unix:///none.sock"}
    env |= variables
    env.pop("DEVENV_SETTINGS", None)
    command = [sys.executable, "-m", "devenv", *arguments]
    done = subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["pu"], 2, "No such command 'pu'. Did you mean 'up'? [usage]"),
        (["statsu"], 2, "Did you mean 'status'?"),
        (["config", "shwo"], 2, "No such command 'shwo'. Did you mean 'show'?"),
        (["zzz"], 2, "No such command 'zzz' [usage]"),
        (["up", "--dryrun"], 2, "No such option '--dryrun'. Did you mean '--dry-run'?"),
        (["up", "-Z"], 2, "No such option '-Z' [usage]"),
        (["up", "-o", "jsn"], 2, "'jsn' is not one of 'text', 'json'. Did you mean 'json'?"),
        (["logs", "--tail", "x"], 2, "Invalid value for '--tail'"),
        (["url"], 2, "Missing argument"),
        (["profiles", "show", "postgre"], 2, "'postgre' (did you mean \"postgres\"?) [profile-unknown]"),
        (["profiles", "-f", "none.yaml"], 10, "[file-missing]"),
        (["up", "wbe"], 2, 'did you mean "web"?'),
        (["wait", "wbe"], 2, 'did you mean "web"?'),
        (["logs", "wbe"], 2, 'did you mean "web"?'),
        (["up", "-p", "postgers"], 2, "-p postgers on the command line"),
        (["up", "-d"], 11, "[docker-not-running]"),
        (["up", "--dry-run", "wbe"], 2, "[name-unknown]"),
        (["up", "--real", "redis"], 2, "[name-unknown]"),
        (["test"], 2, "[test-unclear]"),
        (["test", "web"], 2, "[no-test]"),
        (["test", "wbe"], 2, 'did you mean "web"?'),
        (["test", "web", "-k", "x"], 2, "stand behind --: devenv test NAME -- -k ..."),
        (["logs", "--since", "5x"], 2, "[duration-invalid]"),
        (["explain", "crash-lop"], 2, '(did you mean "crash-loop"?) [code-unknown]'),
        (["doctor", "kubeconfg"], 2, '(did you mean "kubeconfig"?) [check-unknown]'),
        (["up", "-f", "none.yaml"], 10, "[file-missing]"),
    ],
)
def test_what_is_wrong_is_told(project: Path, arguments: list[str], code: int, said: str) -> None:
    done = devenv(project, *arguments)
    assert (done.code, said in done.err, "Traceback" in done.err) == (code, True, False), done.text
    assert done.out == "", "data only on stdout"


def test_a_mistyped_name_is_told_before_anything_is_asked(project: Path) -> None:
    (project / "devenv.yaml").write_text(f"{SERVICES}hooks: {{before_up: [[make]]}}\n")
    assert "[name-unknown]" in devenv(project, "up", "wbe").err
    assert "[trust-missing]" in devenv(project, "up", "web").err


def test_no_configuration(tmp_path: Path) -> None:
    done = devenv(tmp_path, "status")
    assert (done.code, "[config-missing]" in done.err) == (10, True)


def test_nothing_asked_for_is_answered_with_help(project: Path) -> None:
    done = devenv(project)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("Usage: devenv ")
    assert devenv(project, "config").err.startswith("Usage: devenv config ")


def test_a_wrong_command_line_as_json(project: Path) -> None:
    done = devenv(project, "status", "--bogus", "-o", "json")
    envelope = json.loads(done.out)
    assert envelope["error"]["code"] == "usage"
    assert envelope["error"]["hint"] == "devenv status --help shows what there is"
    assert (envelope["exit"]["code"], done.err) == (2, "")


def test_versions_are_told_whatever_is_missing(project: Path) -> None:
    done = devenv(project, "version", "-o", "json")
    told = json.loads(done.out)
    assert done.code == 0
    assert told["python"].count(".") == 2
    assert told["libraries"]["typer"]
    assert told["cluster"] is None
    assert told["reasons"]["cluster"]
    assert {name for name, version in told.items() if version is None} == set(told["reasons"])
    lines = devenv(project, "version").out.splitlines()
    assert lines[0].split() == ["devenv", told["devenv"]]
    assert any(line.startswith("cluster") and "none: " in line for line in lines)


def test_versions_without_folders_to_write_to(project: Path) -> None:
    done = devenv(project, "version", "-o", "json", XDG_RUNTIME_DIR="/dev/null")
    assert (done.code, "Not a directory" in json.loads(done.out)["reasons"]["kind"]) == (0, True)


def test_versions_with_settings_that_are_wrong(project: Path) -> None:
    settings = project / "home/config/devenv/settings.yaml"
    settings.parent.mkdir(parents=True)
    settings.write_text("clutser: {}\n")
    done = devenv(project, "version")
    assert (done.code, "warning: 1 fault in the settings file" in done.err) == (0, True)


def test_profiles_are_listed_and_described(project: Path) -> None:
    (project / "profiles").mkdir()
    (project / "profiles/redis.yaml").write_text("include: [redis]\n")
    rows = [line.split()[:2] for line in devenv(project, "profiles").out.splitlines()[1:4]]
    assert rows == [["redis", "project"], ["postgres", "shipped"], ["redis", "shipped"]]
    listed = json.loads(devenv(project, "profiles", "-o", "json").out)
    assert [(one["name"], one["shadowed"]) for one in listed] == [
        ("redis", False),
        ("postgres", False),
        ("redis", True),
    ]
    shown = devenv(project, "profiles", "show", "postgres").out
    assert "include: [postgres]" in shown
    assert "about 128Mi" in shown
    both = "dependencies: {x: {stub: {wiremock: ., ports: {http: 1}}, real: {image: 'i:1'}}}\n"
    (project / "profiles/both.yaml").write_text(both)
    lines = devenv(project, "profiles", "show", "both").out.splitlines()
    assert [line.split() for line in lines[3:6]] == [
        ["x", "(stub,", "or", "real)"],
        ["ports", "http", "1"],
        ["image", "when", "real", "i:1"],
    ]
    detail = json.loads(devenv(project, "profiles", "show", "redis", "-o", "json").out)
    assert detail == json.loads(devenv(project, "profiles", "-o", "json", "show", "redis").out)
    assert (detail["profile"]["source"], detail["dependencies"][0]["image"]) == ("project", "redis:7")


def test_the_shape_of_an_error(project: Path) -> None:
    (project / "devenv.yaml").write_text("nmae: x\n")
    assert devenv(project, "status").err == (
        "error: 1 fault in the configuration [config-invalid]\n"
        '  devenv.yaml:1:1  nmae  unknown key "nmae" (did you mean "name"?)\n'
        "\n"
        "hint: correct the lines above and run the command again\n"
    )


def test_an_error_as_json(project: Path) -> None:
    done = devenv(project, "status", "-o", "json")
    envelope = json.loads(done.out)
    assert envelope["error"]["code"] == "docker-not-running"
    assert envelope["exit"] == {"code": 11, "origin": "devenv"}
    assert done.err == ""


def test_a_trace_only_when_asked_for_and_always_in_the_log(project: Path) -> None:
    assert "Traceback" not in devenv(project, "status").err
    assert "Traceback" in devenv(project, "status", "-v").err
    log = project / "home/state/devenv/log/last.log"
    assert "Traceback" in log.read_text()


def test_the_steps_without_doing_them(project: Path) -> None:
    done = devenv(project, "up", "--dry-run")
    assert done.code == 0
    assert done.out.splitlines()[-2:] == ["web (service)", "api (service)"]


def test_doctor_names_what_is_missing(project: Path) -> None:
    done = devenv(project, "doctor", "-o", "json")
    findings = {finding["id"]: finding for finding in json.loads(done.out)["checks"]}
    assert done.code == 16
    assert (findings["docker"]["status"], findings["docker"]["code"]) == ("fail", "docker-not-running")
    assert findings["docker-memory"]["text"] == "needs docker"
    assert (findings["settings"]["status"], findings["configuration"]["status"]) == ("ok", "ok")
    assert done.err == ""


def test_doctor_says_what_is_wrong_in_files_and_goes_on(project: Path) -> None:
    (project / "devenv.yaml").write_text("nmae: x\n")
    settings = project / "home/config/devenv/settings.yaml"
    settings.parent.mkdir(parents=True)
    settings.write_text("registry: {prot: 1}\n")
    done = devenv(project, "doctor")
    assert (done.code, done.err) == (16, "")
    assert "✗ settings" in done.out
    assert "✗ configuration         1 fault in the configuration; first: devenv.yaml:1:1  nmae  unknown key" in done.out
    assert "[settings-invalid]" in done.out
    assert "✓ dns" in done.out


def test_doctor_writes_nothing_but_its_log(project: Path) -> None:
    devenv(project, "doctor")
    made = {str(path.relative_to(project)) for path in (project / "home").rglob("*") if path.is_file()}
    assert made == {"home/state/devenv/log/last.log"}
    assert not (project / "home/run").exists()


def test_doctor_fixes_nothing_where_nobody_can_be_asked(project: Path) -> None:
    kubeconfig = project / "home/kubeconfig"
    kubeconfig.parent.mkdir(exist_ok=True)
    kubeconfig.write_text("contexts: []\n")
    kubeconfig.chmod(0o644)
    done = devenv(project, "doctor", "--fix")
    assert (done.code, f"  $ chmod 600 {kubeconfig}" in done.err) == (16, True), done.text
    assert kubeconfig.stat().st_mode & 0o777 == 0o644
    as_json = devenv(project, "doctor", "--fix", "-o", "json")
    assert (as_json.code, json.loads(as_json.out)["repairs"]) == (16, [])


def test_doctor_fixes_what_it_shows(project: Path) -> None:
    kubeconfig = project / "home/kubeconfig"
    kubeconfig.parent.mkdir(exist_ok=True)
    kubeconfig.write_text("contexts: []\n")
    kubeconfig.chmod(0o644)
    done = devenv(project, "doctor", "kubeconfig", "--fix", "--yes", "-o", "json")
    (repair,) = json.loads(done.out)["repairs"]
    assert repair["commands"] == [["chmod", "600", str(kubeconfig)]]
    assert (repair["id"], repair["outcome"], repair["before"], repair["after"]) == ("kubeconfig", "done", "warn", "ok")
    assert kubeconfig.stat().st_mode & 0o777 == 0o600
    assert f"  $ chmod 600 {kubeconfig}\n  done: warn → ok" in done.err


def test_a_failing_up_shows_what_explains_it(project: Path) -> None:
    done = devenv(project, "up", "-d")
    assert done.err.splitlines()[-6:] == [
        "error: the Docker daemon does not answer at unix:///none.sock [docker-not-running]",
        "  ✗ docker  the Docker daemon does not answer at unix:///none.sock [docker-not-running]",
        f"      why: {problems.DOCKER_NOT_RUNNING.cause}",
        "      what to do: start the daemon there, or see DOCKER_HOST and docker context ls",
        "",
        "hint: start it (systemctl start docker, or open Docker Desktop), or add yourself to the docker group",
    ]
    envelope = json.loads(devenv(project, "up", "-d", "-o", "json").out)
    assert [(found["id"], found["status"]) for found in envelope["checks"]] == [("docker", "fail")]


def test_explain_lists_and_explains(project: Path) -> None:
    assert "crash-loop" in devenv(project, "explain").out
    assert "What to do:" in devenv(project, "explain", "crash-loop").out
    assert json.loads(devenv(project, "explain", "crash-loop", "-o", "json").out)["code"] == "crash-loop"
