from __future__ import annotations

import json
from pathlib import Path

import pytest

from devenv import problems
from devenv.checks import files
from devenv.errors import ConfigError
from tests.fakes.machine import HOME, PROJECT, Fakes, environment

KUBECONFIG = HOME / ".kube/config"
GOOD = "current-context: kind-devenv\ncontexts: [{name: kind-devenv}]\n"


@pytest.fixture
def fakes() -> Fakes:
    return Fakes()


def invalid(count: str) -> ConfigError:
    return ConfigError(problems.CONFIG_INVALID, count=count, details=["devenv.yaml:1:1  nmae  unknown key"])


def test_settings(fakes: Fakes) -> None:
    assert files.settings(fakes.scene).text.endswith("; defaults")
    fakes.files.put(HOME / ".config/devenv/settings.yaml")
    assert files.settings(fakes.scene).text == str(HOME / ".config/devenv/settings.yaml")
    fakes.settings_error = ConfigError(
        problems.SETTINGS_INVALID, count="1 fault", file="s.yaml", details=["s.yaml:2:1"]
    )
    verdict = files.settings(fakes.scene)
    assert (verdict.status, verdict.code, "s.yaml:2:1" in verdict.text) == ("fail", "settings-invalid", True)


def test_an_environment_that_is_valid_or_not_there(fakes: Fakes) -> None:
    fakes.environment_error = ConfigError(problems.CONFIG_MISSING, folder=PROJECT)
    assert files.configuration(fakes.scene).status == "skipped"
    fakes.environment = environment()
    assert files.configuration(fakes.scene).text == f"shop: {PROJECT}/devenv.yaml"


def test_a_file_that_was_named_and_is_missing(fakes: Fakes) -> None:
    fakes.environment_error = ConfigError(problems.FILE_MISSING, file="nope.yaml")
    verdict = files.configuration(fakes.scene)
    assert (verdict.status, verdict.code, "-f" in verdict.cure) == ("fail", "file-missing", True)


def test_faults_are_counted_and_the_rest_is_for_validate(fakes: Fakes) -> None:
    fakes.environment_error = invalid("3 faults")
    verdict = files.configuration(fakes.scene)
    assert (verdict.status, verdict.code) == ("fail", "config-invalid")
    assert verdict.text == "3 faults in the configuration; first: devenv.yaml:1:1  nmae  unknown key"
    assert "devenv config validate" in verdict.cure


def test_a_bug_while_loading_is_not_swallowed(fakes: Fakes) -> None:
    fakes.environment_error = ZeroDivisionError("x")
    with pytest.raises(ZeroDivisionError):
        files.configuration(fakes.scene)


@pytest.mark.parametrize(
    ("tracked", "ignored", "status", "said"),
    [(1, 0, "ok", ""), (1, 1, "warn", ">> .gitignore"), (0, 1, "warn", "git rm --cached"), (128, 128, "ok", "")],
)
def test_the_local_file(fakes: Fakes, tracked: int, ignored: int, status: str, said: str) -> None:
    fakes.files.put(PROJECT / "devenv.local.yaml")
    fakes.commands.tools = ("git",)
    git = f"git -C {PROJECT}"
    fakes.commands.answers |= {f"{git} ls-files": (tracked, ""), f"{git} check-ignore": (ignored, "")}
    verdict = files.local_file(fakes.scene)
    assert (verdict.status, said in verdict.cure) == (status, True)


def test_no_local_file_or_no_git(fakes: Fakes) -> None:
    assert files.local_file(fakes.scene).status == "skipped"
    fakes.files.put(PROJECT / "devenv.local.yaml")
    assert files.local_file(fakes.scene).status == "skipped"


def test_kubeconfigs_that_are_fine(fakes: Fakes) -> None:
    assert "none yet" in files.kubeconfig(fakes.scene).text
    fakes.files.put(KUBECONFIG, GOOD)
    assert files.kubeconfig(fakes.scene).text == str(KUBECONFIG)
    fakes.files.put("/one", "current-context: b\n")
    fakes.files.put("/two", "contexts: [{name: b}]\n")
    fakes.machine.environ["KUBECONFIG"] = "/one:/two:/not-there"
    assert files.kubeconfig(fakes.scene).text == "/one, /two"


@pytest.mark.parametrize("text", ["a: [", "- a\n- b\n", "just text\n", "\x00"])
def test_a_kubeconfig_that_is_none(fakes: Fakes, text: str) -> None:
    fakes.files.put(KUBECONFIG, text)
    assert files.kubeconfig(fakes.scene).status == "fail"


@pytest.mark.parametrize("text", ["current-context: x\ncontexts: 5\n", "current-context: x\n"])
def test_a_current_context_that_is_gone(fakes: Fakes, text: str) -> None:
    fakes.files.put(KUBECONFIG, text)
    verdict = files.kubeconfig(fakes.scene)
    assert (verdict.status, "the current context x" in verdict.text) == ("warn", True)


def test_a_kubeconfig_of_another_user(fakes: Fakes) -> None:
    fakes.files.put(KUBECONFIG, GOOD, owner=0, writable=False)
    verdict = files.kubeconfig(fakes.scene)
    assert (verdict.status, verdict.fixes, "chown" in verdict.cure) == ("fail", (), True)
    fakes.files.put(KUBECONFIG, GOOD, owner=7)
    assert files.kubeconfig(fakes.scene).status == "warn"
    fakes.machine.uid = 0
    assert files.kubeconfig(fakes.scene).status == "ok"


def test_a_kubeconfig_that_others_can_read_is_closed(fakes: Fakes) -> None:
    fakes.files.put(KUBECONFIG, GOOD, mode=0o644)
    verdict = files.kubeconfig(fakes.scene)
    assert (verdict.status, verdict.fixes) == ("warn", (("chmod", "600", str(KUBECONFIG)),))


def test_a_kubeconfig_that_can_not_be_read(fakes: Fakes) -> None:
    fakes.files.put(KUBECONFIG, GOOD)
    fakes.files.unreadable.add(KUBECONFIG)
    assert files.kubeconfig(fakes.scene).status == "fail"


@pytest.mark.parametrize(
    ("config", "programs", "status", "text"),
    [
        (None, (), "ok", "without a login"),
        ({}, (), "ok", "0 logins"),
        ({"auths": {"ghcr.io": {"auth": "c2VjcmV0"}}}, (), "ok", "1 login"),
        (
            {"credsStore": "pass"},
            ("docker-credential-pass",),
            "ok",
            "kept by docker-credential-pass",
        ),
        ({"credsStore": "desktop"}, (), "fail", "docker-credential-desktop not found"),
        ({"credHelpers": {"x.ecr": "ecr-login"}}, (), "fail", "docker-credential-ecr-login not found"),
        ({"credHelpers": ["odd"], "credsStore": 5, "auths": 1}, (), "ok", "0 logins"),
        ([], (), "fail", "expected a mapping"),
    ],
)
def test_logins(fakes: Fakes, config: object, programs: tuple[str, ...], status: str, text: str) -> None:
    fakes.commands.tools = programs
    if config is not None:
        fakes.files.put(HOME / ".docker/config.json", json.dumps(config))
    verdict = files.registry_credentials(fakes.scene)
    assert (verdict.status, text in verdict.text, "c2VjcmV0" in repr(verdict)) == (status, True, False)


def test_logins_that_can_not_be_read(fakes: Fakes) -> None:
    fakes.machine.environ["DOCKER_CONFIG"] = "/dc"
    fakes.files.put("/dc/config.json", "{")
    assert files.registry_credentials(fakes.scene).status == "fail"
    fakes.files.unreadable.add(Path("/dc/config.json"))
    assert "Permission denied" in files.registry_credentials(fakes.scene).text
