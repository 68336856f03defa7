"""Exceptions of the Kubernetes client, urllib3 and websocket-client, told as devenv's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException

from devenv.errors import ClusterError
from devenv.problems import API_FAILED, CLUSTER_UNREACHABLE

_LIBRARIES = ("kubernetes", "urllib3", "websocket")
# What these say is that the other side was not reached or went away; all else is an answer, or nonsense on the way.
_CONNECTION = {
    "urllib3.exceptions": ("PoolError", "SSLError", "ProxyError", "ProtocolError", "TimeoutError", "IncompleteRead"),
    "websocket._exceptions": (
        "WebSocketAddressException",
        "WebSocketConnectionClosedException",
        "WebSocketProxyException",
        "WebSocketTimeoutException",
    ),
}
_CONNECTION_NAMES = {f"{module}.{name}" for module, names in _CONNECTION.items() for name in names}


@contextmanager
def translate(action: str, *, context: str, server: str) -> Iterator[None]:
    """Tell failures inside as ClusterError: api-failed (`action`: "apply deployment/orders") or cluster-unreachable.

    Exceptions of neither a library of this room nor the network pass: they are bugs.
    """
    try:
        yield
    except Exception as error:
        if is_connection(error):
            reason = one_line(str(error)) or type(error).__name__
            raise ClusterError(CLUSTER_UNREACHABLE, details=[reason], context=context, server=server) from error
        if _is_library(error):
            raise ClusterError(API_FAILED, action=action, reason=_reason(error)) from error
        raise


def status_of(error: BaseException) -> int:
    """The HTTP status that an exception carries, else 0."""
    status = getattr(error, "status", None) or getattr(error, "status_code", None)
    return status if isinstance(status, int) else 0


def is_connection(error: BaseException) -> bool:
    """Whether it says that the API server was not reached or went away, rather than answered."""
    if status_of(error):
        return False
    return isinstance(error, OSError | HTTPException) or not _CONNECTION_NAMES.isdisjoint(_names(error))


def one_line(text: str) -> str:
    """The text with all runs of white space turned into single spaces."""
    return " ".join(text.split())


def message_of(body: str | bytes | None) -> str:
    """What the API says in an answer: a Status object's message, else the text itself, on one line.

    Format: meta/v1 Status.
    """
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body or ""
    try:
        status = json.loads(text)
    except ValueError:
        return one_line(text)
    return one_line(str(status.get("message") or "")) if isinstance(status, dict) else one_line(text)


def _reason(error: Exception) -> str:
    """The API's own words where there are any."""
    said = message_of(getattr(error, "body", None) or getattr(error, "resp_body", None))
    fallback = one_line(str(getattr(error, "reason", None) or error)) or type(error).__name__
    if status := status_of(error):
        return said or f"status {status} {getattr(error, 'reason', None) or ''}".strip()
    return said or fallback


def _names(error: BaseException) -> set[str]:
    return {f"{cls.__module__}.{cls.__qualname__}" for cls in type(error).__mro__}


def _is_library(error: BaseException) -> bool:
    return any(name.partition(".")[0] in _LIBRARIES for name in _names(error))
