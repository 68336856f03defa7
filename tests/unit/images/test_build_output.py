"""The lines are those that Docker 20.10's builder and buildx 0.12 print."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devenv import problems
from devenv.config.model import Settings
from devenv.errors import Problem, ToolError
from devenv.images.build_output import base_image, build_error, until
from devenv.images.builds import DockerImages
from devenv.ports import BuildRequest
from tests.fakes.host import FakeCommands

REQUEST = BuildRequest("web", "shop-web:1", Path("/w"), Path("/w/Dockerfile"), "dev", {"A": "1"})

NO_HOST = 'Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io: no such host'
BUILDX_DENIED = (
    "ERROR: failed to solve: nosuch/thing: failed to resolve source metadata for docker.io/nosuch/thing:latest: "
    "pull access denied, repository does not exist or may require authorization"
)


@pytest.mark.parametrize(
    ("lines", "image"),
    [
        (["Step 1/2 : FROM python:99", "manifest for python:99 not found: manifest unknown"], "python:99"),
        (["Step 1/2 : FROM python:99", NO_HOST], "python:99"),
        (["Step 1/3 : ARG V=1", " ---> ", "Step 2/3 : FROM --platform=linux/amd64 a/b:1 AS x", NO_HOST], "a/b:1"),
        ([BUILDX_DENIED], "nosuch/thing"),
        (["Step 1/2 : FROM python:3", " ---> 71287f9a25f7", "Step 2/2 : RUN false", "returned a code: 1"], None),
        (["Step 1/1 : FROM python:3", " ---> 71287f9a25f7", "unknown instruction"], None),
        (["dockerfile parse error line 3: unknown instruction: COPPY"], None),
        ([], None),
    ],
)
def test_a_base_image_that_can_not_be_pulled_is_named(lines: list[str], image: str | None) -> None:
    assert base_image(lines) == image


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("write /var/lib/docker/x: no space left on device", problems.DISK_FULL),
        (BUILDX_DENIED, problems.IMAGE_PULL_FAILED),
        ("The command '/bin/sh -c false' returned a non-zero code: 1", problems.BUILD_FAILED),
    ],
)
def test_a_failure_is_told_for_what_it_is(line: str, problem: Problem) -> None:
    error = build_error(REQUEST, [line])
    assert error.problem is problem
    assert problem is problems.DISK_FULL or error.details[-1] == line


def test_the_last_twenty_lines_of_a_failed_step_are_kept() -> None:
    assert build_error(REQUEST, [str(n) for n in range(50)]).details == tuple(str(n) for n in range(30, 50))


def test_a_daemon_that_is_down_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    error = build_error(REQUEST, ["ERROR: Cannot connect to the Docker daemon at tcp://127.0.0.1:1."])
    assert error.problem is problems.DOCKER_NOT_RUNNING


def test_answers_come_in_order_to_their_end() -> None:
    assert list(until(iter([{"stream": "a"}, {"stream": "b"}]), None)) == [{"stream": "a"}, {"stream": "b"}]


def test_an_error_while_reading_is_raised_to_the_reader() -> None:
    def broken() -> Iterator[dict[str, Any]]:
        yield {"stream": "a"}
        raise ConnectionError("gone")

    with pytest.raises(ConnectionError, match="gone"):
        list(until(broken(), None))


def test_a_stop_ends_the_reading_though_nothing_comes() -> None:
    stop, never = threading.Event(), threading.Event()

    def silent() -> Iterator[dict[str, Any]]:
        yield {"stream": "a"}
        never.wait()

    seen = []
    for answer in until(silent(), stop, cancel=never.set):
        seen.append(answer)
        stop.set()
    assert seen == [{"stream": "a"}]
    assert never.is_set()


def test_what_came_to_its_end_is_not_cut_off() -> None:
    cut = threading.Event()
    list(until(iter([{"stream": "a"}]), threading.Event(), cancel=cut.set))
    assert not cut.is_set()


def test_buildx_gets_everything_that_was_asked_for(tmp_path: Path) -> None:
    commands = FakeCommands()
    commands.answers["docker buildx build"] = (1, "#5 ERROR: process did not complete\n")
    images = DockerImages(Settings(file=tmp_path / "s"), commands)
    lines: list[str] = []
    with pytest.raises(ToolError) as raised:
        images.build(REQUEST, on_line=lines.append)
    assert raised.value.problem is problems.BUILD_FAILED
    assert lines == ["#5 ERROR: process did not complete"]
    assert commands.lines == [
        "docker buildx version",
        "docker buildx build --load --progress plain --provenance=false --tag localhost:5001/shop-web:1 "
        "--file /w/Dockerfile --target dev --build-arg A=1 /w",
    ]


def test_a_buildx_that_was_stopped_is_interrupted_not_failed(tmp_path: Path) -> None:
    commands, stop = FakeCommands(), threading.Event()
    commands.effects["docker buildx build"] = stop.set
    commands.answers["docker buildx build"] = (-15, "")
    with pytest.raises(ToolError) as raised:
        DockerImages(Settings(file=tmp_path / "s"), commands).build(REQUEST, stop=stop)
    assert raised.value.details == ("it was interrupted",)


def test_buildx_is_looked_for_once(tmp_path: Path) -> None:
    commands = FakeCommands()
    commands.answers["docker buildx build"] = (1, "")
    images = DockerImages(Settings(file=tmp_path / "s"), commands)
    for _ in range(2):
        with pytest.raises(ToolError):
            images.build(REQUEST)
    assert commands.lines.count("docker buildx version") == 1
