from __future__ import annotations

import pytest

from devenv.completion.words import Line, join_equals, unquote


def option(names: str, value: str, *, many: bool = False) -> dict[str, object]:
    return {"names": names.split(), "value": value, "many": many, "help": ""}


UP = {
    "help": "",
    "options": [
        option("--real", "real", many=True),
        option("--output -o", "=text|json"),
        option("--detach -d", "-"),
        option("--profile -p", "profiles"),
    ],
    "arguments": [{"value": "units", "many": True}],
    "commands": {},
}
TEST = {
    "help": "",
    "options": [],
    "arguments": [{"value": "services", "many": False}, {"value": "files", "many": True}],
    "commands": {},
}
ROOT = {"help": "", "options": [option("--version", "-")], "arguments": [], "commands": {"up": UP, "test": TEST}}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("", ("commands", "", "")),
        ("u", ("commands", "", "u")),
        ("--ver", ("options", "", "--ver")),
        ("up ", ("units", "", "")),
        ("up orders re", ("units", "", "re")),
        ("up --real ", ("real", "", "")),
        ("up --real=pay", ("real", "--real=", "pay")),
        ("up --real x ", ("units", "", "")),
        ("up -o ", ("=text|json", "", "")),
        ("up -do ", ("=text|json", "", "")),
        ("up -ojson ", ("units", "", "")),
        ("up -pother ", ("units", "", "")),
        ("up -", ("options", "", "-")),
        ("up -- -", ("units", "", "-")),
        ("up --none ", ("units", "", "")),
        ("up --none=x", ("", "--none=", "x")),
        ("up --detach=x", ("-", "--detach=", "x")),
        ("test ", ("services", "", "")),
        ("test orders -- ", ("files", "", "")),
        ("test orders -- a b", ("files", "", "b")),
        ("nothing ", ("", "", "")),
        ("nothing up ", ("", "", "")),
        ("--version u", ("commands", "", "u")),
    ],
)
def test_what_the_cursor_is_at(words: str, expected: tuple[str, str, str]) -> None:
    assert Line(ROOT, words.split(" ")).value_at_cursor() == expected


def test_values_and_options_that_were_given() -> None:
    line = Line(ROOT, ["up", "-d", "--real", "a", "--real=b", "-pc", ""])
    assert line.given == {"--real": ["a", "b"], "--profile": ["c"]}
    assert line.used == {"--detach", "--real", "--profile"}


def test_no_words_at_all() -> None:
    assert Line(ROOT, []).value_at_cursor() == ("commands", "", "")


def test_bash_takes_words_apart_at_an_equals_sign() -> None:
    assert join_equals(["up", "--output", "=", "js"]) == ["up", "--output=js"]
    assert join_equals(["up", "--output", "="]) == ["up", "--output="]
    assert join_equals(["up", "--output", "=", "json", ""]) == ["up", "--output=json", ""]
    assert join_equals(["a", "=", "b"]) == ["a", "=", "b"]


def test_quotes_go() -> None:
    assert unquote("'my dir/devenv.yaml'") == "my dir/devenv.yaml"
    assert unquote("my\\ dir") == "my dir"
