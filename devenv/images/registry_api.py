"""What a registry's documents say of an image (OCI distribution API, schema 2 and OCI manifests)."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from typing import Any

from devenv.ports import ImageConfig

TIMEOUT_SECONDS = 5
ACCEPT = ", ".join(
    (
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.index.v1+json",
    )
)

Document = dict[str, Any]
Fetch = Callable[[str], Document | None]
"""Gets a document below a repository ("manifests/1"); None where it is not there."""


def find_config(port: int, image: str) -> ImageConfig | None:
    """What an image in the registry on 127.0.0.1:`port` starts; None where it (or the registry) is not there."""
    repository, _, tag = image.rpartition(":")
    try:
        return config_of(lambda path: _fetch(port, f"/v2/{repository}/{path}"), tag)
    except (OSError, http.client.HTTPException, ValueError):
        return None


def config_of(fetch: Fetch, version: str, *, arch: str = "") -> ImageConfig | None:
    """The config of an image under a tag or digest, of an index that for `arch` (else its first); None without one."""
    manifest = _manifest(fetch, version, arch)
    digest = (manifest or {}).get("config", {}).get("digest")
    document = fetch(f"blobs/{digest}") if digest else None
    return read_config(document.get("config") or {}, document.get("architecture")) if document else None


def _manifest(fetch: Fetch, version: str, arch: str) -> Document | None:
    found = fetch(f"manifests/{version}")
    # An index lists one manifest a platform, and attestations, which have the platform "unknown".
    entries = [e for e in (found or {}).get("manifests", []) if e.get("platform", {}).get("os") not in _NO_IMAGE]
    fitting = [entry for entry in entries if entry.get("platform", {}).get("architecture") == arch]
    for entry in (*fitting, *entries):
        return fetch(f"manifests/{entry['digest']}")
    return found


_NO_IMAGE = ("unknown", "windows")


def _fetch(port: int, path: str) -> Document | None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", path, headers={"Accept": ACCEPT})
        answer = connection.getresponse()
        value = json.loads(answer.read()) if answer.status == 200 else None
    finally:
        connection.close()
    return value if isinstance(value, dict) else None


def read_config(config: Document, architecture: str | None) -> ImageConfig:
    """The part of an image's config that says what it starts."""
    return ImageConfig(
        entrypoint=tuple(config.get("Entrypoint") or ()),
        command=tuple(config.get("Cmd") or ()),
        user=config.get("User") or "",
        workdir=config.get("WorkingDir") or "",
        architecture=architecture or "amd64",
    )
