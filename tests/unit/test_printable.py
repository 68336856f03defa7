from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devenv.printable import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("src/café 1.py", "src/café 1.py"),
        ("new\nline", "new\\nline"),
        ("\x1b[2Jgone", "\\x1b[2Jgone"),
        (os.fsdecode(b"\xff\xfe"), "\\xff\\xfe"),
        ("\u202etxt", "\\u202etxt"),
    ],
)
def test_nothing_in_it_is_hidden(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.binary(max_size=30))
def test_any_name_is_one_line_that_can_be_encoded(name: bytes) -> None:
    shown = printable(os.fsdecode(name))
    assert shown.isprintable()
    assert shown.encode().decode() == shown
