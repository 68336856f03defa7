"""Names of images, and the addresses at which registries and their mirrors have them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

HUB = "docker.io"
HOSTS = {HUB: "https://registry-1.docker.io"}


@dataclass(frozen=True, slots=True)
class Reference:
    """An image by its registry ("docker.io"), its repository there ("library/redis") and its tag or digest."""

    registry: str
    repository: str
    version: str


def parse(image: str) -> Reference:
    """What a name of an image means: "redis", "acme/web:1", "ghcr.io/acme/web@sha256:...", "localhost:5001/web:1"."""
    name, _, digest = image.partition("@")
    path, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:
        path, tag = name, "latest"
    first, slash, rest = path.partition("/")
    if slash and (first == "localhost" or "." in first or ":" in first):
        registry, repository = HUB if first == "index.docker.io" else first, rest
    else:
        registry, repository = HUB, path
    if registry == HUB and "/" not in repository:
        repository = f"library/{repository}"
    return Reference(registry, repository, digest or tag)


def upstream(reference: Reference) -> str:
    """The URL of the image's repository at its registry."""
    host = HOSTS.get(reference.registry, f"{_scheme(reference.registry)}://{reference.registry}")
    return _below(host, reference.repository)


def mirrored(reference: Reference, mirrors: Mapping[str, str], of_daemon: Sequence[str]) -> list[str]:
    """The URLs of the image's repository at mirrors: the one that the cluster's nodes have (`mirrors` by registry), and
    those that the Docker daemon has of Docker Hub. A path in a mirror's URL is a prefix."""
    bases = [mirrors[reference.registry]] if reference.registry in mirrors else []
    bases += of_daemon if reference.registry == HUB else []
    return list(dict.fromkeys(_below(base, reference.repository) for base in bases))


def _below(base: str, repository: str) -> str:
    parts = urlsplit(base)
    path = "/".join(part for part in (parts.path.strip("/"), repository) if part)
    return f"{parts.scheme}://{parts.netloc}/v2/{path}"


def _scheme(registry: str) -> str:
    # As the Docker daemon does.
    host = registry.partition(":")[0]
    return "http" if host == "localhost" or host.startswith("127.") else "https"
