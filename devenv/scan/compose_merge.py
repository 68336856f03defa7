"""How Compose lays one definition of a service onto another."""

from __future__ import annotations

from collections.abc import Callable

from devenv.config.model import Origin
from devenv.config.source import Leaf, Located, Map, Sequence, plain_value
from devenv.scan.yamltext import Tags, child, entries_of, items_of, text_at

_PAIRS = ("environment", "labels", "args", "annotations", "sysctls", "extra_hosts")
_NAMED = ("depends_on", "networks")
_REPLACED = ("command", "entrypoint", "test")


def as_pairs(tree: Located | None, *, equals: str = "=") -> Map | None:
    """A list of NAME=value as the mapping it means; a name alone has the value None."""
    if not isinstance(tree, Sequence):
        return tree if isinstance(tree, Map) else None
    entries: dict[str, tuple[Origin, Located]] = {}
    for item in tree.items:
        name, found, value = text_at(item).partition(equals)
        if name.strip():
            entries[name.strip()] = (item.origin, Leaf(value if found else None, item.origin))
    return Map(entries, tree.origin)


def as_named(tree: Located | None) -> Map | None:
    """A list of names as a mapping of them to nothing."""
    if not isinstance(tree, Sequence):
        return tree if isinstance(tree, Map) else None
    return Map({text_at(item): (item.origin, Leaf(None, item.origin)) for item in tree.items}, tree.origin)


def merge_service(base: Map, over: Map, tags: Tags) -> Map:
    """`over` laid onto `base`."""
    entries = dict(base.entries)
    for key, (origin, value) in over.entries.items():
        if value.origin in tags.reset:
            entries.pop(key, None)
        elif key in entries and value.origin not in tags.override:
            entries[key] = (origin, _merge_value(key, entries[key][1], value, tags))
        else:
            entries[key] = (origin, value)
    return Map(entries, over.origin)


def _merge_value(key: str, base: Located, over: Located, tags: Tags) -> Located:
    normal = _normaliser(key)
    base, over = normal(base) or base, normal(over) or over
    if isinstance(base, Map) and isinstance(over, Map):
        return merge_service(base, over, tags)
    if isinstance(base, Leaf) and isinstance(over, Map) and key == "build":
        return merge_service(Map({"context": (base.origin, base)}, base.origin), over, tags)
    if isinstance(base, Sequence) and isinstance(over, Sequence) and key not in _REPLACED:
        return _joined(key, base, over)
    return over


def _normaliser(key: str) -> Callable[[Located | None], Located | None]:
    if key in _PAIRS:
        return as_pairs
    return as_named if key in _NAMED else lambda tree: tree


def _joined(key: str, base: Sequence, over: Sequence) -> Sequence:
    mark = mount_target if key in ("volumes", "devices") else lambda item: str(plain_value(item))
    found = {mark(item): item for item in base.items}
    found |= {mark(item): item for item in over.items}
    return Sequence(tuple(found.values()), over.origin)


def mount_target(item: Located) -> str:
    """Where a mount is in the container."""
    if isinstance(item, Map):
        return text_at(child(item, "target"))
    parts = split_mount(text_at(item))
    return parts[1] if len(parts) > 1 else parts[0]


def split_mount(text: str) -> list[str]:
    """source:target:options; the colon of a Windows drive is none."""
    if len(text) > 2 and text[0].isalpha() and text[1:3] in (":\\", ":/"):
        source, _, rest = text[2:].partition(":")
        return [text[:2] + source, *([part for part in rest.split(":")] if rest else [])]
    return text.split(":")


def merge_tops(top: dict[str, tuple[Origin, Located]], tree: Map) -> None:
    """Add a file's top-level keys other than services."""
    for key, (origin, value) in tree.entries.items():
        if key in ("services", "include", "version") or key.startswith("x-"):
            continue
        known = top.get(key)
        if known and isinstance(known[1], Map) and isinstance(value, Map):
            top[key] = (origin, Map({**entries_of(known[1]), **value.entries}, value.origin))
        else:
            top[key] = (origin, value)


def named_items(tree: Located | None) -> list[tuple[str, Located]]:
    """The names in a list or mapping, each with what it stands for."""
    if isinstance(tree, Map):
        return [(key, value) for key, (_, value) in tree.entries.items()]
    return [(text_at(item), item) for item in items_of(tree)]
