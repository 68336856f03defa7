"""Whatever stands in the files, the answer is an environment or an error that names a place in them."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, event, example, given, settings
from hypothesis import strategies as st

from devenv.config.explain import explain
from devenv.config.load import load_layers
from devenv.config.show import documents
from devenv.errors import ConfigError, UsageError
from devenv.terminal.explained import explained_lines
from tests.docs.markdown import DOCS, blocks
from tests.scale import scaled, seconds
from tests.unit.config.test_load import FILES

pytestmark = pytest.mark.timeout(seconds())

FOLDER = tempfile.TemporaryDirectory(prefix="devenv-fuzz-")
ROOT = Path(FOLDER.name)
PLACE = re.compile(r"(\S+):(\d+):(\d+)( \(shipped\))?  .")
BREAKS = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
SHIPPED = Path(__file__).parents[3]


# What the files of the documentation name, so that they are without faults before they are changed.
NAMED = [
    *("services/orders/tests/test_a.py", "services/orders/templates/a.html", "services/orders/app.conf"),
    *("services/orders/pyproject.toml", "deploy/orders.yaml", "payments.conf", "profiles/more.yaml"),
]


def setup_module() -> None:
    for name, text in {**FILES, **dict.fromkeys(NAMED, "")}.items():
        (ROOT / name).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / name).write_text(text)


def teardown_module() -> None:
    FOLDER.cleanup()


def check(environment: bytes, profile: bytes) -> None:
    """Load the two files as every command does; whatever else is raised is a bug."""
    (ROOT / "devenv.yaml").write_bytes(environment)
    (ROOT / "profiles/default.yaml").write_bytes(profile)
    try:
        loaded = load_layers(ROOT / "devenv.yaml", start=ROOT)
        assert explained_lines(explain(loaded), ROOT)
        assert documents(loaded)
        event("valid")
    except UsageError:
        event("usage error")
    except ConfigError as error:
        event("faults")
        check_places(error.details)


def check_places(lines: Sequence[str]) -> None:
    assert lines
    for line in lines:
        check_place(line)


def check_place(line: str) -> None:
    assert "\n" not in line, line
    found = PLACE.match(line)
    assert found, line
    file = (SHIPPED if found[4] else ROOT) / found[1]
    assert file.is_file(), line
    lines = BREAKS.split(file.read_bytes().decode("utf-8-sig", errors="replace"))
    number, column = int(found[2]), int(found[3])
    assert 1 <= number <= len(lines), line
    assert 1 <= column <= len(lines[number - 1]) + 1, line


# --- trees of known and unknown words ----------------------------------------------------------------------------
WORDS = [
    *("version", "name", "profile", "services", "dependencies", "include", "build", "image", "ports", "env", "deploy"),
    *("sync", "test", "needs", "command", "from", "to", "reload", "signal", "exec", "context", "dockerfile", "target"),
    *("args", "path", "workload", "container", "reports", "mode", "stub", "real", "with", "parameters", "wiremock"),
    *(
        "volumes",
        "files",
        "ready",
        "default",
        "type",
        "doc",
        "size",
        "cluster",
        "helm",
        "+args",
        "+needs",
        "web",
        "api",
    ),
    *(
        "postgres",
        "redis",
        "payments",
        "groups",
        "hooks",
        "resources",
        "replicas",
        "init",
        "seed",
        "env_file",
        "secret",
    ),
]
ODD = [
    *("", " ", "\0", "/", "..", "~", "null", "${with.version}", "${with.", "${", "$", "${with.a}${with.b}", "${A:-b}"),
    *("a/" * 300, "x" * 300, "é", "\ud7ff", "\U0001f600", "\u2028", "\x85", "\ufeff", "off", "0x10", "1e400", "-0"),
    *("profiles/default.yaml", "../..", "/etc", "services/orders", "http://", "HUP", "restart", "stub", "real"),
]
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.sampled_from([*WORDS, *ODD]) | st.text()
)
KEYS = st.sampled_from(WORDS) | st.sampled_from(ODD) | st.text(max_size=8)
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=25
)
PORTS = st.dictionaries(st.sampled_from(["http", "x", "Http"]), st.integers(-1, 70000) | SCALARS, max_size=2)
LIKE_SERVICE = st.fixed_dictionaries(
    {},
    optional={
        "build": st.just("services/orders") | TREES,
        "image": st.just("x") | TREES,
        "ports": PORTS,
        "env": st.dictionaries(KEYS, SCALARS, max_size=3),
        "needs": st.lists(st.sampled_from(["web", "api", "postgres", "redis"]) | SCALARS, max_size=3),
        "sync": st.lists(
            st.fixed_dictionaries({"from": SCALARS, "to": SCALARS}, optional={"reload": TREES}), max_size=2
        ),
        "test": TREES,
        "deploy": TREES,
        "command": TREES,
    },
)
REQUESTS = st.builds(" ".join, st.tuples(st.sampled_from(["GET", "get", "ANY", "", "X"]), st.text(max_size=9))) | KEYS
LIKE_DEPENDENCY = st.fixed_dictionaries(
    {},
    optional={
        "mode": st.sampled_from(["stub", "real", "off"]) | SCALARS,
        "stub": st.fixed_dictionaries({"wiremock": st.just("../stubs/payments") | SCALARS, "ports": PORTS})
        | st.fixed_dictionaries({"routes": st.dictionaries(REQUESTS, TREES, max_size=3), "ports": PORTS})
        | TREES,
        "real": st.fixed_dictionaries({"image": SCALARS}, optional={"ports": PORTS, "files": TREES, "+args": TREES}),
        "with": st.dictionaries(KEYS, TREES, max_size=3),
        "parameters": st.dictionaries(KEYS, st.fixed_dictionaries({}, optional={"default": TREES, "type": SCALARS})),
    },
)
NAMES = st.sampled_from(["web", "api", "a", "postgres", "redis"]) | KEYS
ENVIRONMENTS = st.fixed_dictionaries(
    {},
    optional={
        "name": SCALARS,
        "profile": SCALARS,
        "services": st.dictionaries(NAMES, LIKE_SERVICE | TREES, max_size=3),
    },
)
PROFILES = st.fixed_dictionaries(
    {},
    optional={
        "include": st.lists(st.sampled_from(["postgres", "redis", "default", "./default"]) | SCALARS, max_size=3)
        | TREES,
        "dependencies": st.dictionaries(NAMES, LIKE_DEPENDENCY | TREES, max_size=3),
    },
)


def dumped(tree: object, *, as_json: bool) -> bytes:
    text = json.dumps(tree) if as_json else yaml.dump(tree, allow_unicode=True, sort_keys=False)
    return text.encode("utf-8", errors="replace")


@given(ENVIRONMENTS | TREES, PROFILES | TREES, st.booleans())
@settings(max_examples=scaled(110, full=4000), deadline=None, suppress_health_check=list(HealthCheck))
@example({"services": {"web": {"build": "a\0b"}}}, {}, True)
@example({"services": {"web": {"build": "x" * 300, "deploy": "y" * 300}}}, {"include": ["./" + "z" * 300]}, True)
@example(
    {"services": {"web": {"image": "x", "sync": [{"from": "a\0", "to": "/b\0"}]}}}, {"include": ["\0", "./\0"]}, True
)
def test_made_trees(environment: object, profile: object, as_json: bool) -> None:
    check(dumped(environment, as_json=as_json), dumped(profile, as_json=as_json))


# --- real files, mutated -----------------------------------------------------------------------------------------
REAL = [
    (FILES["devenv.yaml"], FILES["profiles/default.yaml"]),
    tuple((DOCS / "tutorial/shop" / name).read_text() for name in ("devenv.yaml", "profiles/default.yaml")),
    tuple(block.text for block in blocks(DOCS / "reference/files.md") if block.language == "yaml")[:2],
]
VALUES = [
    "3",
    "true",
    "[a, b]",
    "{a: b}",
    "",
    "~",
    "text",
    '"5"',
    "*a",
    "&a x",
    "!t x",
    "|",
    ">",
    "- x",
    "? x",
    "'",
    "é",
]
Mutation = Callable[[st.DrawFn, bytes], bytes]


def flip_bytes(draw: st.DrawFn, data: bytes) -> bytes:
    changed = bytearray(data or b"\0")
    for _ in range(draw(st.integers(1, 3))):
        changed[draw(st.integers(0, len(changed) - 1))] = draw(st.integers(0, 255))
    return bytes(changed)


def edit_lines(draw: st.DrawFn, data: bytes) -> bytes:
    lines = data.split(b"\n")
    first, second = (draw(st.integers(0, len(lines) - 1)) for _ in range(2))
    how = draw(st.sampled_from(["delete", "double", "swap", "indent", "outdent", "truncate", "tab"]))
    edits = {
        "delete": lines[:first] + lines[first + 1 :],
        "double": [*lines[:first], lines[first], *lines[first:]],
        "indent": [*lines[:first], b"  " + lines[first], *lines[first + 1 :]],
        "outdent": [*lines[:first], lines[first][2:], *lines[first + 1 :]],
        "tab": [*lines[:first], b"\t" + lines[first], *lines[first + 1 :]],
        "truncate": lines[: first + 1],
    }
    lines[first], lines[second] = (lines[second], lines[first]) if how == "swap" else (lines[first], lines[second])
    return b"\n".join(edits.get(how, lines))


def swap_words(draw: st.DrawFn, data: bytes) -> bytes:
    spots = list(re.finditer(rb"[\w+./-]+", data))
    if not spots:
        return data
    spot, other = draw(st.sampled_from(spots)), draw(st.sampled_from(spots))[0]
    word = draw(st.sampled_from([other, *(word.encode() for word in WORDS)]))
    return data[: spot.start()] + word + data[spot.end() :]


def swap_types(draw: st.DrawFn, data: bytes) -> bytes:
    spots = list(re.finditer(rb"(?<=: )[^\n,}\]]+", data))
    if not spots:
        return data
    spot = draw(st.sampled_from(spots))
    return data[: spot.start()] + draw(st.sampled_from(VALUES)).encode() + data[spot.end() :]


def insert_odd(draw: st.DrawFn, data: bytes) -> bytes:
    at = draw(st.integers(0, len(data)))
    odd = draw(st.sampled_from(ODD) | st.text(max_size=3)).encode("utf-8", errors="replace")
    return data[:at] + odd + data[at:]


def nest(draw: st.DrawFn, data: bytes) -> bytes:
    deep, (opener, closer) = draw(st.integers(1, 300)), draw(st.sampled_from([(b"[", b"]"), (b"{a: ", b"}")]))
    spots = list(re.finditer(rb"(?<=: )[^\n,}\]]+", data))
    spot = draw(st.sampled_from(spots)) if spots else None
    nested = opener * deep + b"x" + closer * draw(st.sampled_from([deep, deep - 1]))
    return data[: spot.start()] + nested + data[spot.end() :] if spot else nested


MUTATIONS: list[Mutation] = [flip_bytes, edit_lines, swap_words, swap_types, insert_odd, nest]


@st.composite
def mutated(draw: st.DrawFn) -> tuple[bytes, bytes]:
    files = [text.encode() for text in draw(st.sampled_from(REAL))]
    for _ in range(draw(st.integers(1, 4))):
        chosen = draw(st.integers(0, 1))
        files[chosen] = draw(st.sampled_from(MUTATIONS))(draw, files[chosen])
    return files[0], files[1]


@given(mutated())
@settings(max_examples=scaled(140, full=5000), deadline=None, suppress_health_check=list(HealthCheck))
def test_mutated_files(files: tuple[bytes, bytes]) -> None:
    check(*files)


# --- anything ----------------------------------------------------------------------------------------------------
TOKENS = st.sampled_from(
    [*WORDS, *ODD, ": ", "\n", "  ", "- ", "[", "]", "{", "}", "&a ", "*a", "!!", "|\n", "#", '"', "'", "? "]
)


@given(st.lists(TOKENS | st.text(max_size=3), max_size=30).map("".join) | st.text(), st.binary(max_size=40))
@settings(max_examples=scaled(50, full=1500), deadline=None, suppress_health_check=list(HealthCheck))
def test_any_text(text: str, data: bytes) -> None:
    check(text.encode("utf-8", errors="replace"), data)
