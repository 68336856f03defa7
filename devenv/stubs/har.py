"""A HAR 1.2 recording to WireMock mappings: what one host answered, in the order in which it did.

The n-th identical request (method, path and parameters) gets the n-th answer; the last one repeats.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from devenv.config.model import Origin
from devenv.config.sentences import nearest_or_all
from devenv.config.source import Fault
from devenv.stubs.har_entries import Call, decoded, entry_origins, read_calls
from devenv.stubs.mappings import Stub

LARGEST = 50_000_000
"""Bytes of the largest recording that is read."""

_START = "Started"
_MOST_FAULTS = 20
# What belongs to one connection, or to how the body was packed for it.
_DROPPED = frozenset(
    {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer"}
    | {"trailers", "transfer-encoding", "upgrade", "content-encoding", "content-length"}
)


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording: its file, the host whose answers are wanted (empty: its only one), and where the user named them."""

    file: Path
    host: str
    origin: Origin
    path: str


@dataclass(frozen=True, slots=True)
class Taken:
    """The mappings made of a recording, and what of it is missing in them, in words."""

    mappings: list[Stub]
    left_out: str


def mappings(text: str, recording: Recording, faults: list[Fault]) -> Taken:
    """The mappings for what one host answered; a fault for each reason why there are none."""
    start = Origin(recording.file, 1, 1)
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        place = Origin(recording.file, error.lineno, error.colno)
        faults.append(Fault(place, "", f"not valid JSON: {error.msg}"))
        return Taken([], "")
    except (ValueError, RecursionError):
        faults.append(Fault(start, "", "not JSON that can be read: nested too deep, or a number of too many digits"))
        return Taken([], "")
    log = document.get("log") if isinstance(document, dict) else None
    entries = log.get("entries") if isinstance(log, dict) else None
    if not isinstance(entries, list):
        faults.append(Fault(start, "", "expected a HAR recording, with a list under log.entries"))
        return Taken([], "")
    calls, left_out, wrong = read_calls(entries)
    if wrong:
        faults.extend(_wrong_entries(wrong, text, recording.file))
        return Taken([], "")
    chosen = _of_host(calls, recording, faults)
    if len(chosen) < len(calls):
        left_out["of another host"] = len(calls) - len(chosen)
    return Taken(_mappings(chosen), _words(left_out, sum(call.lost for call in chosen)))


def _wrong_entries(wrong: Sequence[tuple[int, str]], text: str, file: Path) -> list[Fault]:
    places = entry_origins(text, file)
    found = [Fault(places[index], f"log.entries[{index}]", told) for index, told in wrong[:_MOST_FAULTS]]
    more = len(wrong) - len(found)
    return [*found, Fault(places[wrong[-1][0]], "", f"{more} more faults")] if more else found


def _words(left_out: Mapping[str, int], lost: int) -> str:
    total = sum(left_out.values())
    parts = ", ".join(f"{count} {reason}" for reason, count in left_out.items())
    left = [f"{total} {'entry' if total == 1 else 'entries'} left out: {parts}"] if total else []
    empty = [f"{lost} {'body' if lost == 1 else 'bodies'} not recorded, so answered without"] if lost else []
    return "; ".join([*left, *empty])


def _of_host(calls: Sequence[Call], recording: Recording, faults: list[Fault]) -> list[Call]:
    """The calls to the one host that is meant; none with a fault where that is not clear."""
    hosts = list(dict.fromkeys(call.host for call in calls))
    wanted, shown = recording.host.lower(), recording.file.name
    text = ""
    if not hosts:
        text = f"{shown} has no answer to an http request, so the stub would answer nothing: record it again"
    elif wanted and not any(_is_host(host, wanted) for host in hosts):
        text = f'{shown} has no answers of "{recording.host}"{nearest_or_all(recording.host, hosts)}'
    elif not wanted and len(hosts) > 1:
        text = f"{shown} has answers of {len(hosts)} hosts: write host: with one of {', '.join(hosts)}"
    if text:
        faults.append(Fault(recording.origin, recording.path, text))
        return []
    return [call for call in calls if not wanted or _is_host(call.host, wanted)]


def _is_host(host: str, wanted: str) -> bool:
    return wanted in (host, host.rpartition(":")[0] or host)


# --- mappings ----------------------------------------------------------------------------------------------------
def _mappings(calls: Iterable[Call]) -> list[Stub]:
    same: dict[object, list[Call]] = {}
    for call in calls:
        same.setdefault((call.method, call.path, tuple(sorted(_parameters(call)))), []).append(call)
    return [stub for group in same.values() for stub in _in_turn(group)]


def _in_turn(group: Sequence[Call]) -> list[Stub]:
    """A mapping for each answer to one request, each leading to the next; one alone where all are the same."""
    request, answers = _request(group[0]), [_response(call) for call in group]
    priority = 10 - min(len(_parameters(group[0])), 9)
    plain: list[Stub] = [{"priority": priority, "request": request, "response": answer} for answer in answers]
    if all(answer == answers[0] for answer in answers):
        return plain[:1]
    name = f"{group[0].method} {group[0].path}{'?' if group[0].query else ''}{group[0].query}"
    for number, stub in enumerate(plain, 1):
        stub["scenarioName"] = name
        stub["requiredScenarioState"] = _START if number == 1 else f"answer {number}"
        if number < len(plain):
            stub["newScenarioState"] = f"answer {number + 1}"
    return plain


def _parameters(call: Call) -> list[tuple[str, str]]:
    return parse_qsl(call.query, keep_blank_values=True)


def _request(call: Call) -> dict[str, Any]:
    values: dict[str, list[str]] = {}
    for name, value in _parameters(call):
        values.setdefault(name, []).append(value)
    if not values:
        return {"method": call.method, "url": call.path}
    matchers = {name: _matcher(found) for name, found in values.items()}
    return {"method": call.method, "urlPath": call.path, "queryParameters": matchers}


def _matcher(values: Sequence[str]) -> dict[str, Any]:
    each = [{"equalTo": value} for value in values]
    return each[0] if len(each) == 1 else {"hasExactly": each}


def _response(call: Call) -> dict[str, Any]:
    response: dict[str, Any] = {"status": call.status}
    headers = _headers(call)
    if headers:
        response["headers"] = {name: found if len(found) > 1 else found[0] for name, found in headers.items()}
    return {**response, **_body(call, next((v[0] for k, v in headers.items() if k.lower() == "content-type"), ""))}


def _headers(call: Call) -> dict[str, list[str]]:
    """The values of each header under its first spelling; some recorders put several into one, a line for each."""
    own = {
        part.strip().lower()
        for name, value in call.headers
        if name.lower() == "connection"
        for part in value.split(",")
    }
    spelled: dict[str, str] = {}
    found: dict[str, list[str]] = {}
    for name, value in call.headers:
        if name.lower() not in _DROPPED | own and name and not name.startswith(":"):
            found.setdefault(spelled.setdefault(name.lower(), name), []).extend(value.split("\n"))
    return found


def _body(call: Call, kind: str) -> dict[str, str]:
    if call.encoded:
        return {"base64Body": base64.b64encode(decoded(call.text) or b"").decode()}
    charset = kind.lower().partition("charset=")[2].split(";")[0].strip(' "')
    if charset and not call.text.isascii():
        try:
            return {"base64Body": base64.b64encode(call.text.encode(charset)).decode()}
        except (LookupError, UnicodeError):
            pass
    return {"body": call.text} if call.text else {}
