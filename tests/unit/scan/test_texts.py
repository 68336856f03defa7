"""Variables, dotenv files, names, YAML of other tools, and YAML that is written."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devenv.config.schema import NAME, PORT_NAME
from devenv.config.source import Fault, Map, plain_value, read_text
from devenv.scan.dotenv import Variable, as_map, looks_secret, read_variables
from devenv.scan.hosts import find_hints, find_hosts, rename_hosts, to_dependency
from devenv.scan.interpolate import Use, interpolate
from devenv.scan.names import clean_name, name_ports
from devenv.scan.yamltext import Unreadable, read_map
from devenv.scan.yamlwrite import entry


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("$A-${A}", "1-1"),
        ("${EMPTY:-x}${EMPTY-x}${NONE-x}${NONE:-x}", "xxx"),
        ("${NONE:-${A}b}", "1b"),
        ("${A:+set}${NONE:+set}", "set"),
        ("${A:?no}${NONE:?no}", "1"),
        ("$$A $${A}", "$A ${A}"),
        ("$ ${ 5$", "$ ${ 5$"),
        ("${NONE:-a}b}", "ab}"),
    ],
)
def test_variables_as_compose_puts_them_in(text: str, becomes: str) -> None:
    assert interpolate(text, {"A": "1", "EMPTY": ""}) == becomes


def test_uses_are_told_but_not_those_of_a_branch_not_taken() -> None:
    uses: list[Use] = []
    interpolate("${A:-$B} ${C:-d} $E", {"A": "1"}, uses.append)
    assert [(use.name, use.how) for use in uses] == [("A", "set"), ("C", "default"), ("E", "missing")]


@given(st.text())
def test_any_text_can_be_interpolated(text: str) -> None:
    interpolate(text, {})


def test_a_dotenv_file() -> None:
    text = "\ufeff# c\nA=1 # note\nexport B='x # y'\nC=\"a\\nb\" # c\nD=\nE\n =x\nA=2\nF=p#q\n"
    assert as_map(read_variables(text, ".env")) == {"A": "2", "B": "x # y", "C": "a\nb", "D": "", "F": "p#q"}
    assert read_variables("\nX=1\n", ".env")[0].place == ".env:2"


@pytest.mark.parametrize("name", ["STRIPE_API_KEY", "DJANGO_SECRET_KEY", "GH_TOKEN", "DB_PASSWORD"])
def test_names_of_secrets(name: str) -> None:
    assert looks_secret(name)


@pytest.mark.parametrize("name", ["LOG_LEVEL", "KEYBOARD", "MONKEY", "PORT"])
def test_names_of_no_secrets(name: str) -> None:
    assert not looks_secret(name)


@given(st.text(), st.sets(st.sampled_from(["a", "b", "x"])))
def test_a_name_is_one_that_kubernetes_takes(text: str, taken: set[str]) -> None:
    name = clean_name(text, taken=taken)
    assert re.fullmatch(NAME, name)
    assert name not in taken


@given(st.lists(st.integers(1, 65535)))
def test_ports_get_names_of_their_own(ports: list[int]) -> None:
    named = name_ports(ports)
    assert sorted(named.values()) == sorted(set(ports))
    assert all(re.fullmatch(PORT_NAME, name) and len(name) <= 15 for name in named)


@pytest.mark.parametrize(
    ("variables", "found"),
    [
        ({"DATABASE_URL": "postgres://u:p%40@db:5432/shop?x=1"}, [("postgres", "db", "u", "p@", "shop")]),
        ({"X": "jdbc:postgresql://localhost/a", "X_USER": "u"}, [("postgres", "localhost", "", "", "a")]),
        ({"SQLALCHEMY": "mysql+pymysql://r@127.0.0.1:3307/d"}, [("mysql", "127.0.0.1", "r", "", "d")]),
        ({"REDIS_HOST": "cache"}, [("redis", "cache", "", "", "")]),
        ({"DB_HOST": "localhost", "DB_PORT": "3306", "DB_USER": "u"}, [("mysql", "localhost", "u", "", "")]),
        ({"DB_HOST": "localhost", "DB_CONNECTION": "pgsql_postgresql"}, [("postgres", "localhost", "", "", "")]),
        ({"KAFKA_BOOTSTRAP_SERVERS": "k1:9092,k2:9092"}, [("kafka", "k1", "", "", "")]),
        ({"SPRING_RABBITMQ_HOST": "rabbit"}, [("rabbitmq", "rabbit", "", "", "")]),
        ({"MONGO": "mongodb+srv://a:b@c/d"}, [("mongo", "c", "a", "b", "d")]),
        ({"API_URL": "http://x", "DB_HOST": "x", "REDIS_DB": "1", "PGP_KEY": "x"}, []),
    ],
)
def test_what_variables_say(variables: dict[str, str], found: list[tuple[str, ...]]) -> None:
    hints = find_hints([Variable(name, value, "") for name, value in variables.items()])
    assert [(h.kind.name, h.host, h.user, h.password, h.database) for h in hints] == found


def test_libraries_tell_the_kind_of_a_database() -> None:
    assert find_hints([Variable("DB_HOST", "db", "")], drivers="psycopg[binary]")[0].kind.name == "postgres"


def test_hosts_are_found_and_written_anew() -> None:
    assert find_hosts("http://a:1/x amqp://u@b") == [("a", 1), ("b", 5672)]
    assert find_hosts("mail:1025") == [("mail", 1025)]
    names = {"my_db": "my-db", "api": "web"}
    assert rename_hosts("postgres://u:my_db@my_db:5432/my_db", names) == "postgres://u:my_db@my-db:5432/my_db"
    assert rename_hosts("api", names) == "web"
    assert rename_hosts("k://api:1,api:2 --to=api apiary", names) == "k://web:1,web:2 --to=web apiary"


@pytest.mark.parametrize(
    ("value", "becomes"),
    [
        ("redis://localhost:6380/0", "redis://redis:6379/0"),
        ("localhost", "redis"),
        ("127.0.0.1:1,localhost:2", "redis:6379,redis:6379"),
        ("redis://u:p@0.0.0.0/", "redis://u:p@redis/"),
        ("redis://localhosts:1", "redis://localhosts:1"),
    ],
)
def test_this_machine_becomes_the_dependency(value: str, becomes: str) -> None:
    assert to_dependency(value, "redis", 6379) == becomes


def test_merge_keys_and_anchors() -> None:
    tree = read_map("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: {<<: [*a, {x: 9, z: 4}]}\n", "c.yaml")
    assert plain_value(tree)["b"] == {"x": 1, "y": 3}
    assert plain_value(tree)["c"] == {"x": 1, "y": 2, "z": 4}


@pytest.mark.parametrize("text", ["a: [", "- 1\n", "a: &a [*a]\n", "\x00", "a: b: c", "x: " + "[" * 90 + "]" * 90])
def test_what_is_no_mapping_is_told(text: str) -> None:
    with pytest.raises(Unreadable):
        read_map(text, "c.yaml")


def test_aliases_of_aliases_end() -> None:
    lines = ["a0: &a0 [x,x,x,x,x,x,x,x,x]"]
    lines += [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    with pytest.raises(Unreadable, match="more values"):
        read_map("\n".join(lines), "c.yaml")


TEXTS = st.text() | st.text("ab:,#-[]{}&*!|>'\"%@` \\\t\n0123456789.~=yesno") | st.sampled_from(
    ["yes", "no", "true", "null", "~", "1.10", "22:22", "007", "-1", "+5", "0x1f", "a: b", "a #b", "- a", "---", "<<"]
)  # fmt: skip
VALUES = st.recursive(
    TEXTS | st.integers(-9, 99999) | st.booleans(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS.filter(bool), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(TEXTS.filter(lambda key: key not in ("", "<<") and not key.startswith("+")), VALUES, max_size=4))
def test_what_is_written_reads_back(values: dict[str, Any]) -> None:
    for block in (False, True):
        text = "\n".join(
            line for key, value in values.items() for line in entry(key, value, 0, why="as\nsaid", block=block)
        )
        faults: list[Fault] = []
        tree = read_text(text, Path("f.yaml"), faults)
        known = [fault for fault in faults if "stands beside" not in fault.text and "expected a word" not in fault.text]
        if not _has_reserved(values) and not _has_blank(values):
            assert known == [], text
            assert isinstance(tree, Map)
            assert plain_value(tree) == values, text


def _has_blank(value: Any) -> bool:
    """Blank keys and NULs are in no file that init writes."""
    if isinstance(value, dict):
        return any(not key.strip() or _has_blank(key) or _has_blank(inner) for key, inner in value.items())
    return any(_has_blank(item) for item in value) if isinstance(value, list) else "\0" in str(value)


def _has_reserved(value: Any) -> bool:
    """Keys that mean something to devenv's own files."""
    if isinstance(value, dict):
        keys = list(value)
        return any(k == "<<" or k.startswith("+") for k in keys) or any(_has_reserved(v) for v in value.values())
    return isinstance(value, list) and any(_has_reserved(item) for item in value)
