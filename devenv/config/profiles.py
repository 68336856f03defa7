"""A profile with everything it includes, merged into one tree of dependencies."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from devenv.config.interpolate import take_numbers
from devenv.config.merge import merge, settle
from devenv.config.model import Origin
from devenv.config.reading import Reader
from devenv.config.schema import ProfileFile
from devenv.config.search import find_profile, is_path, known_names, shipped_names
from devenv.config.sentences import nearest_or_all, nearest_path
from devenv.config.shape import check
from devenv.config.source import Fault, Leaf, Located, Map, Sequence, describe


class ProfileLoader:
    """Reads profiles of one project; faults of all files gather in `faults`.

    `layers` are the trees that were merged, in that order, each with the key `dependencies`.
    """

    def __init__(self, root: Path, faults: list[Fault], reader: Reader | None = None) -> None:
        self.layers: list[Map] = []
        self._root = root
        self._faults = faults
        self._reader = reader or Reader(faults)
        self._whole = True

    def load(self, name: str, origin: Origin) -> Map | None:
        """The merged dependencies of a profile (name to tree); None where a file of it is missing or not readable."""
        return self.load_all([name], origin)

    def load_all(self, names: Iterable[str], origin: Origin, *, over: Map | None = None) -> Map | None:
        """The same of several profiles, each laid onto those before it, and `over` onto the last."""
        merged = Map({}, origin)
        for name in names:
            merged = merge(merged, self._load(name, origin, "profile", including=None, chain=()))
        settled = settle(merge(merged, over) if over else merged)
        return settled if self._whole and isinstance(settled, Map) else None

    def _load(self, name: str, origin: Origin, path: str, *, including: Path | None, chain: tuple[Path, ...]) -> Map:
        file = find_profile(name, root=self._root, including=including)
        if file is None:
            return self._refuse(origin, path, self._missing(name, including))
        if file in chain:
            names = " → ".join(part.stem for part in (*chain[chain.index(file) :], file))
            return self._refuse(origin, path, f"profiles include each other: {names}; one of them must go without")
        tree = self._reader.read(file, profile=True)
        if tree is None:
            self._whole = False
            return Map({}, origin)
        tree = take_numbers(ProfileFile, tree)
        own = tree.value("dependencies")
        if isinstance(own, Map):
            check_additions(own, "dependencies", self._faults)
            tree = Map({**tree.entries, "dependencies": (tree.entries["dependencies"][0], settle(own))}, tree.origin)
        check(ProfileFile, tree, self._faults, partial=True)
        merged = self._included(tree, file, (*chain, file))
        if isinstance(own, Map):
            self.layers.append(Map({"dependencies": (own.origin, own)}, tree.origin))
            return merge(merged, own)
        return merged

    def _refuse(self, origin: Origin, path: str, text: str) -> Map:
        self._whole = False
        self._faults.append(Fault(origin, path, text))
        return Map({}, origin)

    def _missing(self, name: str, including: Path | None) -> str:
        if is_path(name):
            beside = f" beside {including.name}" if including and not name.startswith("/") else ""
            return f"there is no file {name}{beside}{_nearest_file(name, including)}"
        if including and including.stem == name:
            return f'no profile "{name}" ships with devenv; known: {", ".join(shipped_names())}'
        known = known_names(self._root)
        return f'there is no profile "{name}"{nearest_or_all(name, known)}'

    def _included(self, tree: Map, file: Path, chain: tuple[Path, ...]) -> Map:
        merged = Map({}, tree.origin)
        included = tree.value("include")
        for index, item in enumerate(included.items if isinstance(included, Sequence) else ()):
            if isinstance(item, Leaf) and isinstance(item.value, str):
                inner = self._load(item.value, item.origin, f"include[{index}]", including=file, chain=chain)
                merged = merge(merged, inner)
        return merged


def _nearest_file(name: str, including: Path | None) -> str:
    wanted = including.parent / name if including else Path(name)
    found = nearest_path(wanted if wanted.suffix else wanted.parent / f"{wanted.name}.yaml", but=including)
    return found if wanted.suffix else found.replace('.yaml"', '"')


def check_additions(tree: Located, path: str, faults: list[Fault]) -> None:
    """Add a fault for each `+key` that does not hold a list."""
    for key, (origin, value) in tree.entries.items() if isinstance(tree, Map) else ():
        inner = f"{path}.{key}".lstrip(".")
        if key == "routes" and path.endswith(".stub"):
            continue
        if key.startswith("+") and not isinstance(value, Sequence):
            text = f"+ adds to a list, got {describe(value)}: write {key[1:]} to replace the value"
            faults.append(Fault(origin, inner, text))
        check_additions(value, inner, faults)
