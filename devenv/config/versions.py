"""The version of a file's format, and the way from older ones to this one.

A migration takes the tree of one version to that of the next: a pure function that keeps the origins of what it
moves. A file without `version` is of version 1, whatever the newest is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from devenv.config.source import Fault, Leaf, Map, describe

CURRENT = 1
FIRST = 1

Migration = Callable[[Map], Map]

MIGRATIONS: Mapping[int, Migration] = {}
"""By the version that a migration starts from."""


def upgrade(
    tree: Map, faults: list[Fault], *, current: int = CURRENT, migrations: Mapping[int, Migration] = MIGRATIONS
) -> Map | None:
    """The tree as one of the current version; None with a fault for a version that is still to come.

    Any other value is a fault too, and the file is read as of the current version.
    """
    written = tree.value("version")
    if written is None:
        return _migrate(tree, FIRST, current, migrations)
    version = written.value if isinstance(written, Leaf) else None
    if isinstance(version, bool) or not isinstance(version, int) or version < FIRST:
        known = str(current) if current == FIRST else f"a version from {FIRST} to {current}"
        faults.append(Fault(written.origin, "version", f"expected {known}, got {describe(written)}"))
        return _marked(tree, current)
    if version > current:
        text = f"this devenv reads version {current}; upgrade devenv for version {version}"
        faults.append(Fault(written.origin, "version", text))
        return None
    return _marked(_migrate(tree, version, current, migrations), current)


def _migrate(tree: Map, version: int, current: int, migrations: Mapping[int, Migration]) -> Map:
    for step in range(version, current):
        tree = migrations[step](tree)
    return tree


def _marked(tree: Map, version: int) -> Map:
    origin, value = tree.entries["version"]
    return Map({**tree.entries, "version": (origin, Leaf(version, value.origin))}, tree.origin)
