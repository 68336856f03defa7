"""Deep merge of located trees: maps merge, everything else is replaced, `+key` appends to a list.

The source of a secret (`secret: {env: ...}`) is replaced too: two sources would be none.

So is a stub's source by another one, and a route as a whole by one of its name: two of them would be none.

Laws (tested): merging is associative where a key has one kind of value, the empty map changes nothing, merging a
tree onto itself is that tree, and every leaf keeps the origin of where it was written.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from pathlib import Path

from devenv.config.model import Origin
from devenv.config.source import Located, Map, Sequence

STUB_SOURCES = frozenset({"wiremock", "routes", "har", "openapi"})
"""The keys of a stub that say where its answers come from: there is one of them."""

_EMPTY = Map({}, Origin(Path(), 1, 1))


def merge(base: Map, over: Map) -> Map:
    """`over` laid onto `base`: the later wins. `+key: [...]` in `over` adds to the list under `key`."""
    entries = dict(base.entries)
    for key, (origin, value) in over.entries.items():
        if key.startswith("+"):
            _append(entries, key, (origin, value))
            continue
        entries.pop(f"+{key}", None)
        known = _spelled_out(key, entries.get(key), value)
        whole = key == "secret" and known is not None and _is_source(known[1]) and _is_source(value)
        entries[key] = (origin, _merge_value(key, known[1], value) if known and not whole else value)
    return Map(entries, over.origin if over.entries else base.origin)


def merge_all(layers: Iterable[Map]) -> Map:
    """All layers laid onto each other in their order, and settled."""
    settled = settle(reduce(merge, layers, _EMPTY))
    assert isinstance(settled, Map)
    return settled


def _merge_value(key: str, known: Located, value: Located) -> Located:
    if not isinstance(known, Map) or not isinstance(value, Map):
        return value
    return _merge_stub(known, value) if key == "stub" else merge(known, value)


def _merge_stub(base: Map, over: Map) -> Map:
    given = over.entries.keys() & STUB_SOURCES
    gone = STUB_SOURCES - given | ({"host"} if "har" not in given else set()) if given else set()
    left = Map({key: entry for key, entry in base.entries.items() if key not in gone}, base.origin)
    known, laid = left.value("routes"), over.value("routes")
    merged = merge(left, over)
    if isinstance(known, Map) and isinstance(laid, Map):
        routes = Map({**known.entries, **laid.entries}, laid.origin)
        merged.entries["routes"] = (over.entries["routes"][0], routes)
    return merged


def _spelled_out(key: str, known: tuple[Origin, Located] | None, over: Located) -> tuple[Origin, Located] | None:
    """A list of sync rules as the mapping that it is short for, where a mapping is laid onto it."""
    if key == "sync" and known and isinstance(known[1], Sequence) and isinstance(over, Map):
        return known[0], Map({"rules": known}, known[1].origin)
    return known


def _is_source(value: Located) -> bool:
    return isinstance(value, Map) and len(value.entries) == 1 and value.entries.keys() <= {"env", "file", "exec"}


def _append(entries: dict[str, tuple[Origin, Located]], key: str, entry: tuple[Origin, Located]) -> None:
    plain = key[1:]
    target = plain if plain in entries else key
    known = entries.get(target)
    value = entry[1]
    if known and isinstance(known[1], Sequence) and isinstance(value, Sequence):
        value = Sequence(known[1].items + value.items, value.origin)
    entries[target] = (entry[0], value)


def settle(tree: Located) -> Located:
    """The tree with every `+key` that found nothing to add to become a plain key."""
    if isinstance(tree, Sequence):
        return Sequence(tuple(settle(item) for item in tree.items), tree.origin)
    if not isinstance(tree, Map):
        return tree
    entries = {
        key.removeprefix("+"): (origin, _settle_stub(value) if key == "stub" else settle(value))
        for key, (origin, value) in tree.entries.items()
    }
    return Map(entries, tree.origin)


def _settle_stub(tree: Located) -> Located:
    """Routes stay as they are: a + in what a stub answers means nothing here."""
    settled = settle(tree)
    if isinstance(tree, Map) and isinstance(settled, Map) and "routes" in tree.entries:
        settled.entries["routes"] = tree.entries["routes"]
    return settled
