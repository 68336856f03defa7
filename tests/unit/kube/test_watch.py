from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import ProtocolError

from devenv.kube.kinds import KINDS
from devenv.kube.watching import Watch
from devenv.ports import Object

POD = KINDS["v1", "Pod"]


def pod(name: str, *, version: int = 1, uid: str = "") -> Object:
    metadata = {"name": name, "namespace": "shop", "resourceVersion": str(version), "uid": uid or name}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata}


def line(kind: str, obj: Object) -> bytes:
    return json.dumps({"type": kind, "object": obj}).encode() + b"\n"


class Answer:
    """A streamed answer: chunks, and maybe a failure at the end."""

    connection = None

    def __init__(self, *chunks: bytes | Exception) -> None:
        self._chunks = chunks
        self.closed = False

    def stream(self, size: int, *, decode_content: bool) -> Iterator[bytes]:
        for chunk in self._chunks:
            if isinstance(chunk, Exception):
                raise chunk
            yield chunk

    def close(self) -> None:
        self.closed = True

    def release_conn(self) -> None:
        assert self.closed


class FakeRest:
    """Scripted lists and streams; once they are used up, `stop` is set."""

    def __init__(self, *script: Object | Exception | Answer) -> None:
        self.stop = threading.Event()
        self.asked: list[tuple[str, dict[str, str]]] = []
        self._script = list(script)

    def call(self, method: str, path: str, *, query: Sequence[tuple[str, str]]) -> Any:
        return self._next("list", query)

    def open(self, path: str, *, query: Sequence[tuple[str, str]], read: float | None) -> Any:
        return self._next("watch", query)

    def _next(self, method: str, query: Sequence[tuple[str, str]]) -> Any:
        if not self._script:
            self.stop.set()
            raise ProtocolError("over")
        self.asked.append((method, dict(query)))
        answer = self._script.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def events(self, labels: str = "") -> list[tuple[str, str]]:
        watch = Watch(self, POD, namespace="shop", labels=labels, stop=self.stop)  # type: ignore[arg-type]
        return [(event.type, event.object["metadata"]["name"]) for event in watch.events()]

    @property
    def methods(self) -> list[str]:
        return [method for method, _ in self.asked]


def listing(*pods: Object, version: int = 1) -> Object:
    return {"metadata": {"resourceVersion": str(version)}, "items": list(pods)}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devenv.kube.watching.FIRST_DELAY", 0.001)


def test_what_is_there_then_each_change_in_whatever_pieces_it_comes() -> None:
    data = line("ADDED", pod("b", version=2)) + line("MODIFIED", pod("a", version=3)) + line("DELETED", pod("b"))
    rest = FakeRest(listing(pod("a")), Answer(data[:10], data[10:90], data[90:]))
    assert rest.events("app=orders") == [("ADDED", "a"), ("ADDED", "b"), ("MODIFIED", "a"), ("DELETED", "b")]
    assert rest.asked[0] == ("list", {"labelSelector": "app=orders"})
    assert rest.asked[1][1]["labelSelector"] == "app=orders"
    assert rest.asked[1][1]["resourceVersion"] == "1"


def test_after_the_servers_own_end_it_goes_on_from_where_it_was() -> None:
    bookmark = line("BOOKMARK", {"kind": "Pod", "metadata": {"resourceVersion": "9"}})
    rest = FakeRest(listing(pod("a")), Answer(bookmark), Answer(line("MODIFIED", pod("a", version=10))))
    assert rest.events() == [("ADDED", "a"), ("MODIFIED", "a")]
    assert rest.methods == ["list", "watch", "watch"]
    assert rest.asked[2][1]["resourceVersion"] == "9"


GONE = ApiException(status=410, reason="Gone")
EXPIRED = Answer(line("ERROR", {"kind": "Status", "code": 410, "message": "too old resource version"}))
LOST = Answer(line("ADDED", pod("b")), b'{"type": "ADD', ProtocolError("lost"))
CUT = Answer(line("ADDED", pod("b")), b'{"type": "ADD')


@pytest.mark.parametrize("end", [EXPIRED, GONE, LOST, CUT], ids=["expired", "gone", "lost", "cut off"])
def test_a_new_list_tells_what_vanished_and_all_that_is_there(end: Answer | Exception) -> None:
    between = [("ADDED", "b")] if end in (LOST, CUT) else []
    vanished = [("DELETED", "a"), *((("DELETED", "b"),) if between else ())]
    rest = FakeRest(listing(pod("a")), end, listing(pod("c"), version=5), Answer(line("DELETED", pod("c"))))
    assert rest.events() == [("ADDED", "a"), *between, *vanished, ("ADDED", "c"), ("DELETED", "c")]


def test_an_object_made_anew_under_its_old_name_was_deleted() -> None:
    rest = FakeRest(listing(pod("a", uid="1")), GONE, listing(pod("a", uid="2")))
    assert rest.events() == [("ADDED", "a"), ("DELETED", "a"), ("ADDED", "a")]


def test_it_waits_for_a_server_that_is_away() -> None:
    away = [ConnectionRefusedError(), ApiException(status=503), ApiException(status=429)]
    rest = FakeRest(listing(pod("a")), *away, listing(pod("a")))
    assert rest.events() == [("ADDED", "a"), ("ADDED", "a")]
    assert rest.methods == ["list", "watch", "list", "list", "list"]


@pytest.mark.parametrize("error", [ConnectionRefusedError(), ApiException(status=503)])
def test_a_first_list_that_fails_is_told(error: Exception) -> None:
    with pytest.raises(type(error)):
        FakeRest(error).events()


def test_an_answer_that_no_retry_betters_is_told() -> None:
    with pytest.raises(ApiException):
        FakeRest(listing(), ApiException(status=403)).events()


def test_nothing_is_asked_once_it_is_to_stop() -> None:
    rest = FakeRest(listing(pod("a")))
    rest.stop.set()
    assert rest.events() == []
    assert rest.asked == []
