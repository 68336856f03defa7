"""What prebuilt images start: asked of registries, with what the Docker daemon and the docker command know of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from devenv.errors import ToolError
from devenv.images.daemon import docker_client, translate
from devenv.images.references import HUB, parse
from devenv.images.registry_api import read_config
from devenv.images.remote import Login, Places, ask
from devenv.ports import ImageConfig

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def look_up(image: str, mirrors: Mapping[str, str]) -> ImageConfig:
    """What an image starts, of several platforms that of the daemon's; where no registry can be asked, the daemon's own
    copy. Its `unknown` says why it is not known. ToolError docker-not-running."""
    with translate("ask the daemon about itself"):
        info: dict[str, Any] = docker_client().info()
    machine = str(info.get("Architecture", ""))
    of_daemon = (info.get("RegistryConfig") or {}).get("Mirrors") or ()
    login, trouble = _login(parse(image).registry)
    reached = {registry: _from_here(mirror) for registry, mirror in mirrors.items()}
    found = ask(image, Places(reached, of_daemon, login), arch=ARCHITECTURES.get(machine, machine))
    if found.unknown:
        return _own_copy(image) or (replace(found, unknown=f"{found.unknown}; {trouble}") if trouble else found)
    return found


def _own_copy(image: str) -> ImageConfig | None:
    import docker.errors

    with translate(f"inspect {image}"):
        try:
            attributes = docker_client().images.get(image).attrs
        except docker.errors.ImageNotFound:
            return None
    return read_config(attributes.get("Config") or {}, attributes.get("Architecture"))


def _login(registry: str) -> tuple[Login | None, str]:
    """The user's login for a registry, and what is the matter with it."""
    import docker.auth

    try:
        with translate(f"look for a login of {registry}"):
            found = docker.auth.load_config().resolve_authconfig(None if registry == HUB else registry)
    except ToolError as error:
        return None, error.message
    return {key.lower(): value for key, value in (found or {}).items() if isinstance(value, str)} or None, ""


def _from_here(mirror: str) -> str:
    """A mirror's URL as this machine reaches it: the nodes may know it by the name of a container beside them."""
    import docker.errors

    parts = urlsplit(mirror)
    host, port = parts.hostname or "", parts.port or 80
    if "." in host or host == "localhost":
        return mirror
    with translate(f"look for the mirror {host}"):
        try:
            network = docker_client().containers.get(host).attrs["NetworkSettings"]
        except docker.errors.NotFound:
            return mirror
    published = (network["Ports"] or {}).get(f"{port}/tcp") or []
    own = [settings["IPAddress"] for settings in network["Networks"].values() if settings["IPAddress"]]
    if published:
        address = f"127.0.0.1:{published[0]['HostPort']}"
    elif own:
        address = f"{own[0]}:{port}"
    else:
        return mirror
    return parts._replace(netloc=address).geturl()
