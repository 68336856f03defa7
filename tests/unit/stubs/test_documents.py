from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from devenv.config.source import Fault
from devenv.stubs.documents import Document, read_document

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


def document(text: str, name: str = "spec.yaml") -> Document:
    faults: list[Fault] = []
    found = read_document(text, Path(name), faults)
    assert faults == []
    assert found
    return found


def pointers(value: object, pointer: str = "#") -> dict[str, object]:
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found: dict[str, object] = {pointer: value}
    for key, inner in entries:
        token = str(key).replace("~", "~0").replace("/", "~1")
        found |= pointers(inner, f"{pointer}/{token}")
    return found


@given(VALUES, st.sampled_from([None, 1]))
def test_json_is_what_it_is_and_every_pointer_leads_to_its_value(value: object, indent: int | None) -> None:
    text = json.dumps(value, indent=indent)
    found = document(text, "spec.json")
    assert found.values == value
    for pointer, inner in pointers(value).items():
        place = found.place(pointer)
        # Only a line feed ends a line in JSON.
        rest = "\n".join(text.split("\n")[place.line - 1 :])[place.column - 1 :]
        assert json.JSONDecoder().raw_decode(rest)[0] == inner


@given(VALUES)
def test_yaml_that_was_written_by_a_program_means_the_same(value: object) -> None:
    text = yaml.safe_dump({"value": value}, allow_unicode=False)
    assert document(text).values == {"value": value}


YAML = """\
a: {yes: no, on: 010, at: 22:22, day: 2020-01-01, e: 1e3, f: 1.5, i: -3, n: null, t: true, q: "1"}
base: &base {x: [1, 2]}
"a/b~": {<<: *base, y: *base}
"""


def test_scalars_are_those_of_yaml_1_2() -> None:
    assert document(YAML).values == {
        "a": {
            **{"yes": "no", "on": "010", "at": "22:22", "day": "2020-01-01", "e": 1000.0, "f": 1.5, "i": -3},
            **{"n": None, "t": True, "q": "1"},
        },
        "base": {"x": [1, 2]},
        "a/b~": {"x": [1, 2], "y": {"x": [1, 2]}},
    }


@pytest.mark.parametrize(
    ("pointer", "line", "column"),
    [("#", 1, 1), ("#/a/f", 1, 62), ("#/base/x/1", 2, 21), ("#/a~1b~0/y/x/0", 2, 18), ("#/a~1b~0/none/x", 3, 9)],
)
def test_pointers_lead_into_yaml(pointer: str, line: int, column: int) -> None:
    place = document(YAML).place(pointer)
    assert (place.line, place.column) == (line, column)


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.json", '{\n"a": }', "a.json:2:6  not valid JSON: Expecting value"),
        ("a.json", "[" * 100_000, "a.json:1:1  can't be read: nested too deep, or a number of too many digits"),
        ("a.yaml", "[" * 100_000, "a.yaml:1:1001  expected , or ] for the [ that is opened in"),
        ("a.yaml", '{"a": [1}', "a.yaml:1:9  expected , or ] for the [ that is opened in column 7"),
        (
            "a.yaml",
            "a: !!python/object:x {}",
            "a.yaml:1:4  not valid YAML: could not determine a constructor for the tag",
        ),
        ("a.yaml", "a: \x07", "a.yaml:1:4  the character U+0007 may not stand here: remove it"),
        ("a.yaml", "{a: 1}: 2", "a.yaml:1:1  not valid YAML: found unhashable key"),
    ],
)
def test_what_can_not_be_read_is_told_with_its_place(name: str, text: str, told: str) -> None:
    faults: list[Fault] = []
    assert read_document(text, Path("/p") / name, faults) is None
    assert [fault.line(Path("/p"))[: len(told)] for fault in faults] == [told]
