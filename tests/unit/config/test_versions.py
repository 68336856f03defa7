from __future__ import annotations

from pathlib import Path

import pytest

from devenv.config.model import Origin
from devenv.config.source import Fault, Map, plain_value, read_text
from devenv.config.versions import CURRENT, MIGRATIONS, upgrade
from tests.unit.config.conftest import Write, faults, read

FILE = Path("/p/devenv.yaml")


def tree(text: str) -> Map:
    found = read_text(text, FILE, [])
    assert found
    return found


def renamed(old: Map) -> Map:
    """A made-up migration: `apps` is called `services` from version 2 on."""
    entries = {"services" if key == "apps" else key: entry for key, entry in old.entries.items()}
    return Map(entries, old.origin)


def test_each_version_has_its_way_to_the_next() -> None:
    assert list(MIGRATIONS) == list(range(1, CURRENT))


@pytest.mark.parametrize("text", ["version: 1\napps: {web: {image: x}}\n", "apps: {web: {image: x}}\n"])
def test_an_older_file_is_taken_to_the_current_version_and_its_origins_are_kept(text: str) -> None:
    told: list[Fault] = []
    old = tree(text)
    new = upgrade(old, told, current=2, migrations={1: renamed})
    assert new is not None
    assert told == []
    assert plain_value(new)["services"] == {"web": {"image": "x"}}
    assert new.entries["services"] == old.entries["apps"]
    assert ("version" in new.entries) == ("version" in old.entries)
    assert plain_value(new).get("version", 2) == 2


def test_a_file_of_the_current_version_is_not_touched() -> None:
    text = "version: 2\napps: {}\n"
    new = upgrade(tree(text), [], current=2, migrations={1: renamed})
    assert new
    assert plain_value(new) == {"version": 2, "apps": {}}


def test_a_version_to_come_is_the_only_thing_told_of_a_file(write: Write) -> None:
    root = write({"devenv.yaml": "version: 2\nworkloads: {}\n"})
    assert faults(root) == ["devenv.yaml:1:10  version  this devenv reads version 1; upgrade devenv for version 2"]


@pytest.mark.parametrize(
    ("written", "got"),
    [("0", "the number 0"), ('"1"', '"1"'), ("1.1", '"1.1"'), ("true", "true"), ("", "nothing"), ("[1]", "a list")],
)
def test_any_other_version_is_told_with_what_is_expected_beside_other_faults(
    write: Write, written: str, got: str
) -> None:
    root = write({"devenv.yaml": f"version: {written}\nnmae: x\n"})
    first, second = faults(root)
    assert first.endswith(f"version  expected 1, got {got}")
    assert second.startswith('devenv.yaml:2:1  nmae  unknown key "nmae"')


def test_a_profile_has_a_version_too(write: Write) -> None:
    root = write({"devenv.yaml": "", "profiles/default.yaml": "version: 3\nwhatever: 1\n"})
    told = "profiles/default.yaml:1:10  version  this devenv reads version 1; upgrade devenv for version 3"
    assert faults(root) == [told]
    assert read(write({"devenv.yaml": "version: 1", "profiles/default.yaml": "version: 1"})).services == {}


def test_a_range_is_told_once_there_is_one() -> None:
    told: list[Fault] = []
    upgrade(tree("version: 0\n"), told, current=3, migrations={})
    assert told == [Fault(Origin(FILE, 1, 10), "version", "expected a version from 1 to 3, got the number 0")]
