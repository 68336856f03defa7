"""What every Images does, on a fake and on real Docker with a registry of the test's own."""

from __future__ import annotations

import platform
import threading
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from devenv import problems
from devenv.config.model import Settings
from devenv.config.settings import load_settings
from devenv.errors import ToolError
from devenv.host.commands import LocalCommands
from devenv.host.processes import holder
from devenv.images.builds import DockerImages
from devenv.images.daemon import docker_client
from devenv.images.registry import DockerRegistry
from devenv.ports import BuildRequest, ImageConfig, Images
from tests.conftest import Machine
from tests.fakes.images import FakeImages

NETWORK = "devenv-contract-images"
SETTINGS = Settings(file=Path("settings.yaml"), cluster="devenv-contract", registry_name=NETWORK, registry_port=5992)
DOCKERFILE = 'FROM busybox\nCOPY a /a\nARG WORD\nUSER 7\nWORKDIR /srv\nENTRYPOINT ["echo"]\nCMD ["hello"]\n'
ARCH = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
CONFIG = ImageConfig(("echo",), ("hello",), "7", "/srv", ARCH)

real_only = pytest.mark.cluster


@pytest.fixture(scope="module")
def real(machine: Machine) -> Iterator[DockerImages]:
    import docker

    client = docker.from_env()
    if not client.networks.list(names=[NETWORK]):
        client.networks.create(NETWORK)
    registry = DockerRegistry(SETTINGS, holder=holder)
    registry.ensure(network=NETWORK)
    yield DockerImages(SETTINGS, LocalCommands({}))
    for image in client.images.list(filters={"reference": ["localhost:5992/*", "localhost:5989/*"]}):
        client.images.remove(image.id or "", force=True)
    registry.remove()
    client.close()


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.cluster)])
def images(request: pytest.FixtureRequest) -> Images:
    if request.param == "real":
        chosen: DockerImages = request.getfixturevalue("real")
        return chosen
    fake = FakeImages(port=5992)
    fake.made = CONFIG
    return fake


@pytest.fixture
def context(tmp_path: Path) -> Path:
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    (tmp_path / "a").write_text(str(tmp_path))
    return tmp_path


def request_of(images: Images, context: Path) -> BuildRequest:
    request = BuildRequest("web", "", context, context / "Dockerfile", None, {"WORD": "1"})
    return BuildRequest("web", f"contract-web:{images.tag(request)}", context, request.dockerfile, None, request.args)


def test_what_was_built_is_found_with_what_it_starts(images: Images, context: Path) -> None:
    request = request_of(images, context)
    assert images.find(request.image) is None
    lines: list[str] = []
    assert images.build(request, on_line=lines.append) == CONFIG
    assert images.find(request.image) == CONFIG
    assert lines
    assert images.reference(request.image) == f"localhost:5992/{request.image}"


def test_a_prebuilt_image_is_looked_up_in_its_registry(images: Images, context: Path) -> None:
    request = request_of(images, context)
    images.build(request)
    assert images.look_up(images.reference(request.image)) == CONFIG
    assert images.look_up("localhost:5992/none:1").unknown == "localhost:5992 has no such image"


@real_only
def test_a_prebuilt_image_is_looked_up_at_the_mirror_of_the_nodes(machine: Machine) -> None:
    settings = load_settings({}, default=machine.settings)
    found = DockerImages(settings, LocalCommands({})).look_up("redis:7")
    assert found.entrypoint == ("docker-entrypoint.sh",)
    assert found.command == ("redis-server",)
    assert found.architecture == ARCH


@real_only
def test_an_image_that_no_registry_has_may_be_the_daemons_own(real: DockerImages, context: Path) -> None:
    request = request_of(real, context)
    real.build(request)
    client = docker_client()
    name = f"localhost:5989/own:{uuid.uuid4().hex[:8]}"
    client.images.get(real.reference(request.image)).tag(name)
    assert real.look_up(name) == CONFIG
    client.images.remove(name)
    assert real.look_up(name).unknown.startswith("localhost:5989 can't be asked (")
    assert real.look_up(name).architecture == ARCH


def test_the_tag_follows_the_context(images: Images, context: Path) -> None:
    before = request_of(images, context).image
    assert request_of(images, context).image == before
    (context / "a").write_text("other")
    assert request_of(images, context).image != before


def is_over(word: str) -> bool:
    """Whether no container runs, soon, whose command holds a word: the daemon gave up the build's step."""
    import docker

    waiting = threading.Event()
    with closing(docker.from_env()) as client:
        return any(
            not any(word in str(container.attrs["Args"]) for container in client.containers.list(ignore_removed=True))
            or waiting.wait(0.2)
            for _ in range(50)
        )


def failure(images: Images, request: BuildRequest) -> ToolError:
    with pytest.raises(ToolError) as raised:
        images.build(request)
    return raised.value


@real_only
def test_a_step_that_fails_shows_its_output(real: DockerImages, context: Path) -> None:
    (context / "Dockerfile").write_text("FROM busybox\nRUN echo this is why; exit 3\n")
    error = failure(real, request_of(real, context))
    assert error.problem is problems.BUILD_FAILED
    assert any("this is why" in line for line in error.details)


@real_only
def test_a_dockerfile_with_a_mistake_shows_it(real: DockerImages, context: Path) -> None:
    (context / "Dockerfile").write_text("FROM busybox\nCOPPY a /a\n")
    error = failure(real, request_of(real, context))
    assert error.problem is problems.BUILD_FAILED
    assert any("COPPY" in line.upper() for line in error.details)


@real_only
def test_a_base_image_that_is_not_there_is_named(real: DockerImages, context: Path) -> None:
    (context / "Dockerfile").write_text("FROM localhost:5989/nothing:1\n")
    error = failure(real, request_of(real, context))
    assert error.problem is problems.IMAGE_PULL_FAILED
    assert "localhost:5989/nothing:1" in error.message
    assert "mirror" in error.hint


@real_only
def test_ignored_files_do_not_reach_the_image(real: DockerImages, context: Path) -> None:
    (context / ".dockerignore").write_text("a\n")
    error = failure(real, request_of(real, context))
    assert error.problem is problems.BUILD_FAILED


@real_only
def test_a_build_that_says_nothing_can_be_stopped(real: DockerImages, context: Path) -> None:
    word = uuid.uuid4().hex
    (context / "Dockerfile").write_text(f"FROM busybox\nRUN echo begun && sleep 300 && echo {word}\n")
    stop = threading.Event()
    request = request_of(real, context)

    def note(line: str) -> None:
        if "begun" in line and "RUN" not in line:
            stop.set()

    with pytest.raises(ToolError) as raised:
        real.build(request, stop=stop, on_line=note)
    assert raised.value.details == ("it was interrupted",)
    assert real.find(request.image) is None
    assert is_over(word)


@real_only
def test_without_a_registry_the_push_fails(real: DockerImages, context: Path) -> None:
    nowhere = Settings(file=SETTINGS.file, registry_port=5989)
    images = DockerImages(nowhere, LocalCommands({}))
    request = request_of(images, context)
    assert images.find(request.image) is None
    assert failure(images, request).problem is problems.PUSH_FAILED
