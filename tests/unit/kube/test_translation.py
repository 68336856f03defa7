from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import kubernetes.client.exceptions
import pytest
import urllib3.exceptions
import websocket

from devenv.errors import ClusterError
from devenv.kube.translation import is_connection, message_of, translate

UNREACHABLE = (
    urllib3.exceptions.PoolError,
    urllib3.exceptions.SSLError,
    urllib3.exceptions.ProxyError,
    urllib3.exceptions.ProtocolError,
    urllib3.exceptions.TimeoutError,
    urllib3.exceptions.IncompleteRead,
    urllib3.exceptions.InvalidChunkLength,
    websocket.WebSocketTimeoutException,
    websocket.WebSocketConnectionClosedException,
    websocket.WebSocketProxyException,
    websocket.WebSocketAddressException,
)
ROOTS = (
    urllib3.exceptions.HTTPError,
    kubernetes.client.exceptions.OpenApiException,
    websocket.WebSocketException,
)


def descendants(cls: type[Exception]) -> Iterator[type[Exception]]:
    if cls.__module__.partition(".")[0] in ("kubernetes", "urllib3", "websocket"):
        yield cls
    for child in cls.__subclasses__():
        yield from descendants(child)


def tell(error: Exception) -> ClusterError:
    with (
        pytest.raises(ClusterError) as told,
        translate("apply deployment/orders", context="kind-dev", server="https://127.0.0.1:6443"),
    ):
        raise error
    return told.value


EACH = sorted({cls for root in ROOTS for cls in descendants(root)}, key=lambda cls: (cls.__module__, cls.__name__))


@pytest.mark.parametrize("cls", EACH, ids=lambda cls: f"{cls.__module__}.{cls.__name__}")
def test_each_exception_of_the_libraries_is_told(cls: Any) -> None:
    # Their constructors are all different; what matters is the class.
    plain = {"__init__": lambda self: None, "__str__": lambda self: "went wrong", "status": None, "body": None}
    error = type(cls.__name__, (cls,), plain)()
    expected = "cluster-unreachable" if isinstance(error, UNREACHABLE) else "api-failed"
    assert tell(error).code == expected


@pytest.mark.parametrize("error", [ConnectionRefusedError(111, "refused"), TimeoutError("slow"), BrokenPipeError()])
def test_a_network_error_is_told_as_unreachable(error: OSError) -> None:
    told = tell(error)
    assert told.message == "the API server of kind-dev does not answer at https://127.0.0.1:6443"
    assert told.details != ("",)


def test_the_api_speaks_for_itself() -> None:
    error = kubernetes.client.exceptions.ApiException(status=422, reason="Unprocessable Entity")
    error.body = json.dumps({"kind": "Status", "message": "spec.selector:\n  field is   immutable"})
    told = tell(error)
    assert told.message == "the cluster refused to apply deployment/orders: spec.selector: field is immutable"
    assert told.__cause__ is error


def test_a_refused_websocket_says_why() -> None:
    body = json.dumps({"kind": "Status", "message": 'pods "x" not found'}).encode()
    error = websocket.WebSocketBadStatusException("Handshake status 404", 404, "Not Found", {}, body)
    assert tell(error).message.endswith(': pods "x" not found')


def test_an_answer_without_words_says_its_status() -> None:
    error = kubernetes.client.exceptions.ApiException(status=503, reason="Service Unavailable")
    assert tell(error).message.endswith("status 503 Service Unavailable")
    assert not is_connection(error)


def test_bugs_and_our_own_errors_pass() -> None:
    with pytest.raises(KeyError), translate("x", context="c", server="s"):
        raise KeyError("x")
    ours = tell(OSError("first"))
    with pytest.raises(ClusterError) as told, translate("x", context="c", server="s"):
        raise ours
    assert told.value is ours


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (None, ""),
        (b"", ""),
        (b"\xff proxy\nsays no", "\ufffd proxy says no"),
        ('{"message": null}', ""),
        ("[1]", "[1]"),
    ],
)
def test_the_message_of_any_body(body: str | bytes | None, message: str) -> None:
    assert message_of(body) == message
