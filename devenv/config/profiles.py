"""A profile with everything it includes, merged into one tree of dependencies."""

from __future__ import annotations

from pathlib import Path

from devenv.config.merge import merge, settle
from devenv.config.model import Origin
from devenv.config.schema import ProfileFile
from devenv.config.search import find_profile, known_names
from devenv.config.shape import check, nearest
from devenv.config.source import Fault, Leaf, Map, Sequence, read_file


class ProfileLoader:
    """Reads profiles of one project; faults of all files gather in `faults`."""

    def __init__(self, root: Path, faults: list[Fault]) -> None:
        self._root = root
        self._faults = faults

    def load(self, name: str, origin: Origin, path: str = "profile") -> Map:
        """The merged dependencies of a profile (name to tree)."""
        return self._load(name, origin, path, including=None, chain=())

    def _load(self, name: str, origin: Origin, path: str, *, including: Path | None, chain: tuple[Path, ...]) -> Map:
        file = find_profile(name, root=self._root, including=including)
        empty = Map({}, origin)
        if file is None:
            known = known_names(self._root)
            text = f'there is no profile "{name}"{nearest(name, known)}; known: {", ".join(known)}'
            self._faults.append(Fault(origin, path, text))
            return empty
        if file in chain:
            names = " → ".join(part.stem for part in (*chain[chain.index(file) :], file))
            self._faults.append(Fault(origin, path, f"profiles include each other: {names}"))
            return empty
        tree = read_file(file, self._faults)
        if tree is None:
            return empty
        check(ProfileFile, _without_additions(tree), self._faults)
        return self._merged(tree, file, (*chain, file))

    def _merged(self, tree: Map, file: Path, chain: tuple[Path, ...]) -> Map:
        merged = Map({}, tree.origin)
        included = tree.value("include")
        for index, item in enumerate(included.items if isinstance(included, Sequence) else ()):
            if isinstance(item, Leaf) and isinstance(item.value, str):
                inner = self._load(item.value, item.origin, f"include[{index}]", including=file, chain=chain)
                merged = merge(merged, inner)
        own = tree.value("dependencies")
        return merge(merged, own) if isinstance(own, Map) else merged


def _without_additions(tree: Map) -> Map:
    """The tree as it is checked: a `+key` has the shape of its key."""
    settled = settle(tree)
    assert isinstance(settled, Map)
    return settled
