"""What `devenv version` tells where everything is there."""

from __future__ import annotations

import json

import pytest

from tests.conftest import Machine

pytestmark = pytest.mark.cluster


def test_every_part_has_its_version(machine: Machine, cluster: str) -> None:
    done = machine.devenv("version", "-o", "json")
    told = json.loads(done.out)
    assert done.code == 0
    # kubectl need not be on a machine.
    missing = {name: reason for name, reason in told["reasons"].items() if name != "kubectl"}
    assert missing == {}, told
    assert told["cluster"].startswith("v1.")
    assert told["kind"].startswith("v0.")
    assert told["docker_server"][0].isdigit()
