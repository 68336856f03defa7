"""What every Registry does, on a fake and on real Docker with a network of the test's own."""

from __future__ import annotations

import http.client
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from devenv import problems
from devenv.config.model import Settings
from devenv.errors import Refused, ToolError
from devenv.host.processes import holder
from devenv.images.registry import MADE_NETWORK, DockerRegistry
from devenv.ports import Registry
from tests.conftest import Machine
from tests.fakes.images import FakeRegistry

if TYPE_CHECKING:
    from docker import DockerClient

NAME = "devenv-contract-registry"
OTHER = "devenv-contract-other"
NETWORK = "devenv-contract-net"
PORT = 5990
SETTINGS = Settings(file=Path("settings.yaml"), cluster="devenv-contract", registry_name=NAME, registry_port=PORT)

real_only = pytest.mark.cluster


@pytest.fixture
def docker(machine: Machine) -> Iterator[DockerClient]:
    """Docker, with an empty network, and no container of ours before and after."""
    import docker
    import docker.errors

    client = docker.from_env()

    def clean() -> None:
        for name in (NAME, OTHER):
            with suppress(docker.errors.NotFound):
                client.containers.get(name).remove(force=True, v=True)
        with suppress(docker.errors.NotFound):
            client.networks.get(NETWORK).remove()

    clean()
    client.networks.create(NETWORK)
    yield client
    clean()
    client.close()


@pytest.fixture
def registry(docker: DockerClient) -> DockerRegistry:
    return DockerRegistry(SETTINGS, holder=holder)


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.cluster)])
def any_registry(request: pytest.FixtureRequest) -> Registry:
    if request.param == "fake":
        return FakeRegistry()
    made: DockerRegistry = request.getfixturevalue("registry")
    return made


def answers() -> bool:
    """Whether the registry's API answers, which it does soon after its start."""
    waiting = threading.Event()
    for _ in range(100):
        connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=5)
        with suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/v2/")
            if connection.getresponse().status == 200:
                connection.close()
                return True
        connection.close()
        waiting.wait(0.1)
    return False


def test_it_is_made_once_and_removed_once(any_registry: Registry) -> None:
    assert any_registry.ensure(network=NETWORK) == ["created"]
    assert any_registry.ensure(network=NETWORK) == []
    assert any_registry.remove()
    assert not any_registry.remove()


@real_only
def test_it_answers_on_the_loopback_address_only(registry: DockerRegistry, docker: DockerClient) -> None:
    registry.ensure(network=NETWORK)
    assert answers()
    container = docker.containers.get(NAME)
    assert container.attrs["HostConfig"]["PortBindings"] == {"5000/tcp": [{"HostIp": "127.0.0.1", "HostPort": "5990"}]}
    assert container.attrs["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"
    assert NETWORK in container.attrs["NetworkSettings"]["Networks"]


@real_only
def test_what_was_undone_by_hand_is_mended(registry: DockerRegistry, docker: DockerClient) -> None:
    registry.ensure(network=NETWORK)
    docker.containers.get(NAME).stop(timeout=1)
    docker.networks.get(NETWORK).disconnect(NAME)
    assert registry.ensure(network=NETWORK) == ["started", f"attached to {NETWORK}"]
    assert answers()


@real_only
def test_another_port_in_the_settings_replaces_it(registry: DockerRegistry, docker: DockerClient) -> None:
    registry.ensure(network=NETWORK)
    moved = Settings(file=SETTINGS.file, cluster="devenv-contract", registry_name=NAME, registry_port=PORT + 1)
    assert DockerRegistry(moved, holder=holder).ensure(network=NETWORK) == ["replaced: its port had changed", "created"]


@real_only
def test_its_volume_and_the_network_it_came_with_go_with_it(registry: DockerRegistry, docker: DockerClient) -> None:
    registry.ensure(network=NETWORK)
    mounts = [m["Name"] for m in docker.containers.get(NAME).attrs["Mounts"] if m["Type"] == "volume"]
    registry.remove()
    assert not set(mounts) & {volume.id for volume in docker.volumes.list()}
    assert docker.networks.list(names=[NETWORK]) == []


@real_only
def test_a_network_that_others_use_stays(registry: DockerRegistry, docker: DockerClient) -> None:
    # A stopped container could not start again without it.
    docker.containers.create("registry:2", name=OTHER, network=NETWORK)
    registry.ensure(network=NETWORK)
    assert docker.containers.get(NAME).labels[MADE_NETWORK] == "false"
    registry.remove()
    assert docker.networks.list(names=[NETWORK])


@real_only
def test_somebody_elses_container_is_refused_and_left_alone(registry: DockerRegistry, docker: DockerClient) -> None:
    other = docker.containers.create("registry:2", name=NAME)
    for act in (lambda: registry.ensure(network=NETWORK), registry.remove):
        with pytest.raises(Refused) as raised:
            act()
        assert raised.value.problem is problems.REGISTRY_FOREIGN
    assert docker.containers.get(NAME).id == other.id


@real_only
def test_a_taken_port_is_told_with_its_holder(registry: DockerRegistry, docker: DockerClient) -> None:
    with socket.create_server(("127.0.0.1", PORT)), pytest.raises(ToolError) as raised:
        registry.ensure(network=NETWORK)
    assert raised.value.problem is problems.PORT_TAKEN
    assert f"process {os.getpid()} " in raised.value.message
    assert "registry: {port: ...}" in raised.value.hint
    assert registry.ensure(network=NETWORK) == ["created"]


@real_only
def test_an_image_that_can_not_be_pulled_is_named(docker: DockerClient) -> None:
    wrong = Settings(file=SETTINGS.file, registry_name=NAME, registry_port=PORT, registry_image="localhost:5989/no:1")
    with pytest.raises(ToolError) as raised:
        DockerRegistry(wrong, holder=holder).ensure(network=NETWORK)
    assert raised.value.problem is problems.IMAGE_PULL_FAILED
    assert "localhost:5989/no:1" in raised.value.message
