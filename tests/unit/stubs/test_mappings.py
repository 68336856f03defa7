from __future__ import annotations

import json
import re

import pytest

from devenv.errors import ConfigError
from devenv.stubs.mappings import body_files, host_pattern, read_mappings

MAPPING = {
    "request": {"url": "/charges"},
    "response": {"status": 200, "bodyFileName": "a/ok.json"},
    "scenarioName": "s",
}


def files(**named: object) -> dict[str, bytes]:
    return {f"mappings/{name}.json": json.dumps(value).encode() for name, value in named.items()}


def test_a_mapping_answers_only_its_own_host() -> None:
    (stub,) = read_mappings("payments", files(one=MAPPING))
    assert stub["request"] == {"url": "/charges", "host": {"matches": "payments(\\..+)?"}}
    assert stub["scenarioName"] == "payments: s"
    assert stub["response"]["bodyFileName"] == "payments__a__ok.json"
    assert stub["metadata"] == {"dependency": "payments"}


def test_an_export_of_a_running_server_is_taken_too() -> None:
    assert len(read_mappings("payments", files(all={"mappings": [MAPPING, MAPPING]}))) == 2


@pytest.mark.parametrize("host", ["payments", "payments.shop", "payments.shop.svc.cluster.local"])
def test_every_form_of_the_host_matches(host: str) -> None:
    assert re.fullmatch(host_pattern("payments"), host)


@pytest.mark.parametrize("host", ["payments2", "xpayments", "other"])
def test_other_hosts_do_not_match(host: str) -> None:
    assert not re.fullmatch(host_pattern("payments"), host)


def test_body_files_keep_apart_by_dependency() -> None:
    assert body_files("payments", {"__files/a/ok.json": b"1", "mappings/x.json": b"2"}) == {
        "payments__a__ok.json": b"1"
    }


def test_all_faults_come_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        read_mappings("payments", {"mappings/a.json": b'{\n "x": }', "mappings/b.json": b"[]"})
    assert caught.value.details == (
        "mappings/a.json:2:7  not valid JSON: Expecting value",
        "mappings/b.json:1:1  expected a WireMock mapping with request and response",
    )


def test_an_empty_folder_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        read_mappings("payments", {})
    assert caught.value.details == ("payments: no mappings/*.json in its stub folder, so it would answer nothing",)


@pytest.mark.parametrize(
    "hostile",
    [
        {"response": None},
        {"response": {}, "request": []},
        {"response": {}, "metadata": 1},
        {"response": {}, "scenarioName": {}},
        {"response": {"bodyFileName": 1}},
        {"mappings": [{"response": {}}, 1]},
        {"mappings": {}},
    ],
)
def test_what_is_not_shaped_like_a_mapping_is_told(hostile: object) -> None:
    with pytest.raises(ConfigError) as caught:
        read_mappings("payments", files(x=hostile))
    assert caught.value.details == ("mappings/x.json:1:1  expected a WireMock mapping with request and response",)


@pytest.mark.parametrize("hostile", [b"[" * 100_000, b"1" * 5000, b'"\xff"'])
def test_json_that_no_reader_takes_is_told(hostile: bytes) -> None:
    with pytest.raises(ConfigError) as caught:
        read_mappings("payments", {"mappings/x.json": hostile})
    (line,) = caught.value.details
    assert line.startswith("mappings/x.json:1:1  not JSON that can be read")
