"""The entries of a HAR 1.2 recording as calls: requests with what was answered."""

from __future__ import annotations

import base64
import binascii
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from devenv.config.model import Origin
from devenv.stubs.json_places import members, offset, origin

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Call:
    """A request and what was answered. A default port is no part of `host`.

    `text` is base64 where it is `encoded`; it was `lost` where there was a body that the recording does not have.
    """

    host: str
    method: str
    path: str
    query: str
    status: int
    headers: tuple[tuple[str, str], ...]
    text: str
    encoded: bool
    lost: bool = False


class Wrong(Exception):  # noqa: N818 - what is wrong with an entry, in words
    """An entry that is not as HAR 1.2 wants it."""


def read_calls(entries: Sequence[object]) -> tuple[list[Call], Counter[str], list[tuple[int, str]]]:
    """The calls by the time they began, how many entries are left out for which reason, and which are wrong and how."""
    calls: list[tuple[datetime | None, Call]] = []
    left_out: Counter[str] = Counter()
    wrong = []
    for index, entry in enumerate(entries):
        try:
            found = _call(entry)
        except Wrong as error:
            wrong.append((index, str(error)))
            continue
        if isinstance(found, Call):
            calls.append((_started(entry), found))
        else:
            left_out[found] += 1
    return _in_order(calls), left_out, wrong


def _in_order(calls: Sequence[tuple[datetime | None, Call]]) -> list[Call]:
    times = [time for time, _ in calls if time]
    if len(times) < len(calls):
        return [call for _, call in calls]
    return [calls[index][1] for index in sorted(range(len(calls)), key=times.__getitem__)]


def _started(entry: object) -> datetime | None:
    text = entry.get("startedDateTime") if isinstance(entry, dict) else None
    try:
        time = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return time.replace(tzinfo=UTC) if time and time.tzinfo is None else time


def _call(entry: object) -> Call | str:
    """The call of an entry, or the reason why it is left out. Raises Wrong."""
    request = _get(entry, "request", dict)
    method, url = _get(request, "method", str, "request."), _get(request, "url", str, "request.")
    if not url.lower().startswith(("http://", "https://")):
        return "not http"
    if not re.fullmatch(r"[-!#$%&'*+.^_`|~0-9A-Za-z]+", method):
        raise Wrong(f'request.method  expected a method, got "{method[:40]}"')
    response = _get(entry, "response", dict)
    status = _get(response, "status", int, "response.")
    if not 200 <= status <= 599:
        return "without an answer"
    host, path, query = _parts(url)
    headers = _headers(response.get("headers", []))
    given = response.get("content")
    content = given if isinstance(given, dict) else {}
    text, encoded = _content(content)
    size = content.get("size")
    lost = method.upper() != "HEAD" and content.get("text") is None and isinstance(size, int) and size > 0
    return Call(host, method.upper(), path, query, status, headers, text, encoded, lost)


def _get(value: object, key: str, kind: type, before: str = "") -> Any:
    words = {dict: "a mapping", str: "text", int: "a whole number"}
    found = value.get(key) if isinstance(value, dict) else None
    if not isinstance(found, kind) or isinstance(found, bool):
        raise Wrong(f"needs {before}{key}, {words[kind]}")
    return found


def _parts(url: str) -> tuple[str, str, str]:
    try:
        parts = urlsplit(url)
        name, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise Wrong(f"request.url  is no URL: {error}") from error
    if not name:
        raise Wrong("request.url  has no host")
    host = name if port in (None, _PORTS[parts.scheme]) else f"{name}:{port}"
    return host, parts.path or "/", parts.query


def _headers(listed: object) -> tuple[tuple[str, str], ...]:
    pairs = [
        (_get(one, "name", str, "response.headers."), _get(one, "value", str, "response.headers."))
        for one in (listed if isinstance(listed, list) else ())
    ]
    return tuple(pairs)


def _content(content: dict[str, Any]) -> tuple[str, bool]:
    text, encoded = content.get("text"), content.get("encoding") == "base64"
    if text is None:
        return "", False
    if not isinstance(text, str):
        raise Wrong("response.content.text  expected text")
    if encoded and decoded(text) is None:
        raise Wrong("response.content.text  is not base64, as its encoding says")
    return text, encoded


def decoded(text: str) -> bytes | None:
    """What base64 stands for, in one line or many; None where it is none."""
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return None


# --- places ------------------------------------------------------------------------------------------------------
def entry_origins(text: str, file: Path) -> list[Origin]:
    """Where each entry of a recording stands; its text was read before."""
    entries = offset(text, ["log", "entries"])
    return [origin(text, at, file) for _, at in members(text, entries)]
