"""The texts that kind and the nodes' containerd read."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

MARK = "/kind/devenv"
"""A file in each node that devenv made."""

CERTS = "/etc/containerd/certs.d"

UPSTREAMS = {"docker.io": "https://registry-1.docker.io"}


def cluster_config(name: str) -> str:
    """The cluster configuration that `kind create cluster` reads (kind.x-k8s.io/v1alpha4)."""
    return f"""\
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
name: {name}
nodes:
  - role: control-plane
    labels:
      dev.devenv/managed: "true"
"""


def hosts_files(registry: str, port: int, mirrors: Mapping[str, str]) -> dict[str, str]:
    """containerd's hosts.toml files by path: the local registry, and each upstream with its mirror."""
    files = {f"{CERTS}/localhost:{port}/hosts.toml": f'[host."http://{registry}:5000"]\n'}
    for upstream, mirror in mirrors.items():
        files[f"{CERTS}/{upstream}/hosts.toml"] = mirror_file(upstream, mirror)
    return files


def mirror_file(upstream: str, mirror: str) -> str:
    """The hosts.toml of one upstream; a path in the mirror's URL is a repository prefix.

    Format: https://github.com/containerd/containerd/blob/main/docs/hosts.md
    """
    parts = urlsplit(mirror)
    prefix = parts.path.strip("/")
    lines = [f'server = "{UPSTREAMS.get(upstream, f"https://{upstream}")}"', ""]
    if prefix:
        lines += [f'[host."{parts.scheme}://{parts.netloc}/v2/{prefix}"]', "  override_path = true"]
    else:
        lines += [f'[host."{parts.scheme}://{parts.netloc}"]']
    return "\n".join([*lines, '  capabilities = ["pull", "resolve"]', ""])
