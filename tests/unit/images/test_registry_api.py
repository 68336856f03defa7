"""The registry is a small HTTP server of the test's."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from devenv.images.registry_api import find_config
from devenv.ports import ImageConfig

CONFIG = {"config": {"Entrypoint": ["/run"], "Cmd": ["a", "b"], "User": "app", "WorkingDir": "/srv"}}
IMAGE = ImageConfig(("/run",), ("a", "b"), "app", "/srv")
MANIFEST = {"config": {"digest": "sha256:c"}}
INDEX = {
    "manifests": [
        {"digest": "sha256:att", "platform": {"os": "unknown", "architecture": "unknown"}},
        {"digest": "sha256:m", "platform": {"os": "linux", "architecture": "amd64"}},
    ]
}


class Registry:
    """Documents by path; a string is sent as it is."""

    def __init__(self) -> None:
        self.documents: dict[str, Any] = {}
        self.accepted: list[str] = []
        registry = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:  # noqa: N802 - the library's name
                registry.accepted.append(self.headers["Accept"])
                found = registry.documents.get(self.path)
                self.send_response(404 if found is None else 200)
                self.end_headers()
                self.wfile.write((found if isinstance(found, str) else json.dumps(found)).encode())

            def log_message(self, *arguments: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port


@pytest.fixture
def registry() -> Iterator[Registry]:
    registry = Registry()
    thread = threading.Thread(target=registry.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield registry
    registry.server.shutdown()
    thread.join()
    registry.server.server_close()


def test_the_config_of_a_manifest_is_read(registry: Registry) -> None:
    registry.documents = {"/v2/shop-web/manifests/1": MANIFEST, "/v2/shop-web/blobs/sha256:c": CONFIG}
    assert find_config(registry.port, "shop-web:1") == IMAGE
    assert "application/vnd.oci.image.index.v1+json" in registry.accepted[0]
    assert "application/vnd.docker.distribution.manifest.v2+json" in registry.accepted[0]


def test_an_index_leads_to_its_image_not_to_its_attestation(registry: Registry) -> None:
    registry.documents = {
        "/v2/shop-web/manifests/1": INDEX,
        "/v2/shop-web/manifests/sha256:m": MANIFEST,
        "/v2/shop-web/blobs/sha256:c": CONFIG,
    }
    assert find_config(registry.port, "shop-web:1") == IMAGE


@pytest.mark.parametrize(
    "documents",
    [
        {},
        {"/v2/shop-web/manifests/1": MANIFEST},
        {"/v2/shop-web/manifests/1": "<html>"},
        {"/v2/shop-web/manifests/1": []},
        {"/v2/shop-web/manifests/1": {"schemaVersion": 1}},
    ],
    ids=["no image", "no config", "not JSON", "a list", "schema 1"],
)
def test_what_is_not_there_or_no_image_is_none(registry: Registry, documents: dict[str, Any]) -> None:
    registry.documents = documents
    assert find_config(registry.port, "shop-web:1") is None


def test_an_image_that_says_nothing_is_empty(registry: Registry) -> None:
    registry.documents = {"/v2/a/manifests/1": MANIFEST, "/v2/a/blobs/sha256:c": {"config": None}}
    assert find_config(registry.port, "a:1") == ImageConfig((), ())


def test_no_registry_is_none(registry: Registry) -> None:
    unused = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    port = unused.server_port
    unused.server_close()
    assert find_config(port, "shop-web:1") is None
