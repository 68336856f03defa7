"""What the Docker daemon says of itself, as checks ask for it."""

from __future__ import annotations

from typing import Any

from devenv.checks.facts import ContainerFacts, DaemonInfo, DaemonUse
from devenv.images.daemon import address, docker_client, translate
from devenv.images.registry import MANAGED


class DockerFacts:
    """The local Docker daemon."""

    def address(self) -> str:
        """Where it is looked for."""
        return address()

    def info(self) -> DaemonInfo:
        """What it says of itself. ToolError docker-missing, docker-not-running."""
        with translate("ask the daemon about itself"):
            info: dict[str, Any] = docker_client().info()
        return DaemonInfo(
            version=str(info.get("ServerVersion", "")),
            memory=int(info.get("MemTotal", 0)),
            cpus=int(info.get("NCPU", 0)),
            cgroup=int(info.get("CgroupVersion") or 0),
            root=str(info.get("DockerRootDir", "")),
            system=str(info.get("OperatingSystem", "")),
        )

    def usage(self) -> DaemonUse:
        """What it keeps on its disk."""
        with translate("ask the daemon what it keeps"):
            told: dict[str, Any] = docker_client().df()
        cache = sum(int(entry.get("Size") or 0) for entry in told.get("BuildCache") or ())
        containers = sum(int(entry.get("SizeRw") or 0) for entry in told.get("Containers") or ())
        # -1 stands for a size that is not known.
        volumes = [int((entry.get("UsageData") or {}).get("Size") or 0) for entry in told.get("Volumes") or ()]
        layers = int(told.get("LayersSize") or 0)
        return DaemonUse(layers + containers + sum(size for size in volumes if size > 0) + cache, cache)

    def find_container(self, name: str) -> ContainerFacts | None:
        """A container by its name, running or not."""
        with translate(f"look for {name}"):
            found = docker_client().api.containers(all=True, filters={"name": f"^/?{name}$"})
        if not found:
            return None
        ports = [int(port["PublicPort"]) for port in found[0].get("Ports") or () if port.get("PublicPort")]
        ours = (found[0].get("Labels") or {}).get(MANAGED) == "true"
        return ContainerFacts(found[0]["State"] == "running", ours, tuple(ports))
