from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devenv.config.dotenv import parse_dotenv
from devenv.config.source import Fault

FILE = Path("/p/web.env")
NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.-]{0,12}", fullmatch=True)
TEXTS = st.text(st.characters(exclude_characters="\r", exclude_categories=["Cs"]), max_size=30)


def parse(text: str) -> dict[str, str]:
    faults: list[Fault] = []
    found = parse_dotenv(text, FILE, "services.web.env_file", faults)
    assert faults == []
    return found


def one_fault(text: str) -> str:
    faults: list[Fault] = []
    parse_dotenv(text, FILE, "services.web.env_file", faults)
    (fault,) = faults
    return fault.line(FILE.parent)


def double_quoted(value: str) -> str:
    for plain, written in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\t", "\\t"), ("$", "\\$")):
        value = value.replace(plain, written)
    return f'"{value}"'


@st.composite
def written(draw: st.DrawFn) -> tuple[dict[str, str], str]:
    """Variables, and a text that says them in one of the ways there are."""
    values = draw(st.dictionaries(NAMES, TEXTS, max_size=6))
    lines = []
    for name, value in values.items():
        ways = [double_quoted(value)]
        ways += [f"'{value}'"] if "'" not in value else []
        plain = value and value.isprintable() and value == value.strip() and "#" not in value and value[0] not in "'\""
        ways += [value] if plain else []
        lines += draw(st.lists(st.sampled_from(["", "# a comment", "  "]), max_size=2))
        before = draw(st.sampled_from(["", "export ", "  "]))
        lines.append(f"{before}{name}{draw(st.sampled_from(['=', ' = ']))}{draw(st.sampled_from(ways))}")
    return values, "\n".join(lines) + draw(st.sampled_from(["", "\n", " # end", "\n\n# end\n"]))


@settings(max_examples=300, deadline=None)
@given(written())
def test_what_was_written_is_read(case: tuple[dict[str, str], str]) -> None:
    values, text = case
    assert parse(text) == values


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("AB_=\"'\\#$ \n\texport"), max_size=60))
def test_any_text_gives_values_or_faults_within_it(text: str) -> None:
    faults: list[Fault] = []
    parse_dotenv(text, FILE, "x", faults)
    assert all(1 <= fault.origin.line <= text.count("\n") + 1 and fault.origin.column >= 1 for fault in faults)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", {}),
        ("A=\n", {"A": ""}),
        ("A=b # c\nB=b#c\nC=#c\n", {"A": "b", "B": "b#c", "C": ""}),
        ("A=1\r\nB=2\r\n", {"A": "1", "B": "2"}),
        ("\ufeffA=1", {"A": "1"}),
        ("A=1\nA=2", {"A": "2"}),
        ("A='$HOME \\n' # c", {"A": "$HOME \\n"}),
        ('A="a\nb\\n\\x"', {"A": "a\nb\n\\x"}),
        ("URL=postgresql://a:b@c/d?e=f", {"URL": "postgresql://a:b@c/d?e=f"}),
    ],
)
def test_forms(text: str, values: dict[str, str]) -> None:
    assert parse(text) == values


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("A=1\nB\n", "web.env:2:2  services.web.env_file  expected NAME=value, found no = after B"),
        ("  1A=1\n", "web.env:1:3  services.web.env_file  expected NAME=value, found no name"),
        ("A: 1\n", "web.env:1:2  services.web.env_file  expected NAME=value, found no = after A"),
        ('\nA="b\nC=1', 'web.env:2:3  services.web.env_file  the quote " that opens here is never closed'),
        ("A='b' c\n", "web.env:1:6  services.web.env_file  something follows the closing quote '"),
    ],
)
def test_faults_have_their_place(text: str, line: str) -> None:
    assert one_fault(text) == line
