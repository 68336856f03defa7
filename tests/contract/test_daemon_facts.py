"""What the real Docker daemon says of itself; nothing of it is made up here."""

from __future__ import annotations

import pytest

from devenv.checks.check import GIB
from devenv.images.facts import DockerFacts
from tests.conftest import REGISTRY, REGISTRY_PORT, Machine

pytestmark = pytest.mark.cluster


def test_the_daemon_speaks_of_itself(machine: Machine) -> None:
    info = DockerFacts().info()
    assert info.version.partition(".")[0].isdecimal()
    assert (info.memory > GIB, info.cpus > 0, info.cgroup in (1, 2), info.root.startswith("/")) == (True,) * 4


def test_what_it_keeps(machine: Machine) -> None:
    usage = DockerFacts().usage()
    assert usage.total >= usage.cache >= 0
    assert usage.total > 0


def test_containers_by_their_whole_name(cluster: str) -> None:
    found = DockerFacts().find_container(REGISTRY)
    assert found
    assert (found.running, found.ours, found.ports) == (True, True, (REGISTRY_PORT,))
    assert DockerFacts().find_container(REGISTRY.removesuffix("-registry")) is None
