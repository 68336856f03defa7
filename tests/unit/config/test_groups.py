from __future__ import annotations

import pytest

from devenv.cli.load import names_of
from devenv.errors import UsageError
from devenv.flows.up import check_names, members_of
from tests.unit.config.conftest import Write, faults, read

SERVICES = "services: {a: {image: x}, b: {image: x}}\n"


def test_groups_hold_services_dependencies_and_groups(write: Write) -> None:
    groups = "groups: {one: [a, redis], all: [one, b, a]}\n"
    environment = read(write({"devenv.yaml": SERVICES + groups, "profiles/default.yaml": "include: [redis]\n"}))
    assert environment.groups == {"one": ("a", "redis"), "all": ("a", "redis", "b")}
    assert members_of(environment, ["b", "one"]) == ["b", "a", "redis"]
    assert ("group", "one", "") in names_of(environment)
    check_names(environment, ["one", "a", "redis"])
    with pytest.raises(UsageError) as caught:
        check_names(environment, ["al"])
    assert caught.value.code == "name-unknown"
    assert caught.value.message.startswith("service, dependency or group 'al' is not in this environment")
    assert (caught.value.facts["nearest"], caught.value.facts["known"]) == (
        ' (did you mean "all"?)',
        "a, all, b, one, redis",
    )


@pytest.mark.parametrize(
    ("groups", "line"),
    [
        (
            "{g: [aa]}",
            'devenv.yaml:2:14  groups.g[0]  "aa" is no service, dependency or group (did you mean "a"?); '
            "known: a, b, g",
        ),
        ("{a: [b]}", "devenv.yaml:2:10  groups.a  a service or dependency has that name too: rename one of them"),
        (
            "{g: [h], h: [g]}",
            "devenv.yaml:2:14  groups.g  groups hold each other: g → h → g; one of them must go without",
        ),
        ("{g: [a, g]}", "devenv.yaml:2:17  groups.g  a group can't hold itself: remove it here"),
        ("{g: []}", "devenv.yaml:2:13  groups.g  expected at least one item, got none"),
        ("{g: a}", 'devenv.yaml:2:13  groups.g  expected a list, got "a": write [a]'),
    ],
)
def test_faults(write: Write, groups: str, line: str) -> None:
    assert faults(write({"devenv.yaml": f"{SERVICES}groups: {groups}\n"})) == [line]
