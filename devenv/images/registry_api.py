"""Asks the local registry for an image's config (OCI distribution API, schema 2 and OCI manifests)."""

from __future__ import annotations

import http.client
import json
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


def find_config(port: int, image: str) -> ImageConfig | None:
    """What an image in the registry on 127.0.0.1:`port` starts; None where it (or the registry) is not there."""
    repository, _, tag = image.rpartition(":")
    try:
        manifest = _manifest(port, repository, tag)
        digest = (manifest or {}).get("config", {}).get("digest")
        document = _fetch(port, f"/v2/{repository}/blobs/{digest}") if digest else None
    except (OSError, http.client.HTTPException, ValueError):
        return None
    return read_config(document.get("config") or {}) if document else None


def _manifest(port: int, repository: str, reference: str) -> dict[str, Any] | None:
    found = _fetch(port, f"/v2/{repository}/manifests/{reference}")
    # An index lists one manifest a platform, and attestations, which have the platform "unknown".
    for entry in (found or {}).get("manifests", []):
        if entry.get("platform", {}).get("os") != "unknown":
            return _fetch(port, f"/v2/{repository}/manifests/{entry['digest']}")
    return found


def _fetch(port: int, path: str) -> dict[str, Any] | None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", path, headers={"Accept": ACCEPT})
        answer = connection.getresponse()
        value = json.loads(answer.read()) if answer.status == 200 else None
    finally:
        connection.close()
    return value if isinstance(value, dict) else None


def read_config(config: dict[str, Any]) -> ImageConfig:
    """The part of an image's config that says what it starts."""
    return ImageConfig(
        entrypoint=tuple(config.get("Entrypoint") or ()),
        command=tuple(config.get("Cmd") or ()),
        user=config.get("User") or "",
        workdir=config.get("WorkingDir") or "",
    )
