"""Cluster nodes as the containers they are."""

from __future__ import annotations

import io
import posixpath
import tarfile
from collections.abc import Mapping

from devenv.images.daemon import docker_client, translate
from devenv.ports import Node

KIND_LABEL = "io.x-k8s.kind.cluster"


class DockerNodes:
    """The nodes of kind clusters in the local Docker daemon."""

    def find(self, cluster: str) -> list[Node]:
        """The nodes of a cluster, running or not. ToolError docker-missing, docker-not-running."""
        with translate("look for the cluster's nodes"):
            found = docker_client().api.containers(all=True, filters={"label": f"{KIND_LABEL}={cluster}"})
        return [Node(item["Names"][0].lstrip("/"), running=item["State"] == "running") for item in found]

    def start(self, node: str) -> None:
        """Start a stopped node."""
        with translate(f"start node {node}"):
            docker_client().api.start(node)

    def read(self, node: str, path: str) -> str | None:
        """A text file of a node (running or not), or None."""
        import docker.errors

        with translate(f"read {path} in {node}"):
            try:
                chunks, _ = docker_client().api.get_archive(node, path)
            except docker.errors.NotFound:
                return None
            with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as tar:
                file = tar.extractfile(tar.getmembers()[0])
                return file.read().decode() if file else None

    def write(self, node: str, files: Mapping[str, str]) -> None:
        """Write text files into a node, their folders included."""
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as tar:
            for folder in sorted({parent for path in files for parent in _parents(path)}):
                entry = tarfile.TarInfo(folder)
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                tar.addfile(entry)
            for path, text in files.items():
                data = text.encode()
                entry = tarfile.TarInfo(path.lstrip("/"))
                entry.size, entry.mode = len(data), 0o644
                tar.addfile(entry, io.BytesIO(data))
        with translate(f"write into {node}"):
            docker_client().api.put_archive(node, "/", buffer.getvalue())


def _parents(path: str) -> list[str]:
    """Folders to make for a path; those that every node has (/etc, /kind) are left as they are."""
    parents = []
    folder = posixpath.dirname(path.lstrip("/"))
    while folder.count("/") >= 1:
        parents.append(folder)
        folder = posixpath.dirname(folder)
    return parents
