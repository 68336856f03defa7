"""Over real HTTP, to a server of the test's own."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from devenv.errors import ClusterError
from devenv.kube.connection import KubeConnection, connect
from devenv.kube.dialing import proxy_options
from devenv.ports import Access, Ref

PATIENCE = 20.0


@dataclass
class Api:
    """Scripted answers by method and path; what was asked, with headers and body."""

    answers: dict[str, tuple[int, Any]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)
    lines: list[bytes] = field(default_factory=list)
    hold: threading.Event = field(default_factory=threading.Event)
    port: int = 0

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        size = int(request.headers.get("content-length") or 0)
        body = json.loads(request.rfile.read(size)) if size else None
        self.asked.append((f"{request.command} {request.path}", dict(request.headers), body))
        if "/log" in request.path:
            self._stream(request)
            return
        status, value = self.answers.get(f"{request.command} {request.path.partition('?')[0]}", (404, {}))
        data = json.dumps(value).encode()
        request.send_response(status)
        request.send_header("content-length", str(len(data)))
        request.end_headers()
        request.wfile.write(data)

    def _stream(self, request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("transfer-encoding", "chunked")
        request.end_headers()
        for chunk in self.lines:
            request.wfile.write(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
        if "follow" in request.path:
            assert self.hold.wait(PATIENCE)
            request.close_connection = True
        else:
            request.wfile.write(b"0\r\n\r\n")


@pytest.fixture
def api() -> Iterator[Api]:
    api = Api()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            api.handle(self)

        do_GET = do_PATCH = do_DELETE = handle_any  # noqa: N815 - named by http.server

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    api.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield api
    api.hold.set()
    server.shutdown()
    server.server_close()
    thread.join(PATIENCE)


def write_kubeconfig(folder: Path, port: int) -> Path:
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [{"name": "u", "user": {"token": "secret"}}],
        "contexts": [{"name": "dev", "context": {"cluster": "c", "user": "u"}}],
    }
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(config))
    return path


@pytest.fixture
def kube(api: Api, tmp_path: Path) -> KubeConnection:
    return connect(Access("dev", write_kubeconfig(tmp_path, api.port)))


def test_a_missing_context_is_told(tmp_path: Path) -> None:
    with pytest.raises(ClusterError) as told:
        connect(Access("other", write_kubeconfig(tmp_path, 1)))
    assert told.value.code == "cluster-missing"
    assert "other" in told.value.details[0]


def test_the_kubeconfig_of_the_environment_is_taken_where_none_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(write_kubeconfig(tmp_path, 6443)))
    kube = connect(Access("dev"))
    assert (kube.context, kube.server) == ("dev", "http://127.0.0.1:6443")


def test_a_server_that_is_not_there_is_unreachable(tmp_path: Path) -> None:
    kube = connect(Access("dev", write_kubeconfig(tmp_path, 1)))
    with pytest.raises(ClusterError) as told:
        kube.uid()
    assert told.value.code == "cluster-unreachable"
    with pytest.raises(ClusterError) as told:
        kube.pods.exec("shop", "orders-1", "orders", ["true"])
    assert told.value.code == "cluster-unreachable"


def test_apply_is_forced_as_devenv_with_the_token(api: Api, kube: KubeConnection) -> None:
    path = "/api/v1/namespaces/shop/configmaps/files"
    api.answers[f"PATCH {path}"] = (200, {"stored": True})
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "files", "namespace": "shop"}}
    assert kube.objects.apply(obj) == {"stored": True}
    line, headers, body = api.asked[0]
    assert line == f"PATCH {path}?fieldManager=devenv&force=true"
    assert headers["Content-Type"] == "application/apply-patch+yaml"
    assert headers["authorization"] == "Bearer secret"
    assert body == obj


def test_a_refusal_is_told_in_the_apis_words(api: Api, kube: KubeConnection) -> None:
    api.answers["GET /api/v1/namespaces/shop/pods"] = (403, {"kind": "Status", "message": "pods is forbidden"})
    with pytest.raises(ClusterError) as told:
        kube.objects.select("v1", "Pod", namespace="shop")
    assert told.value.message == "the cluster refused to list pod objects: pods is forbidden"


def test_a_kind_that_is_not_there_has_no_objects(api: Api, kube: KubeConnection) -> None:
    ref = Ref("example.com/v1", "Widget", "a", "shop")
    assert kube.objects.find(ref) is None
    assert kube.objects.delete(ref) is False
    with pytest.raises(ClusterError, match="no kind Widget in example.com/v1"):
        kube.objects.select("example.com/v1", "Widget")


def test_the_identity_of_a_cluster(api: Api, kube: KubeConnection) -> None:
    api.answers["GET /api/v1/namespaces/kube-system"] = (200, {"metadata": {"uid": "1-2"}})
    assert kube.uid() == "1-2"


def test_a_websocket_that_is_refused_says_why(api: Api, kube: KubeConnection) -> None:
    api.answers["GET /api/v1/namespaces/shop/pods/x/exec"] = (404, {"message": 'pods "x" not found'})
    with pytest.raises(ClusterError) as told:
        kube.pods.exec("shop", "x", "orders", ["ls", "-l"], stdin=True, tty=True)
    assert told.value.message == 'the cluster refused to run ls in pod/x: pods "x" not found'
    line, headers, _ = api.asked[0]
    assert line.partition("?")[2] == "command=ls&command=-l&container=orders&stdin=true&stdout=true&tty=true"
    assert headers["Sec-WebSocket-Protocol"] == "v5.channel.k8s.io,v4.channel.k8s.io"
    assert headers["authorization"] == "Bearer secret"


def test_log_lines_come_whole_and_odd_bytes_do_no_harm(api: Api, kube: KubeConnection) -> None:
    api.lines = [b"on", b"e\ntwo\n\n", b"\xff\nlast"]
    assert list(kube.pods.logs("shop", "x", "c", tail=5, since=0)) == ["one", "two", "", "\ufffd", "last"]
    assert api.asked[0][0].partition("?")[2] == "container=c&tailLines=5&sinceSeconds=1"


def test_stop_ends_a_log_that_is_followed(api: Api, kube: KubeConnection) -> None:
    stop = threading.Event()
    api.lines = [b"one\nha"]
    lines = kube.pods.logs("shop", "x", "c", follow=True, stop=stop)
    assert next(lines) == "one"
    stop.set()
    # The server holds the connection: only `stop` can have ended it.
    assert list(lines) == []
    assert not api.hold.is_set()


def test_a_log_whose_connection_is_lost_is_told(api: Api, kube: KubeConnection) -> None:
    api.lines = [b"one\n"]
    lines = kube.pods.logs("shop", "x", "c", follow=True)
    assert next(lines) == "one"
    api.hold.set()
    with pytest.raises(ClusterError) as told:
        next(lines)
    assert told.value.code == "cluster-unreachable"


def make_configuration(proxy: str | None, no_proxy: str | None = None) -> SimpleNamespace:
    return SimpleNamespace(proxy=proxy, no_proxy=no_proxy)


def test_proxies_are_those_of_the_client() -> None:
    assert proxy_options(make_configuration(None, "x")) == {}
    options = proxy_options(make_configuration("http://me:p%40ss@proxy:3128", "localhost, 10.0.0.0/8"))
    assert options == {
        "http_proxy_host": "proxy",
        "http_proxy_port": 3128,
        "http_no_proxy": ["localhost", "10.0.0.0/8"],
        "http_proxy_auth": ("me", "p@ss"),
    }
    assert proxy_options(make_configuration("socks5://proxy:1080"))["proxy_type"] == "socks5"
