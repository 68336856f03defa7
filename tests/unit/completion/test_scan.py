from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from devenv.completion.scan import dependencies, keys_below, value_of

TEXT = """\
# services: {not: this}
name: shop
services:   # the ones we edit
  orders:
    build: services/orders
    env: {URL: "http://x"}   # text
  # gone: 1

  "worker":
    image: x
groups:
    back: [orders]
    front: [web]
"""


def test_keys_one_level_below() -> None:
    assert keys_below(TEXT, "services") == ["orders", "worker"]
    assert keys_below(TEXT, "groups") == ["back", "front"]
    assert keys_below(TEXT, "name") == []


def test_values() -> None:
    assert value_of("profile: dev # mine\n", "profile") == ["dev"]
    assert value_of("include: [a, 'b', ./c]\n", "include") == ["a", "b", "./c"]
    assert value_of("include:\n  - a\n  - ./b\n", "include") == ["a", "./b"]
    assert value_of("include:\n- a\n- b\nother: 1\n", "include") == ["a", "b"]


def test_dependencies_of_a_profile_and_of_those_it_includes(tmp_path: Path) -> None:
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles/default.yaml").write_text("include: [redis, base, ./more]\ndependencies:\n  pay: {}\n")
    (tmp_path / "profiles/base.yaml").write_text("include: [default]\ndependencies:\n  mail:\n    mode: stub\n")
    (tmp_path / "profiles/more.yaml").write_text("dependencies:\n  search:\n    mode: stub\n")
    found = dependencies(str(tmp_path), "default", {"redis": ["redis"], "postgres": ["postgres"]})
    assert found == ["pay", "redis", "mail", "search"]


def test_a_profile_that_shadows_the_shipped_one_it_includes(tmp_path: Path) -> None:
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles/redis.yaml").write_text("include: [redis]\ndependencies:\n  more: {}\n")
    assert dependencies(str(tmp_path), "redis", {"redis": ["redis"]}) == ["more", "redis"]


@given(st.text(alphabet=st.sampled_from("ab:-[]#'\" \n\t{}é"), max_size=80))
def test_any_text_is_read(text: str) -> None:
    keys_below(text, "a")
    value_of(text, "a")
