from __future__ import annotations

import tomllib

import yaml

from devenv.clusters.kind_files import cluster_config, hosts_files, mirror_file


def test_the_cluster_config_labels_its_node_as_ours() -> None:
    document = yaml.safe_load(cluster_config("shop"))
    assert document == {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "name": "shop",
        "nodes": [{"role": "control-plane", "labels": {"dev.devenv/managed": "true"}}],
    }


def test_the_local_registry_is_reached_by_its_container_name() -> None:
    files = hosts_files("devenv-registry", 5001, {})
    assert {path: tomllib.loads(text) for path, text in files.items()} == {
        "/etc/containerd/certs.d/localhost:5001/hosts.toml": {"host": {"http://devenv-registry:5000": {}}}
    }


def test_each_mirror_has_a_file_of_its_upstream() -> None:
    files = hosts_files("r", 5001, {"docker.io": "http://m:5000", "ghcr.io": "http://m:5000/ghcr.io"})
    assert sorted(files) == [
        "/etc/containerd/certs.d/docker.io/hosts.toml",
        "/etc/containerd/certs.d/ghcr.io/hosts.toml",
        "/etc/containerd/certs.d/localhost:5001/hosts.toml",
    ]


def test_a_mirror_without_a_path_is_a_registry_of_its_own() -> None:
    assert tomllib.loads(mirror_file("docker.io", "http://172.18.0.1:5000/")) == {
        "server": "https://registry-1.docker.io",
        "host": {"http://172.18.0.1:5000": {"capabilities": ["pull", "resolve"]}},
    }


def test_a_path_is_a_repository_prefix() -> None:
    assert tomllib.loads(mirror_file("ghcr.io", "https://m.example/proxy/ghcr.io")) == {
        "server": "https://ghcr.io",
        "host": {
            "https://m.example/v2/proxy/ghcr.io": {"capabilities": ["pull", "resolve"], "override_path": True},
        },
    }
