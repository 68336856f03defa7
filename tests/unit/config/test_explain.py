"""Every value knows where it was written, what it replaced, and where a parameter went."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devenv.config.explain import Explained, _explained, _values, explain, select
from devenv.config.load import load_layers
from devenv.config.merge import merge_all
from devenv.config.model import Mode, Origin
from devenv.config.search import shown_place
from devenv.config.source import Located, Map
from devenv.errors import UsageError
from devenv.terminal.explained import explained_lines
from tests.unit.config.conftest import Write
from tests.unit.config.test_merge import MAPS, leaves, text

FILES = {
    "devenv.yaml": "name: shop\nservices:\n  web: {image: x, env: {}, needs: [postgres]}\n",
    "profiles/default.yaml": 'include: [team]\ndependencies: {postgres: {with: {version: "17"}}}\n',
    "profiles/team.yaml": 'include: [postgres, redis]\ndependencies: {postgres: {with: {version: "16"}}}\n',
}


def explained(root: Path, *, profiles: tuple[str, ...] = (), modes: dict[str, Mode] | None = None) -> list[Explained]:
    return explain(load_layers(None, start=root, profiles=profiles, modes=modes))


def one(root: Path, path: str, **options: dict[str, Mode]) -> tuple[object, list[str]]:
    """The value under a path, and its origin (or note) with those of what it replaced."""
    (found,) = select(explained(root, **options), path)  # type: ignore[arg-type]
    first = shown_place(found.origin, root) if found.origin else f"({found.note})"
    return found.value, [without_lines(place) for place in (first, *(shown_place(o, root) for o in found.over))]


def without_lines(text: str) -> str:
    """Shipped profiles change."""
    return re.sub(r":\d+:\d+ \(shipped", " (shipped", text)


def test_a_value_that_three_files_touched(write: Write) -> None:
    assert one(write(FILES), "dependencies.postgres.with.version") == (
        "17",
        ["profiles/default.yaml:2:43", "profiles/team.yaml:2:43", "profiles/postgres.yaml (shipped)"],
    )


def test_a_parameter_and_where_it_went(write: Write) -> None:
    root = write(FILES)
    (version,) = select(explained(root), "dependencies.postgres.with.version")
    (image,) = select(explained(root), "dependencies.postgres.real.image")
    assert [place.path for place in version.used_in] == ["dependencies.postgres.real.image"]
    assert image.value == "postgres:17"
    assert image.origin == version.used_in[0].origin
    assert [(place.path, place.origin) for place in image.parameters] == [("with.version", version.origin)]


def test_a_parameter_that_is_a_list(write: Write) -> None:
    seed = "include: [postgres]\ndependencies: {postgres: {with: {seed: [a.sql, b.sql]}}}\n"
    root = write({"devenv.yaml": "", "profiles/default.yaml": seed, "profiles/a.sql": "", "profiles/b.sql": ""})
    put = select(explained(root), "dependencies.postgres.real.files")
    assert [(found.path[-3:], found.value) for found in put] == [("[0]", "a.sql"), ("[1]", "b.sql")]
    assert {found.parameters[0].path for found in put} == {"with.seed"}


def test_a_parameter_that_nobody_gave_is_its_default(write: Write) -> None:
    (found,) = select(explained(write(FILES)), "dependencies.redis.with.version")
    assert (found.value, found.note, found.over) == ("7", "default", ())


def test_modes(write: Write) -> None:
    profile = "dependencies:\n  a: {real: {image: x}}\n  b: {mode: off}\n  c: {stub: {wiremock: ., ports: {http: 1}}}\n"
    root = write({"devenv.yaml": "", "profiles/default.yaml": profile})
    assert one(root, "dependencies.a.mode") == ("real", ["(it has no stub)"])
    assert one(root, "dependencies.c.mode") == ("stub", ["(it has a stub)"])
    assert one(root, "dependencies.b.mode") == ("off", ["profiles/default.yaml:3:13"])
    chosen: dict[str, Mode] = {"b": "off"}
    assert one(root, "dependencies.b.mode", modes=chosen) == (
        "off",
        ["(--off on the command line)", "profiles/default.yaml:3:13"],
    )


def test_what_no_file_says(write: Write) -> None:
    root = write({"devenv.yaml": "services: {}\n", "profiles/other.yaml": ""})
    assert one(root, "profile") == ("default", ["(the default)"])
    assert one(root, "name")[1] == ["(the folder's name)"]
    (chosen, *_) = select(explained(root, profiles=("other",)), "profile")
    assert (chosen.value, chosen.note) == ("other", "on the command line")
    assert one(root, "services") == ({}, ["devenv.yaml:1:11"])


def test_the_local_file_is_the_last_layer(write: Write) -> None:
    local = "services: {web: {image: y, +needs: [redis]}}\ndependencies: {redis: {with: {version: '6'}}}\n"
    root = write({**FILES, "devenv.local.yaml": local})
    assert one(root, "services.web.image") == ("y", ["devenv.local.yaml:1:25", "devenv.yaml:3:16"])
    assert one(root, "services.web.needs[1]") == ("redis", ["devenv.local.yaml:1:37"])
    assert one(root, "dependencies.redis.with.version")[1][0] == "devenv.local.yaml:2:40"


def test_several_profiles(write: Write) -> None:
    root = write({**FILES, "profiles/last.yaml": "dependencies: {postgres: {with: {version: '18'}}}\n"})
    found = select(explained(root, profiles=("default", "last")), "dependencies.postgres.with.version")
    assert [value.value for value in found] == ["18"]
    assert len(found[0].over) == 3


def test_variables_that_were_put_in(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAG", "3")
    root = write({"devenv.yaml": "services: {web: {image: 'x:${TAG}', env: {A: {secret: {env: TOKEN}}}}}\n"})
    (image,) = select(explained(root), "services.web.image")
    assert (image.value, image.note) == ("x:3", "variables put in")
    assert one(root, "services.web.env.A.secret.env")[0] == "TOKEN"


def test_lists_replaced_and_added_to(write: Write) -> None:
    files = {
        "devenv.yaml": "",
        "profiles/default.yaml": "include: [team]\ndependencies: {redis: {real: {+args: [c]}}}\n",
        "profiles/team.yaml": "include: [redis]\ndependencies: {redis: {real: {args: [a, b]}}}\n",
    }
    found = select(explained(write(files)), "dependencies.redis.real.args")
    assert [(value.value, len(value.over)) for value in found] == [("a", 1), ("b", 1), ("c", 0)]


@pytest.mark.parametrize(
    ("first", "second", "over"),
    [("x: text", "x: {y: 1}", ["f:1:4"]), ("x: {y: 1}", "x: text", ["f:1:4"]), ("x: {y: 1}", "x: {z: 1}", [])],
)
def test_a_text_over_a_mapping_and_the_other_way_round(first: str, second: str, over: list[str]) -> None:
    layers = [text(first), text(f"\n{second}")]
    tree = merge_all(layers)
    found = [_explained(value, layers) for value in _values(tree, tree, ())][-1]
    assert [str(origin) for origin in found.over] == over


@given(st.lists(MAPS, min_size=1, max_size=4))
def test_history_agrees_with_merging(layers: list[Map]) -> None:
    """Each value is explained once, with its own origin; it never replaced itself, nor what is still there."""
    tree = merge_all(layers)
    found = [_explained(value, layers) for value in _values(tree, tree, ())]
    kept = [leaf.origin for leaf in leaves(tree)]
    assert [value.origin for value in found if value.value not in ([], {})] == kept
    for value in found:
        assert value.origin not in value.over
        earlier = [origin for layer in layers[:-1] for origin in all_origins(layer)]
        assert set(value.over) <= set(earlier)


def all_origins(tree: Located) -> list[Origin]:
    inner = [value for _, value in tree.entries.values()] if isinstance(tree, Map) else getattr(tree, "items", ())
    return [tree.origin, *(origin for value in inner for origin in all_origins(value))]


@pytest.mark.parametrize(
    ("path", "told", "known"),
    [
        ("services.wbe", 'services.wbe (did you mean "web"?)', "known below services: web"),
        (
            "services.web.imgae",
            'services.web.imgae (did you mean "image"?)',
            "known below services.web: image, env, needs",
        ),
        ("nmae", 'nmae (did you mean "name"?)', "known at the top: name, profile, services, dependencies"),
        ("services.web.needs[3]", 'services.web.needs[3] (did you mean "[0]"?)', "known below services.web.needs: [0]"),
        ("services.web.image.x", "services.web.image.x", "known below services.web.image: nothing"),
    ],
)
def test_a_wrong_path(write: Write, path: str, told: str, known: str) -> None:
    with pytest.raises(UsageError) as caught:
        select(explained(write(FILES)), path)
    assert caught.value.code == "key-unknown"
    assert (caught.value.message, caught.value.hint) == (f"the configuration has no {told}", known)


def test_the_lines_that_people_read(write: Write) -> None:
    root = write(FILES)
    version = select(explained(root), "dependencies.postgres.with.version")
    image = select(explained(root), "dependencies.postgres.real.image")
    assert [without_lines(line) for line in explained_lines([*version, *image], root)] == [
        'dependencies.postgres.with.version  "17"         profiles/default.yaml:2:43',
        "    over: profiles/team.yaml:2:43, profiles/postgres.yaml (shipped)",
        "    used in dependencies.postgres.real.image: profiles/postgres.yaml (shipped)",
        "dependencies.postgres.real.image    postgres:17  profiles/postgres.yaml (shipped)",
        "    with.version from profiles/default.yaml:2:43",
    ]
