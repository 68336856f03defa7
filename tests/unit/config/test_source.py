from __future__ import annotations

from pathlib import Path

import pytest

from devenv.config.source import plain_value, read_text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("true", True),
        ("22:22", "22:22"),
        ("1.10", "1.10"),
        ("010", "010"),
        ("0", 0),
        ("-3", -3),
        ("1e3", "1e3"),
        ("2026-11-23", "2026-11-23"),
        ("'5'", "5"),
        ('"true"', "true"),
        ("~", None),
        ("", None),
    ],
)
def test_what_a_scalar_means(text: str, value: object) -> None:
    tree = read_text(f"a: {text}\n", Path("f"), [])
    assert tree is not None
    assert plain_value(tree) == {"a": value}


def test_every_value_knows_its_place() -> None:
    tree = read_text("a:\n  - x: 1\n", Path("f"), [])
    assert tree is not None
    origin, listed = tree.entries["a"]
    assert (origin.line, origin.column) == (1, 1)
    assert (listed.origin.line, listed.origin.column) == (2, 3)
    assert str(listed.items[0].entries["x"][1].origin) == "f:2:8"  # type: ignore[union-attr]


def test_an_alias_is_its_anchor() -> None:
    tree = read_text("a: &x [1]\nb: *x\n", Path("f"), [])
    assert tree is not None
    assert plain_value(tree) == {"a": [1], "b": [1]}
