from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devenv.config.load import load_layers
from devenv.config.model import Environment
from devenv.errors import UsageError
from devenv.session.control import ControlClient, ControlServer, checked, find_session
from devenv.session.forwards.forward_requests import ForwardRequests
from devenv.session.forwards.forward_targets import Wish, find_forwards, parse_wish, resolve
from devenv.session.forwards.forwarding import Forward, Forwarder, Target
from devenv.session.forwards.local_ports import Remembered, address_of
from tests.fakes.kube import FakePods

SHOP = """\
name: shop
services:
  orders: {image: acme/orders, ports: {http: 8000, admin: 9000}}
  worker: {image: acme/worker}
"""
PROFILE = """\
include: [postgres]
dependencies:
  payments: {stub: {wiremock: ../stubs, ports: {http: 8080}}}
  bare: {real: {image: acme/bare}}
  mail: {mode: "off", real: {image: acme/mail, ports: {smtp: 25}}}
"""


@pytest.fixture
def shop(tmp_path: Path) -> Environment:
    (tmp_path / "devenv.yaml").write_text(SHOP)
    (tmp_path / "profiles").mkdir()
    (tmp_path / "stubs" / "mappings").mkdir(parents=True)
    (tmp_path / "profiles/default.yaml").write_text(PROFILE)
    return load_layers(tmp_path / "devenv.yaml", start=tmp_path, profiles=(), modes={}).environment


@pytest.mark.parametrize(
    ("words", "wish"),
    [
        (("postgres", "15432:5432"), Wish("postgres", "5432", 15432)),
        (("postgres", "5432"), Wish("postgres", "5432")),
        (("postgres:5432", None), Wish("postgres", "5432")),
        (("postgres:5432", "15432"), Wish("postgres", "5432", 15432)),
        (("postgres:5432", "15432:5432"), Wish("postgres", "5432", 15432)),
        (("orders", "8001:http"), Wish("orders", "http", 8001)),
        (("orders", ":http"), Wish("orders", "http", 0)),
        (("redis", None), Wish("redis")),
    ],
)
def test_words_are_a_wish(words: tuple[str, str | None], wish: Wish) -> None:
    assert parse_wish(*words) == wish


@pytest.mark.parametrize(
    "words", [("postgres", "x:5432"), ("postgres:1", "2:3"), ("orders", "70000:80"), ("orders", "8²:80")]
)
def test_what_is_no_local_port_is_said(words: tuple[str, str]) -> None:
    with pytest.raises(UsageError, match="is not a port") as caught:
        parse_wish(*words)
    assert caught.value.code == "forward-port"


def test_wishes_lead_to_pods(shop: Environment) -> None:
    assert resolve(shop, Wish("orders", "admin")) == Target("orders", "admin", 9000, "orders", 9000)
    assert resolve(shop, Wish("orders", "9000")) == Target("orders", "admin", 9000, "orders", 9000)
    assert resolve(shop, Wish("worker", "6060")) == Target("worker", "6060", 6060, "worker", 6060)
    assert resolve(shop, Wish("orders", "5678")) == Target("orders", "5678", 5678, "orders", 5678)
    assert resolve(shop, Wish("bare", "99")) == Target("bare", "99", 99, "bare", 99)
    assert resolve(shop, Wish("postgres")).port == 5432
    assert resolve(shop, Wish("payments")) == Target("payments", "http", 8080, "devenv-stubs", 8080)


@pytest.mark.parametrize(
    ("wish", "code", "said"),
    [
        (Wish("ordres"), "name-unknown", 'did you mean "orders"'),
        (Wish("mail"), "name-unknown", "mail"),
        (Wish("orders", "htpp"), "forward-port-unknown", 'did you mean "http"'),
        (Wish("orders"), "forward-port-unknown", "orders has no port '?'"),
        (Wish("postgres", "99"), "forward-port-unknown", "postgres has no port '99'"),
        (Wish("payments", "9090"), "forward-port-unknown", "payments has no port '9090'"),
        (Wish("worker", "0"), "forward-port-unknown", "worker"),
    ],
)
def test_wishes_that_lead_nowhere_are_told_with_the_nearest(
    shop: Environment, wish: Wish, code: str, said: str
) -> None:
    with pytest.raises(UsageError) as caught:
        resolve(shop, wish)
    assert (caught.value.code, said in caught.value.message) == (code, True), caught.value.message


def test_forwards_are_found_by_name_port_and_local_port() -> None:
    http, admin = Forward("orders", "http", 8000, 8001), Forward("orders", "admin", 9000, 9000)
    sql = Forward("postgres", "sql", 5432, 15432, added=True)
    every = [http, admin, sql]
    assert find_forwards(every, "orders") == [http, admin]
    assert find_forwards(every, "orders:http") == find_forwards(every, "orders:8000") == [http]
    assert find_forwards(every, "15432") == find_forwards(every, "postgres:15432") == [sql]
    with pytest.raises(UsageError, match="did you mean") as caught:
        find_forwards(every, "postgers")
    assert caught.value.code == "forward-unknown"


def test_an_address_tells_what_answers_there() -> None:
    assert address_of({"name": "grpc", "local": 9000}) == "http://127.0.0.1:9000"
    assert address_of({"name": "sql", "local": 15432, "added": True}) == "127.0.0.1:15432"


class Served:
    """A session's forwards, asked over its socket."""

    def __init__(self, shop: Environment, folder: Path) -> None:
        self.stop = threading.Event()
        self.remembered = folder / "shop.ports"
        self._shop, self._path = shop, folder / "s.sock"
        self.start()

    def start(self) -> None:
        remembered = Remembered(self.remembered)
        self.forwarder = Forwarder(
            FakePods(),
            "shop",
            find_pod=lambda unit, timeout: f"{unit}-1",
            settle=lambda unit: None,
            stop=self.stop,
            remembered=remembered,
        )
        requests = ForwardRequests(self._shop, self.forwarder)
        requests.restore(remembered)
        self._server = ControlServer(self._path, requests.handlers)
        client = find_session(self._path)
        assert client
        self._client: ControlClient = client

    def ask(self, op: str, **parameters: Any) -> Any:
        return checked(self._client.ask(op, **parameters))

    def end(self) -> None:
        self._client.close()
        self._server.close()
        self.forwarder.close()


@pytest.fixture
def served(shop: Environment, tmp_path: Path) -> Iterator[Served]:
    served = Served(shop, tmp_path)
    yield served
    served.stop.set()
    served.end()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_forwards_are_added_listed_and_stopped(served: Served) -> None:
    local = free_port()
    answer = served.ask("forward-add", name="postgres", port="5432", local=local)
    assert (answer["forward"]["local"], answer["there"]) == (local, False)
    assert served.ask("forward-add", name="postgres", port="", local=None)["there"] is True
    (listed,) = served.ask("forward-list")["forwards"]
    assert (listed["unit"], listed["pod"], listed["state"], listed["added"]) == ("postgres", "postgres-1", "up", True)
    assert len(served.ask("forward-stop", what=str(local))["stopped"]) == 1
    assert served.ask("forward-list")["forwards"] == []


def test_a_stub_is_asked_by_its_name(served: Served) -> None:
    forward = served.ask("forward-add", name="payments", local=free_port())["forward"]
    assert address_of(forward) == f"http://payments.localhost:{forward['local']}"


def test_what_was_added_is_there_in_the_next_session(served: Served) -> None:
    local = free_port()
    served.ask("forward-add", name="postgres", port="5432", local=local)
    served.end()
    served.start()
    assert [f["local"] for f in served.ask("forward-list")["forwards"]] == [local]


def test_an_error_of_the_session_is_the_same_error_for_who_asked(served: Served) -> None:
    with pytest.raises(UsageError, match='did you mean "postgres"') as caught:
        served.ask("forward-add", name="postgers")
    assert (caught.value.code, caught.value.exit_code) == ("name-unknown", 2)
    assert "payments" in caught.value.hint
    with pytest.raises(UsageError, match="there is no forward 'x'"):
        served.ask("forward-stop", what="x")
