"""The laws of merging, over trees in which a key has one kind of value."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from devenv.config.merge import merge, settle
from devenv.config.model import Origin
from devenv.config.source import Leaf, Located, Map, Sequence, plain_value, read_text

LINES = st.integers(1, 10_000)


def origins() -> st.SearchStrategy[Origin]:
    return LINES.map(lambda line: Origin(Path("f"), line, 1))


LEAVES = st.builds(Leaf, st.integers(0, 9) | st.text("xyz", max_size=2), origins())
LISTS = st.builds(Sequence, st.lists(LEAVES, max_size=3).map(tuple), origins())


def trees(depth: int) -> st.SearchStrategy[Map]:
    """Maps in which a key always has the same kind of value, as a schema sees to."""
    kinds: dict[str, st.SearchStrategy[Located]] = {"text": LEAVES, "list": LISTS, "other": LEAVES}
    if depth:
        kinds |= {"map": trees(depth - 1), "more": trees(depth - 1)}
    entries = {key: st.tuples(origins(), value) for key, value in kinds.items()}
    return st.builds(Map, st.fixed_dictionaries({}, optional=entries), origins())


MAPS = trees(2)
EMPTY = Map({}, Origin(Path("f"), 1, 1))


def leaves(tree: Located) -> list[Leaf]:
    if isinstance(tree, Leaf):
        return [tree]
    items = tree.items if isinstance(tree, Sequence) else [value for _, value in tree.entries.values()]
    return [leaf for item in items for leaf in leaves(item)]


@given(MAPS, MAPS, MAPS)
def test_merging_is_associative(a: Map, b: Map, c: Map) -> None:
    assert plain_value(merge(merge(a, b), c)) == plain_value(merge(a, merge(b, c)))


@given(MAPS)
def test_the_empty_map_changes_nothing(a: Map) -> None:
    assert merge(a, EMPTY).entries == a.entries
    assert merge(EMPTY, a).entries == a.entries


@given(MAPS)
def test_a_tree_merged_onto_itself_is_that_tree(a: Map) -> None:
    assert plain_value(merge(a, a)) == plain_value(a)


@given(MAPS, MAPS)
def test_every_leaf_keeps_where_it_was_written(a: Map, b: Map) -> None:
    known = leaves(a) + leaves(b)
    assert all(any(leaf is other for other in known) for leaf in leaves(merge(a, b)))


@given(MAPS, MAPS)
def test_the_later_wins(a: Map, b: Map) -> None:
    merged = merge(a, b)
    for key, (_, value) in b.entries.items():
        if not isinstance(value, Map):
            assert merged.entries[key][1] is value


def text(source: str) -> Map:
    tree = read_text(source, Path("f"), [])
    assert tree is not None
    return tree


def test_a_plus_key_appends() -> None:
    merged = merge(text("a: [1]"), text("+a: [2]"))
    assert plain_value(settle(merge(merged, text("+a: [3]")))) == {"a": [1, 2, 3]}


def test_plus_keys_append_in_any_grouping() -> None:
    a, b, c = text("a: [1]"), text("+a: [2]"), text("+a: [3]")
    left, right = merge(merge(a, b), c), merge(a, merge(b, c))
    assert plain_value(settle(left)) == plain_value(settle(right)) == {"a": [1, 2, 3]}


def test_a_list_replaces_a_list() -> None:
    assert plain_value(merge(text("a: [1]"), text("a: [2]"))) == {"a": [2]}


LISTED = st.tuples(st.sampled_from(["a", "+a"]), origins(), LISTS).map(
    lambda parts: Map({parts[0]: (parts[1], parts[2])}, parts[1])
)


@given(LISTED | st.just(EMPTY), LISTED | st.just(EMPTY), LISTED | st.just(EMPTY))
def test_adding_and_replacing_are_associative(a: Map, b: Map, c: Map) -> None:
    assert plain_value(merge(merge(a, b), c)) == plain_value(merge(a, merge(b, c)))


@given(LISTS, LISTS)
def test_an_added_list_comes_behind_with_its_origins(a: Sequence, b: Sequence) -> None:
    origin = EMPTY.origin
    merged = merge(Map({"a": (origin, a)}, origin), Map({"+a": (origin, b)}, origin)).value("a")
    assert isinstance(merged, Sequence)
    assert merged.items == a.items + b.items
