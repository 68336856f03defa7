"""What the testbed tells devenv and Docker."""

import json
from pathlib import Path

import yaml

from tests.testbed.docker import describe_settings, uses_mirror
from tests.testbed.places import Places, find_places
from tests.testbed.settings import render_settings


def test_settings_name_the_provider_the_node_and_the_mirrors() -> None:
    assert yaml.safe_load(render_settings("/state/bin/kind")) == {
        "cluster": {"provider": "kind", "node_image": "kindest/node:v1.34.4"},
        "tools": {"kind": "/state/bin/kind"},
        "mirrors": {
            "docker.io": "http://devenv-testbed-mirror:5000",
            "ghcr.io": "http://devenv-testbed-mirror:5000/ghcr.io",
            "quay.io": "http://devenv-testbed-mirror:5000/quay.io",
            "registry.k8s.io": "http://devenv-testbed-mirror:5000/registry.k8s.io",
        },
    }


def test_settings_name_no_kind_that_is_on_path() -> None:
    assert "tools" not in yaml.safe_load(render_settings(None))


def test_the_state_folder_can_be_named() -> None:
    assert find_places({"DEVENV_TESTBED_HOME": "/elsewhere"}) == Places(Path("/elsewhere"))
    assert find_places({}).home.name == "devenv-testbed"


def test_settings_of_docker_keep_what_was_there() -> None:
    text = describe_settings(Places(Path("/state")), {"log-driver": "local", "registry-mirrors": ["http://old"]})
    settings = json.loads(text)
    assert settings["log-driver"] == "local"
    assert settings["registry-mirrors"] == ["http://127.0.0.1:5000"]


def test_a_daemon_is_ours_if_it_knows_the_mirror() -> None:
    assert uses_mirror({"RegistryConfig": {"Mirrors": ["http://127.0.0.1:5000/"]}})
    assert not uses_mirror({"RegistryConfig": {"Mirrors": []}})
    assert not uses_mirror({"RegistryConfig": None})
