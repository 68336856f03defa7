from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devenv.config.interpolate import Interpolation
from devenv.config.load import load
from devenv.config.model import Environment, Origin
from devenv.config.source import Fault, Leaf, Map, plain_value
from tests.unit.config.conftest import Write, faults

HERE = Origin(Path("/p/devenv.yaml"), 1, 1)
NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
TEXT = st.text(st.characters(codec="utf-8"), max_size=30)


def put(text: str, *, parameters: bool = False, **environ: str) -> tuple[object, list[str]]:
    """What a text becomes, and what is wrong with it."""
    interpolation = Interpolation(environ, parameters=parameters)
    filled = interpolation.put_into(Map({"key": (HERE, Leaf(text, HERE))}, HERE))
    return plain_value(filled)["key"], [fault.text for fault in interpolation.faults]


def web(write: Write, service: str, **environ: str) -> Environment:
    root = write({"devenv.yaml": f"services: {{web: {service}}}\n"})
    return load(None, start=root, environ=environ)


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("${A}", "one"),
        ("x-${A}-${B}", "x-one-two"),
        ("${A}${A}", "oneone"),
        ("${NONE:-default}", "default"),
        ("${NONE:-}", ""),
        ("${NONE:-a:-b$c}", "a:-b$c"),
        ("${A:-default}", "one"),
        ("${EMPTY:-default}", "default"),
        ("${EMPTY}", ""),
        ("$${A}", "${A}"),
        ("$$${A}", "$${A}"),
        ("$A $$ $", "$A $$ $"),
        ("$(A) {A} }", "$(A) {A} }"),
        ("a\n${A}\n", "a\none\n"),
    ],
)
def test_a_text_is_filled_in(text: str, becomes: str) -> None:
    assert put(text, A="one", B="two", EMPTY="") == (becomes, [])


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("${NONE}", "the environment variable NONE is not set; ${NONE:-default} gives it a default"),
        ("${", "${ is not closed by a }; write $${ for a literal ${"),
        ("${A", "${ is not closed by a }; write $${ for a literal ${"),
        ("${}", "${} is neither ${NAME} nor ${NAME:-default}; write $${ for a literal ${"),
        ("${A%x}", "${A%x} is neither ${NAME} nor ${NAME:-default}; write $${ for a literal ${"),
        ("${A-x}", "${A-x} is neither ${NAME} nor ${NAME:-default}; write $${ for a literal ${"),
        ("${1}", "${1} is neither ${NAME} nor ${NAME:-default}; write $${ for a literal ${"),
        ("${with.x}", "${with.x} is neither ${NAME} nor ${NAME:-default}; write $${ for a literal ${"),
        ("${NONE:-${A}}", "the default of NONE can't hold another ${...}"),
    ],
)
def test_what_can_not_be_filled_in_is_told_and_left(text: str, wrong: str) -> None:
    assert put(text, A="one") == (text, [wrong])


def test_everything_wrong_with_a_text_is_told() -> None:
    assert len(put("${A} ${B} ${C-}")[1]) == 3


@given(TEXT.filter(lambda text: "${" not in text))
def test_a_text_without_a_use_stays_as_it_is(text: str) -> None:
    assert put(text, A="one") == (text, [])


@given(TEXT, st.booleans())
def test_a_doubled_dollar_is_the_way_to_any_text(text: str, parameters: bool) -> None:  # noqa: FBT001
    written = text.replace("${", "$${")
    assert put(written, A="one") == (text, [])


@given(NAMES, TEXT, TEXT, TEXT)
def test_a_value_is_put_in_as_it_is_and_not_read_again(name: str, value: str, before: str, after: str) -> None:
    before, after = before.replace("$", ""), after.replace("$", "")
    assert put(f"{before}${{{name}}}{after}", parameters=False, **{name: value}) == (f"{before}{value}{after}", [])


@given(st.text("${}:-Aa with.\\", max_size=20), st.booleans())
def test_nothing_makes_it_fail(text: str, parameters: bool) -> None:  # noqa: FBT001
    filled, wrong = put(text, A="one", parameters=parameters)
    assert (filled == text) if wrong else isinstance(filled, str)


def test_all_missing_variables_of_all_files_are_told_at_once_and_nothing_else_of_them(write: Write) -> None:
    files = {
        "devenv.yaml": "profile: '${WHICH}'\nservices:\n  web:\n    image: '${IMAGE}'\n    ports: {http: '${PORT}'}\n",
        "devenv.local.yaml": "services: {web: {env: {A: '${MINE}'}}}\n",
    }
    assert faults(write(files), environ={}) == [
        "devenv.yaml:1:10  profile  the environment variable WHICH is not set; ${WHICH:-default} gives it a default",
        "devenv.yaml:4:12  services.web.image  the environment variable IMAGE is not set; "
        "${IMAGE:-default} gives it a default",
        "devenv.yaml:5:19  services.web.ports.http  the environment variable PORT is not set; "
        "${PORT:-default} gives it a default",
        "devenv.local.yaml:1:27  services.web.env.A  the environment variable MINE is not set; "
        "${MINE:-default} gives it a default",
    ]


def test_a_missing_variable_does_not_hide_other_faults(write: Write) -> None:
    root = write({"devenv.yaml": "nmae: x\nservices: {web: {image: '${IMAGE}', prots: {}}}\n"})
    told = faults(root, environ={})
    assert [line.split("  ")[1] for line in told] == ["nmae", "services.web.image", "services.web.prots"]


def test_keys_are_not_filled_in(write: Write) -> None:
    assert web(write, "{image: x, env: {'${A}': b}}", A="one").services["web"].env == {"${A}": "b"}


@pytest.mark.parametrize("written", ["'${PORT:-8000}'", "'${NONE:-}${PORT:-8000}'"])
def test_a_number_may_come_from_variables_where_one_is_wanted(write: Write, written: str) -> None:
    assert web(write, f"{{image: x, ports: {{http: {written}}}}}").services["web"].ports == {"http": 8000}
    assert web(write, f"{{image: x, ports: {{http: {written}}}}}", PORT="81").services["web"].ports == {"http": 81}


def test_a_number_in_block_style_needs_no_quotes(write: Write) -> None:
    root = write({"devenv.yaml": "services:\n  web:\n    image: x\n    ports:\n      http: ${PORT:-8000}\n"})
    assert load(None, start=root, environ={}).services["web"].ports == {"http": 8000}


@pytest.mark.parametrize("value", ["eighty", "08", "+8", "8.0", "1_0", "", " 8", "\u0668", "9" * 30])
def test_what_is_no_plain_number_is_told_as_text(write: Write, value: str) -> None:
    root = write({"devenv.yaml": "services: {web: {image: x, ports: {http: '${PORT}'}}}\n"})
    told = f'devenv.yaml:1:42  services.web.ports.http  expected a whole number, got "{value}"'
    assert faults(root, environ={"PORT": value}) == [told]


def test_a_number_out_of_range_is_told(write: Write) -> None:
    root = write({"devenv.yaml": "services: {web: {image: x, ports: {http: '${PORT}'}}}\n"})
    assert "expected a port from 1 to 65535, got the number 0" in faults(root, environ={"PORT": "0"})[0]


def test_text_that_no_variable_gave_is_no_number(write: Write) -> None:
    root = write({"devenv.yaml": "services: {web: {image: x, ports: {http: '8000'}}}\n"})
    assert faults(root) == [
        'devenv.yaml:1:42  services.web.ports.http  expected a whole number, got "8000": write it without quotes'
    ]


@pytest.mark.parametrize("value", ["1", "007", "+49", "true", "null", "~", "", "1e3", "no"])
def test_an_environment_variable_stays_what_it_is(write: Write, value: str) -> None:
    text = "{image: x, env: {A: '${A}', B: '${NONE:-VALUE}'}, command: [run, '${A}']}".replace("VALUE", value)
    service = web(write, text, A=value).services["web"]
    assert service.env == {"A": value, "B": value}
    assert service.command == ("run", value)


def test_a_command_for_sh_keeps_its_own_variables(write: Write) -> None:
    command = "'echo $HOME $${PATH%%:*} ${A}'"
    assert web(write, f"{{image: x, command: {command}}}", A="one").services["web"].command == (
        "sh",
        "-c",
        "echo $HOME ${PATH%%:*} one",
    )


PROFILE = """\
dependencies:
  search:
    parameters: {version: {default: "${V:-2}"}}
    real:
      image: "acme/${NAME:-search}:${with.version}"
      ports: {http: "${PORT:-9200}"}
      env: {LITERAL: "$${with.version}", BOTH: "$${A} ${with.version}", GIVEN: "${GIVEN:-}"}
"""


def test_parameters_and_variables_live_beside_each_other(write: Write) -> None:
    root = write({"devenv.yaml": "", "profiles/default.yaml": PROFILE})
    real = load(None, start=root, environ={"V": "3", "GIVEN": "${with.version} $${with.x}"}).dependencies["search"].real
    assert real
    assert real.image == "acme/search:3"
    assert real.ports == {"http": 9200}
    assert real.env == {"LITERAL": "${with.version}", "BOTH": "${A} 3", "GIVEN": "${with.version} $${with.x}"}


def test_a_parameters_value_from_a_variable_is_no_use_of_a_parameter(write: Write) -> None:
    root = write({"devenv.yaml": "", "profiles/default.yaml": PROFILE})
    real = load(None, start=root, environ={"V": "${with.v}"}).dependencies["search"].real
    assert real
    assert real.image == "acme/search:${with.v}"


def test_the_processs_own_variables_are_taken_by_default(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEVENV_TEST_IMAGE", "mine")
    root = write({"devenv.yaml": "services: {web: {image: '${DEVENV_TEST_IMAGE}'}}\n"})
    assert load(None, start=root).services["web"].image == "mine"


def test_a_place_is_told_with_each_fault() -> None:
    interpolation = Interpolation({})
    place = Origin(Path("/p/devenv.yaml"), 7, 9)
    interpolation.put_into(Map({"a": (HERE, Leaf("${X}", place))}, HERE))
    assert [(f.origin, f.path) for f in interpolation.faults] == [(place, "a")]
    assert isinstance(interpolation.faults[0], Fault)
