from __future__ import annotations

import hashlib
import inspect
import json
from pathlib import Path

import docker.errors
import pytest
import requests.exceptions
import urllib3.exceptions

from devenv import problems
from devenv.errors import Problem, ToolError
from devenv.images.daemon import address, docker_client, shared_client, translate

CLASSES = [
    cls
    for _, cls in inspect.getmembers(docker.errors, inspect.isclass)
    if issubclass(cls, docker.errors.DockerException) and cls.__module__ == docker.errors.__name__
]


def translated(error: BaseException) -> ToolError:
    with pytest.raises(ToolError) as raised, translate("test"):
        raise error
    assert raised.value.__cause__ is error
    return raised.value


def make(cls: type[Exception]) -> Exception:
    """An exception of any class of the SDK, each of its arguments "boom"."""
    parameters = inspect.signature(cls.__init__).parameters.values()
    wanted = [p for p in list(parameters)[1:] if p.kind is p.POSITIONAL_OR_KEYWORD and p.default is p.empty]
    return cls(*("boom" for _ in wanted))


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_each_error_of_the_sdk_is_a_tool_error(cls: type[Exception]) -> None:
    assert translated(make(cls)).exit_code == 11


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (docker.errors.DockerException("Error while fetching server API version"), problems.DOCKER_NOT_RUNNING),
        (requests.exceptions.ConnectionError("refused"), problems.DOCKER_NOT_RUNNING),
        (requests.exceptions.ReadTimeout("slow"), problems.DOCKER_NOT_RUNNING),
        (urllib3.exceptions.ProtocolError("cut off"), problems.DOCKER_NOT_RUNNING),
        (docker.errors.APIError("x", explanation="no space left on device"), problems.DISK_FULL),
        (docker.errors.NotFound("x", explanation="No such container"), problems.COMMAND_FAILED),
        (docker.errors.InvalidRepository("x"), problems.COMMAND_FAILED),
    ],
)
def test_errors_are_told_apart(error: Exception, problem: Problem, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    assert translated(error).problem is problem


def test_errors_of_ours_and_bugs_pass_through() -> None:
    ours = ToolError(problems.KIND_MISSING)
    for error in (ours, ValueError("bug")):
        with pytest.raises(type(error)) as raised, translate("test"):
            raise error
        assert raised.value is error


def test_a_credential_helper_that_is_missing() -> None:
    from docker.credentials.errors import StoreError

    with pytest.raises(ToolError) as raised, translate("test"):
        raise StoreError("docker-credential-x not installed or not available in PATH")
    assert raised.value.problem is problems.CREDENTIALS_UNUSABLE


@pytest.fixture
def no_docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("devenv.images.daemon.SOCKET", str(tmp_path / "docker.sock"))
    shared_client.cache_clear()
    return tmp_path


def reach() -> ToolError:
    with pytest.raises(ToolError) as raised:
        docker_client()
    return raised.value


def test_neither_socket_nor_command_is_docker_missing(no_docker: Path) -> None:
    assert reach().problem is problems.DOCKER_MISSING


def test_a_command_without_a_daemon_is_docker_not_running(no_docker: Path) -> None:
    (no_docker / "docker").write_text("#!/bin/sh\n")
    (no_docker / "docker").chmod(0o755)
    assert reach().problem is problems.DOCKER_NOT_RUNNING


def test_docker_host_that_does_not_answer_is_named(no_docker: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    assert reach().message == "the Docker daemon does not answer at tcp://127.0.0.1:1"


def test_the_current_context_of_the_docker_command_is_followed(no_docker: Path) -> None:
    # Format: the docker command's context store; the folder's name is the SHA-256 of the context's.
    folder = no_docker / "contexts" / "meta" / hashlib.sha256(b"colima").hexdigest()
    folder.mkdir(parents=True)
    endpoint = {"docker": {"Host": "unix:///run/user/1/colima.sock", "SkipTLSVerify": False}}
    (folder / "meta.json").write_text(json.dumps({"Name": "colima", "Metadata": {}, "Endpoints": endpoint}))
    (no_docker / "config.json").write_text(json.dumps({"currentContext": "colima"}))
    assert address() == "unix:///run/user/1/colima.sock"


def test_a_broken_context_is_not_our_business(no_docker: Path) -> None:
    (no_docker / "config.json").write_text("{")
    assert address() == f"unix://{no_docker / 'docker.sock'}"
