from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from devenv.config.model import Origin
from devenv.config.source import Fault
from devenv.stubs.har import Recording, Taken, mappings
from tests.fakes.wiremock import FakeWireMock

FILE = Path("/p/traffic.har")
PROFILE = Origin(Path("/p/profiles/default.yaml"), 3, 10)


def entry(url: str, *, method: str = "GET", status: int = 200, text: str | None = "ok", **more: Any) -> dict[str, Any]:
    content = {"size": 2, "mimeType": "text/plain", **({} if text is None else {"text": text}), **more}
    headers = more.pop("headers", [])
    return {
        "startedDateTime": more.pop("at", "2026-01-01T00:00:00Z"),
        "request": {"method": method, "url": url},
        "response": {"status": status, "headers": headers, "content": content},
    }


def har(*entries: object) -> str:
    return json.dumps({"log": {"version": "1.2", "entries": list(entries)}}, indent=1)


def take(text: str, *, host: str = "") -> tuple[Taken, list[str]]:
    faults: list[Fault] = []
    taken = mappings(text, Recording(FILE, host, PROFILE, "dependencies.a.stub.har"), faults)
    return taken, [fault.line(Path("/p")) for fault in faults]


def engine(*entries: object, host: str = "") -> FakeWireMock:
    taken, faults = take(har(*entries), host=host)
    assert faults == []
    return FakeWireMock(taken.mappings)


# --- what was recorded is what is answered ----------------------------------------------------------------------
PARAMETERS = st.lists(st.tuples(st.sampled_from(["a", "b"]), st.sampled_from(["1", "ü &"])), max_size=3)
TARGETS = st.tuples(st.sampled_from(["/", "/x", "/x/y"]), PARAMETERS).map(
    lambda pair: pair[0] + ("?" if pair[1] else "") + urlencode(pair[1])
)
TALKS = st.lists(
    st.tuples(st.sampled_from(["GET", "POST"]), TARGETS, st.integers(200, 599), st.text(max_size=4)),
    min_size=1,
    max_size=8,
)


@given(TALKS)
@example([("GET", "/x?a=1", 200, "one"), ("GET", "/x?a=1&b=1", 200, "two"), ("GET", "/x?a=1&a=1", 200, "three")])
def test_a_talk_is_repeated_as_it_was_and_the_last_answer_stays(talk: list[tuple[str, str, int, str]]) -> None:
    there = engine(*(entry(f"https://a.test{t}", method=m, status=s, text=text) for m, t, s, text in talk))
    last: dict[object, tuple[int, str]] = {}
    for method, target, status, text in talk:
        answer = there.answer(method, target)
        path, _, query = target.partition("?")
        last[method, path, tuple(sorted(query.split("&")))] = (status, text)
        assert (answer["status"], answer.get("body", "")) == (status, text)
    for (method, target, _, _), _again in zip(talk * 2, range(16), strict=False):
        path, _, query = target.partition("?")
        answer = there.answer(method, target)
        assert (answer["status"], answer.get("body", "")) == last[method, path, tuple(sorted(query.split("&")))]


@given(st.binary(max_size=40))
def test_bodies_in_base64_come_back_byte_for_byte(data: bytes) -> None:
    text = base64.encodebytes(data).decode()
    answer = engine(entry("http://a.test/x", text=text, encoding="base64")).answer("GET", "/x")
    assert base64.b64decode(answer["base64Body"]) == data


@given(st.permutations(range(5)))
def test_the_time_decides_not_the_place_in_the_file(order: list[int]) -> None:
    # The last two hours are the same moment in other zones than those before.
    times = ["2026-01-01T00:00:00Z", "2026-01-01T00:00:01.5Z", "2026-01-01T00:00:02Z", "2026-01-01T02:00:03+02:00"]
    times.append("2025-12-31T23:00:04-01:00")
    there = engine(*(entry("http://a.test/x", text=str(i), at=times[i]) for i in order))
    assert [there.answer("GET", "/x")["body"] for _ in range(6)] == ["0", "1", "2", "3", "4", "4"]


def test_without_times_the_place_in_the_file_decides() -> None:
    there = engine(*(entry("http://a.test/x", text=text, at=when) for text, when in (("1", "2026"), ("2", "soon"))))
    assert [there.answer("GET", "/x")["body"] for _ in range(2)] == ["1", "2"]


def test_a_request_that_was_not_recorded_has_no_answer() -> None:
    there = engine(entry("http://a.test/x"), entry("http://a.test/y?a=1"))
    assert there.answer("GET", "/x?a=1") is None
    assert there.answer("GET", "/y") is None
    assert there.answer("GET", "/y?a=1&more=1") is not None
    assert there.answer("POST", "/x") is None


def test_one_answer_many_times_needs_no_states() -> None:
    taken, _ = take(har(*(entry("http://a.test/x") for _ in range(50))))
    assert [stub.keys() for stub in taken.mappings] == [{"priority", "request", "response"}]


def test_headers_of_the_connection_and_of_packing_are_dropped() -> None:
    given = {
        **{"Content-Type": "text/plain", "Content-Encoding": "br", "content-length": "2", ":status": "200"},
        **{"Transfer-Encoding": "chunked", "Connection": "keep-alive, X-Own", "x-own": "1", "Set-Cookie": "a=1\nb=2"},
    }
    headers = [{"name": name, "value": value} for name, value in given.items()]
    answer = engine(entry("http://a.test/x", headers=[*headers, {"name": "set-cookie", "value": "c=3"}])).answer(
        "GET", "/x"
    )
    assert answer["headers"] == {"Content-Type": "text/plain", "Set-Cookie": ["a=1", "b=2", "c=3"]}


@pytest.mark.parametrize(("charset", "data"), [("iso-8859-1", b"\xe9"), ("nonsense", None), ("ascii", None)])
def test_text_is_sent_in_the_charset_that_its_type_names(charset: str, data: bytes | None) -> None:
    headers = [{"name": "content-type", "value": f'text/html; charset="{charset}"; x=1'}]
    answer = engine(entry("http://a.test/x", text="é", headers=headers)).answer("GET", "/x")
    assert answer.get("body") == (None if data else "é")
    assert base64.b64decode(answer.get("base64Body", "")) == (data or b"")


# --- what is left out -------------------------------------------------------------------------------------------
def test_what_is_no_answer_over_http_is_left_out_and_told() -> None:
    odd = [entry("ws://a.test/s", status=101), entry("data:,x"), entry("https://a.test/x", status=0)]
    taken, faults = take(har(entry("https://a.test/x"), *odd, entry("https://a.test/lost", text=None)))
    assert faults == []
    assert len(taken.mappings) == 2
    assert taken.left_out == (
        "3 entries left out: 2 not http, 1 without an answer; 1 body not recorded, so answered without"
    )


HOSTS = [
    entry("https://api.test/x", text="api"),
    entry("https://cdn.test:8443/x", text="cdn"),
    entry("http://API.test/y"),
]


@pytest.mark.parametrize("host", ["cdn.test", "cdn.test:8443", "CDN.test"])
def test_only_the_named_host_answers(host: str) -> None:
    assert engine(*HOSTS, host=host).answer("GET", "/x")["body"] == "cdn"
    assert engine(*HOSTS, host=host).answer("GET", "/y") is None
    assert take(har(*HOSTS), host=host)[0].left_out == "2 entries left out: 2 of another host"


PLACE = "profiles/default.yaml:3:10  dependencies.a.stub.har  "


@pytest.mark.parametrize(
    ("host", "told"),
    [
        ("", "traffic.har has answers of 2 hosts: write host: with one of api.test, cdn.test:8443"),
        ("apis.test", 'traffic.har has no answers of "apis.test" (did you mean "api.test"?)'),
        ("cdn.test:443", 'traffic.har has no answers of "cdn.test:443" (did you mean "cdn.test:8443"?)'),
    ],
)
def test_which_host_is_meant_must_be_clear(host: str, told: str) -> None:
    taken, faults = take(har(*HOSTS), host=host)
    assert (taken.mappings, faults) == ([], [PLACE + told])


@pytest.mark.parametrize("entries", [[], [entry("ws://a.test/")], [entry("http://a.test/", status=0)]])
def test_a_recording_without_answers_is_a_fault(entries: list[object]) -> None:
    told = "traffic.har has no answer to an http request, so the stub would answer nothing: record it again"
    assert take(har(*entries))[1] == [PLACE + told]


# --- what is no recording ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "traffic.har:1:1  not valid JSON: Expecting value"),
        ('{"log":\n  {"entries": [,]}}', "traffic.har:2:16  not valid JSON: Expecting value"),
        ("[" * 100_000, "traffic.har:1:1  not JSON that can be read: nested too deep, or a number of too many digits"),
        ("9" * 5000, "traffic.har:1:1  not JSON that can be read: nested too deep, or a number of too many digits"),
        ("[]", "traffic.har:1:1  expected a HAR recording, with a list under log.entries"),
        ('{"log": null}', "traffic.har:1:1  expected a HAR recording, with a list under log.entries"),
        ('{"log": {"entries": {}}}', "traffic.har:1:1  expected a HAR recording, with a list under log.entries"),
    ],
)
def test_what_is_no_recording_is_told_with_its_place(text: str, told: str) -> None:
    assert take(text)[1] == [told]


def test_every_wrong_entry_is_told_with_its_line() -> None:
    text = """\
{"log": {"creator": {"x": ["{", 1]}, "entries": [
  {"request": {"method": "GET", "url": "http://a/"}, "response": {"status": 200}},
  {"request": {"method": "GET"}},
  {"request": {"method": "GET", "url": "http://a/"}, "response": {"status": "200"}},
    7, {"request": {"method": "G T", "url": "http://a/"}},
  {"request": {"method": "GET", "url": "http://[a/"}, "response": {"status": 200}},
  {"request": {"method": "GET", "url": "http:///x"}, "response": {"status": 200}},
  {"request": {"method": "GET", "url": "http://a/"}, "response": {"status": 200, "headers": [{"name": "x"}]}},
  {"request": {"method": "GET", "url": "http://a/"}, "response": {"status": 200, "content": {"text": 1}}},
  {"request": {"method": "GET", "url": "http://a/"},
   "response": {"status": 200, "content": {"text": "%", "encoding": "base64"}}}
]}}
"""
    assert take(text)[1] == [
        "traffic.har:3:3  log.entries[1]  needs request.url, text",
        "traffic.har:4:3  log.entries[2]  needs response.status, a whole number",
        "traffic.har:5:5  log.entries[3]  needs request, a mapping",
        'traffic.har:5:8  log.entries[4]  request.method  expected a method, got "G T"',
        "traffic.har:6:3  log.entries[5]  request.url  is no URL: Invalid IPv6 URL",
        "traffic.har:7:3  log.entries[6]  request.url  has no host",
        "traffic.har:8:3  log.entries[7]  needs response.headers.value, text",
        "traffic.har:9:3  log.entries[8]  response.content.text  expected text",
        "traffic.har:10:3  log.entries[9]  response.content.text  is not base64, as its encoding says",
    ]


def test_of_very_many_wrong_entries_the_first_are_told() -> None:
    faults = take(har(*range(500)))[1]
    assert len(faults) == 21
    assert faults[-1].endswith("480 more faults")


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=4)
    | st.sampled_from(["http://a.test/", "GET", "base64"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "log",
                    "entries",
                    "request",
                    "response",
                    "method",
                    "url",
                    "status",
                    "headers",
                    "name",
                    "value",
                    "content",
                    "text",
                    "encoding",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON, JSON, JSON)
def test_whatever_is_written_is_either_answered_or_told(request_: object, response: object, other: object) -> None:
    like = {"method": "GET", "url": "http://a.test/", **(request_ if isinstance(request_, dict) else {})}
    answer = {"status": 200, **(response if isinstance(response, dict) else {})}
    for text in (json.dumps(other), har(other), har({"request": like, "response": answer}, other)):
        taken, faults = take(text)
        assert bool(taken.mappings) != bool(faults)


@given(st.text(max_size=6))
def test_a_path_stays_as_it_was_sent(part: str) -> None:
    path = f"/{quote(part, safe='')}"
    assert engine(entry(f"http://a.test{path}")).answer("GET", path) is not None
