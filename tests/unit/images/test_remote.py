"""Registries are small HTTP servers of the test's, which ask for a login in each of the ways there are."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from devenv.images.remote import Login, Places, ask
from devenv.ports import ImageConfig

USER = {"username": "me", "password": "se:cret"}
BASIC = f"Basic {base64.b64encode(b'me:se:cret').decode()}"


def image(repository: str, arch: str, word: str) -> dict[str, Any]:
    """The documents of an image that is there under the tag 1 and its digest."""
    manifest = {"config": {"digest": f"sha256:c-{arch}"}}
    config = {"architecture": arch, "config": {"Entrypoint": ["/run"], "Cmd": [word]}}
    base = f"/v2/{repository}"
    return {
        f"{base}/manifests/1": manifest,
        f"{base}/manifests/sha256:m-{arch}": manifest,
        f"{base}/blobs/sha256:c-{arch}": config,
    }


class Registry:
    """Documents by path; `guard` says which header a request must have, and what is answered to one without."""

    def __init__(self) -> None:
        self.documents: dict[str, Any] = {}
        self.guard: tuple[str, str] | None = None
        self.redirects: dict[str, str] = {}
        self.seen: list[tuple[str, str, str]] = []
        registry = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:  # noqa: N802 - the library's name
                registry._answer(self)

            def do_POST(self) -> None:  # noqa: N802 - the library's name
                registry._answer(self)

            def log_message(self, *arguments: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.server.server_port}"

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        length = int(request.headers.get("Content-Length") or 0)
        authorization = request.headers.get("Authorization") or ""
        self.seen.append((request.path, authorization, request.rfile.read(length).decode()))
        path = request.path.partition("?")[0]
        wanted = self.guard and path.startswith("/v2/") and authorization != self.guard[0]
        found = self.documents.get(path)
        code = 401 if wanted else 307 if path in self.redirects else 404 if found is None else 200
        request.send_response(found if isinstance(found, int) else code)
        if wanted and self.guard:
            request.send_header("WWW-Authenticate", self.guard[1])
        if path in self.redirects:
            request.send_header("Location", self.redirects[path])
        request.end_headers()
        request.wfile.write(json.dumps(found).encode())


@pytest.fixture
def start() -> Iterator[Callable[[], Registry]]:
    running: list[tuple[Registry, threading.Thread]] = []

    def start() -> Registry:
        registry = Registry()
        thread = threading.Thread(target=registry.server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        running.append((registry, thread))
        return registry

    yield start
    for registry, thread in running:
        registry.server.shutdown()
        thread.join()
        registry.server.server_close()


Start = Callable[[], Registry]


def wanted(word: str, arch: str = "amd64") -> ImageConfig:
    return ImageConfig(("/run",), (word,), architecture=arch)


def look(
    registry: Registry, name: str = "acme/web:1", *, login: Login | None = None, arch: str = "amd64"
) -> ImageConfig:
    return ask(f"{registry.host}/{name}", Places({}, login=login), arch=arch)


def test_an_open_registry(start: Start) -> None:
    registry = start()
    registry.documents = image("acme/web", "amd64", "a")
    assert look(registry) == wanted("a")
    assert look(registry, "acme/web@sha256:m-amd64") == wanted("a")


def test_of_several_platforms_the_wanted_one(start: Start) -> None:
    registry = start()
    entries = [
        {"digest": "sha256:att", "platform": {"os": "unknown", "architecture": "unknown"}},
        {"digest": "sha256:w", "platform": {"os": "windows", "architecture": "arm64"}},
        *(
            {"digest": f"sha256:m-{arch}", "platform": {"os": "linux", "architecture": arch}}
            for arch in ("amd64", "arm64")
        ),
    ]
    registry.documents = image("a", "amd64", "x") | image("a", "arm64", "y")
    registry.documents["/v2/a/manifests/2"] = {"manifests": entries}
    assert look(registry, "a:2", arch="arm64") == wanted("y", "arm64")
    assert look(registry, "a:2", arch="amd64") == wanted("x", "amd64")
    # One that is only there for another processor says so.
    assert look(registry, "a:2", arch="s390x").architecture == "amd64"


def test_the_mirror_comes_first_with_its_prefix_and_gets_no_login(start: Start) -> None:
    mirror, registry = start(), start()
    mirror.documents = image("prefix/acme/web", "amd64", "mirrored")
    mirrors = {registry.host: f"http://{mirror.host}/prefix"}
    assert ask(f"{registry.host}/acme/web:1", Places(mirrors, login=USER), arch="amd64") == wanted("mirrored")
    assert registry.seen == []
    assert {authorization for _, authorization, _ in mirror.seen} == {""}


@pytest.mark.parametrize("answer", [500, None, []], ids=["broken", "not there", "no document"])
def test_behind_a_mirror_that_has_nothing_comes_the_registry(start: Start, answer: Any) -> None:
    mirror, registry = start(), start()
    mirror.documents = {} if answer is None else {"/v2/acme/web/manifests/1": answer}
    registry.documents = image("acme/web", "amd64", "a")
    mirrors = {registry.host: f"http://{mirror.host}"}
    assert ask(f"{registry.host}/acme/web:1", Places(mirrors), arch="amd64") == wanted("a")


def test_basic_login(start: Start) -> None:
    registry = start()
    registry.documents = image("acme/web", "amd64", "a")
    registry.guard = (BASIC, 'Basic realm="x"')
    assert look(registry, login=USER) == wanted("a")
    assert look(registry).unknown == f"{registry.host} refuses those who are not logged in (docker login)"
    wrong = {"username": "me", "password": "wrong"}
    assert look(registry, login=wrong).unknown == f"{registry.host} refuses your docker login"


def challenge(registry: Registry) -> str:
    return f'Bearer realm="http://{registry.host}/token",service="reg",scope="repository:acme/web:pull"'


@pytest.mark.parametrize("key", ["token", "access_token"])
def test_bearer_login(start: Start, key: str) -> None:
    registry = start()
    registry.documents = image("acme/web", "amd64", "a") | {"/token": {key: "t0"}}
    registry.guard = ("Bearer t0", challenge(registry))
    assert look(registry, login=USER) == wanted("a")
    asked = next(seen for seen in registry.seen if seen[0].startswith("/token"))
    assert asked == ("/token?service=reg&scope=repository%3Aacme%2Fweb%3Apull", BASIC, "")
    registry.seen.clear()
    assert look(registry) == wanted("a")
    assert next(seen for seen in registry.seen if seen[0].startswith("/token"))[1] == ""


def test_bearer_login_with_an_identity_token(start: Start) -> None:
    registry = start()
    registry.documents = image("acme/web", "amd64", "a") | {"/token": {"access_token": "t1"}}
    registry.guard = ("Bearer t1", challenge(registry))
    assert look(registry, login={"identitytoken": "id"}) == wanted("a")
    body = next(seen for seen in registry.seen if seen[0] == "/token")[2]
    assert "grant_type=refresh_token&refresh_token=id" in body


def test_a_token_that_is_refused(start: Start) -> None:
    registry = start()
    registry.documents = {"/token": 403}
    registry.guard = ("Bearer t1", challenge(registry))
    assert look(registry).unknown == f"{registry.host} refuses those who are not logged in (docker login)"
    registry.guard = ("Bearer t1", "Negotiate")
    assert look(registry).unknown == f"{registry.host} asks for a login of an unknown kind"


def test_where_a_blob_leads_gets_no_login(start: Start) -> None:
    registry, store = start(), start()
    registry.documents = image("acme/web", "amd64", "a")
    blob = "/v2/acme/web/blobs/sha256:c-amd64"
    store.documents = {"/blob": registry.documents.pop(blob)}
    registry.redirects = {blob: f"http://{store.host}/blob"}
    registry.guard = (BASIC, "Basic")
    assert look(registry, login=USER) == wanted("a")
    assert store.seen == [("/blob", "", "")]


def test_what_nobody_has_is_told(start: Start) -> None:
    registry = start()
    assert look(registry) == ImageConfig((), (), unknown=f"{registry.host} has no such image")
    registry.documents = {"/v2/acme/web/manifests/1": 503}
    assert look(registry).unknown == f"{registry.host} answers 503"
    gone = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    port = gone.server_port
    gone.server_close()
    found = ask(f"127.0.0.1:{port}/a", Places({}), arch="arm64")
    assert found.architecture == "arm64"
    assert found.unknown.startswith(f"127.0.0.1:{port} can't be asked (")
