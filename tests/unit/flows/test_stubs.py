from __future__ import annotations

import json
from pathlib import Path

import pytest

from devenv.config.model import Dependency, Environment, Origin, Route, Stub
from devenv.errors import ConfigError
from devenv.flows.stubs import read_stubs
from devenv.stubs import har
from devenv.stubs.mappings import read_mappings


def shop(root: Path, **stubs: Stub) -> Environment:
    place = Origin(root / "profiles/default.yaml", 2, 5)
    dependencies = {name: Dependency(name, "stub", stub, None, place) for name, stub in stubs.items()}
    return Environment("shop", root, "default", {}, dependencies)


def recording(root: Path, name: str = "traffic.har", *, url: str = "http://a.test/x") -> Path:
    entry = {"request": {"method": "GET", "url": url}, "response": {"status": 200}}
    path = root / name
    path.write_text(json.dumps({"log": {"entries": [entry, {**entry, "request": {"method": "GET", "url": "ws://a"}}]}}))
    return path


def refused(environment: Environment) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        read_stubs(environment, lambda text: None)
    return tuple(caught.value.details)


def test_every_source_becomes_mappings(tmp_path: Path) -> None:
    folder = tmp_path / "stubs"
    (folder / "mappings").mkdir(parents=True)
    (folder / "mappings/a.json").write_text('{"request": {"url": "/x"}, "response": {"status": 200}}')
    told: list[str] = []
    found = read_stubs(
        shop(
            tmp_path,
            a=Stub(folder, {}),
            b=Stub(None, {}, routes=(Route("GET", "/x"),)),
            c=Stub(None, {}, har=recording(tmp_path)),
        ),
        told.append,
    )
    for name in ("a", "b", "c"):
        (stub,) = read_mappings(name, found[name])
        assert (stub["request"].get("url") or stub["request"]["urlPath"], stub["response"]["status"]) == ("/x", 200)
    assert told == ["c: traffic.har: 1 entry left out: 1 not http"]


def test_faults_of_all_recordings_come_at_once(tmp_path: Path) -> None:
    (tmp_path / "broken.har").write_text("{\n x")
    (tmp_path / "latin.har").write_bytes(b"{}\n\xe9")
    place = Origin(tmp_path / "profiles/default.yaml", 3, 9)
    assert refused(
        shop(
            tmp_path,
            a=Stub(None, {}, har=tmp_path / "broken.har"),
            b=Stub(None, {}, har=tmp_path / "latin.har"),
            c=Stub(None, {}, har=recording(tmp_path), host="b.test", origin=place),
        )
    ) == (
        "broken.har:2:2  not valid JSON: Expecting property name enclosed in double quotes",
        "latin.har:2:1  expected UTF-8 text, got the byte 0xE9: save the file as UTF-8",
        'profiles/default.yaml:3:9  dependencies.c.stub.host  traffic.har has no answers of "b.test" (did you mean '
        '"a.test"?)',
    )


SPEC = """\
openapi: 3.0.3
info: {title: pets, version: "1"}
paths:
  /pets:
    get:
      responses:
        200: {description: ok, content: {application/json: {example: [{name: Rex, age: 1.5, born: 2020-01-01}]}}}
  /owners:
    get:
      responses:
        200: {$ref: "#/components/responses/Gone"}
"""


def test_a_document_becomes_mappings(tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(SPEC.partition("  /owners")[0])
    found = read_stubs(shop(tmp_path, pets=Stub(None, {}, openapi=tmp_path / "spec.yaml")), lambda text: None)
    (stub,) = read_mappings("pets", found["pets"])
    assert (stub["request"]["method"], stub["request"]["urlPath"]) == ("GET", "/pets")
    body = stub["response"].get("jsonBody") or json.loads(stub["response"]["body"])
    assert body == [{"name": "Rex", "age": 1.5, "born": "2020-01-01"}]


def test_what_is_wrong_with_documents_is_told_with_its_lines(tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(SPEC)
    (tmp_path / "old.json").write_text('{\n  "swagger": "2.0"\n}')
    (tmp_path / "empty.yaml").write_text("")
    (tmp_path / "broken.yaml").write_text("openapi: [3\n")
    names = ("spec.yaml", "old.json", "empty.yaml", "broken.yaml")
    stubs = {name.partition(".")[0]: Stub(None, {}, openapi=tmp_path / name) for name in names}
    lines = refused(shop(tmp_path, **stubs))
    assert [line.split("  ")[0] for line in lines] == [
        "broken.yaml:1:10",
        "empty.yaml:1:1",
        "old.json:2:14",
        "spec.yaml:11:21",
    ]
    assert "there is no '#/components/responses/Gone'" in lines[-1]


def test_folders_are_checked_before_anything_is_brought_up(tmp_path: Path) -> None:
    for name, text in {"a/mappings/x.json": "{", "a/mappings/y.json": "[]", "b/mappings/x.txt": ""}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    place = Origin(tmp_path / "profiles/default.yaml", 3, 9)
    stubs = {name: Stub(tmp_path / name, {}, origin=place) for name in ("a", "b")}
    assert refused(shop(tmp_path, **stubs)) == (
        "a/mappings/x.json:1:2  not valid JSON: Expecting property name enclosed in double quotes",
        "a/mappings/y.json:1:1  expected a WireMock mapping with request and response",
        "profiles/default.yaml:3:9  dependencies.b.stub.wiremock  no mappings/*.json in its stub folder, so "
        "it would answer nothing",
    )


def test_a_huge_recording_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with (tmp_path / "huge.har").open("wb") as file:
        file.truncate(4 * har.LARGEST)
    told = "huge.har:1:1  the file has 200 MB, and at most 50 MB are read: leave out what is not needed"
    assert refused(shop(tmp_path, a=Stub(None, {}, har=tmp_path / "huge.har"))) == (told,)


def test_a_recording_that_is_gone_is_told_by_its_path(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="gone.har"):
        read_stubs(shop(tmp_path, a=Stub(None, {}, har=tmp_path / "gone.har")), lambda text: None)
