"""The registry container beside the cluster."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from devenv import problems
from devenv.config.model import Settings
from devenv.errors import Refused, ToolError
from devenv.images.daemon import docker_client, translate

if TYPE_CHECKING:
    from docker.models.containers import Container

MANAGED = "dev.devenv/managed"
MADE_NETWORK = "dev.devenv/made-network"
INSIDE_PORT = "5000/tcp"


class DockerRegistry:
    """One registry container: its name, port and image come from the settings.

    `holder` says who listens on a port of this machine.
    """

    def __init__(self, settings: Settings, *, holder: Callable[[int], str]) -> None:
        self._settings = settings
        self._holder = holder

    def _find(self) -> Container | None:
        import docker.errors

        with translate("look for the registry"):
            try:
                container = docker_client().containers.get(self._settings.registry_name)
            except docker.errors.NotFound:
                return None
        if container.labels.get(MANAGED) != "true":
            raise Refused(problems.REGISTRY_FOREIGN, name=self._settings.registry_name)
        return container

    def ensure(self, *, network: str) -> list[str]:
        """Create, start or attach what is missing; a sentence for each thing done."""
        done = []
        container = self._find()
        if container and not self._fits(container):
            with translate("replace the registry"):
                container.remove(force=True, v=True)
            container = None
            done.append("replaced: its port had changed")
        if container is None:
            container = self._create(network)
            done.append("created")
        if container.status != "running":
            self._start(container)
            done += [] if "created" in done else ["started"]
        if network not in (container.attrs["NetworkSettings"]["Networks"] or {}):
            with translate("attach the registry"):
                docker_client().networks.get(network).connect(container)
            done += [] if "created" in done else [f"attached to {network}"]
        return done

    def _fits(self, container: Container) -> bool:
        bindings = (container.attrs["HostConfig"].get("PortBindings") or {}).get(INSIDE_PORT) or []
        return any(b.get("HostPort") == str(self._settings.registry_port) for b in bindings)

    def _create(self, network: str) -> Container:
        import docker.errors

        settings = self._settings
        client = docker_client()
        with translate("create the registry"):
            try:
                client.images.get(settings.registry_image)
            except docker.errors.ImageNotFound:
                self._pull()
            return client.containers.create(
                settings.registry_image,
                name=settings.registry_name,
                ports={INSIDE_PORT: ("127.0.0.1", settings.registry_port)},
                labels={MANAGED: "true", MADE_NETWORK: self._came_with(network)},
                restart_policy={"Name": "unless-stopped"},  # type: ignore[arg-type]
                environment={"REGISTRY_STORAGE_DELETE_ENABLED": "true", "OTEL_TRACES_EXPORTER": "none"},
            )

    def _came_with(self, network: str) -> str:
        """Whether only our own cluster's nodes are on the network, which then goes with them."""
        own = re.compile(re.escape(self._settings.cluster) + r"-(control-plane|worker)\d*")
        return "true" if all(own.fullmatch(name) for name in _attached(network)) else "false"

    def _pull(self) -> None:
        import docker.errors

        image = self._settings.registry_image
        try:
            docker_client().images.pull(image)
        except docker.errors.APIError as error:
            details = [str(error.explanation or error)]
            raise ToolError(problems.IMAGE_PULL_FAILED, name="the registry", image=image, details=details) from error

    def _start(self, container: Container) -> None:
        import docker.errors

        with translate("start the registry"):
            try:
                container.start()
                container.reload()
            except docker.errors.APIError as error:
                text = str(error.explanation or "")
                if "port is already allocated" not in text and "address already in use" not in text:
                    raise
                if container.attrs["State"]["Status"] == "created":
                    container.remove(force=True, v=True)
                port = self._settings.registry_port
                raise ToolError(
                    problems.PORT_TAKEN,
                    port=port,
                    holder=self._holder(port),
                    where="registry: {port: ...} in the settings",
                ) from error

    def remove(self) -> bool:
        """Remove the container with its volumes, and its network if devenv's cluster brought that; True if it was."""
        container = self._find()
        if container is None:
            return False
        made_network = container.labels.get(MADE_NETWORK) == "true"
        networks = list(container.attrs["NetworkSettings"]["Networks"] or {})
        with translate("remove the registry"):
            container.remove(force=True, v=True)
            for name in networks if made_network else []:
                _remove_if_empty(name)
        return True


def _attached(network: str) -> list[str]:
    """The containers of a network, stopped ones too: they can't start again without it."""
    found = docker_client().api.containers(all=True, filters={"network": network})
    return [item["Names"][0].lstrip("/") for item in found]


def _remove_if_empty(network: str) -> None:
    import docker.errors

    if network == "bridge" or _attached(network):
        return
    # Somebody may have joined it or removed it just now; then there is nothing to tidy up.
    with suppress(docker.errors.APIError):
        docker_client().networks.get(network).remove()
