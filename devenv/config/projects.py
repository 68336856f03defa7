"""Other projects as the real form of a dependency: their services, and the dependencies that those need.

What is brought in is merged as trees, so that each value keeps the place where it was written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from devenv.config.checks import needs_of
from devenv.config.merge import STUB_SOURCES, merge
from devenv.config.model import Mode, Origin
from devenv.config.sentences import nearest
from devenv.config.source import Fault, Leaf, Located, Map

FILE = "devenv.yaml"
_FORMS = (("real", "image"), ("real", "devenv"), *(("stub", key) for key in sorted(STUB_SOURCES)))


@dataclass(frozen=True, slots=True)
class Source:
    """One devenv.yaml with its merged profile: its services and dependencies by name, as trees."""

    file: Path
    services: Map
    dependencies: Map


@dataclass(frozen=True, slots=True)
class Borrowed:
    """A service of another project: its name and tree there, and that project's devenv.yaml."""

    name: str
    tree: Located
    origin: Origin
    file: Path


def project_file(leaf: Leaf) -> Path:
    """The devenv.yaml that `devenv: PATH` means: a file, or the one in a folder, seen from where it is written."""
    place = (leaf.origin.file.parent / str(leaf.value)).resolve()
    return place / FILE if place.is_dir() else place


class Borrower:
    """Brings services of other projects into one; `services` and `dependencies` are what there is in the end."""

    def __init__(
        self, own: Source, read: Callable[[Path], Source | None], modes: Mapping[str, Mode], faults: list[Fault]
    ) -> None:
        self.services: dict[str, Borrowed] = {}
        self._own, self._read, self._modes, self._faults = own, read, modes, faults
        self._dependencies = dict(own.dependencies.entries)
        self._brought: set[tuple[Path, str]] = set()
        self._sources: dict[Path, Source | None] = {}
        for name in own.dependencies.entries:
            self._follow(name, (own.file,))

    @property
    def dependencies(self) -> Map:
        """The project's own dependencies, and those that the borrowed services need."""
        return Map(self._dependencies, self._own.dependencies.origin)

    def _follow(self, name: str, chain: tuple[Path, ...]) -> None:
        """Bring in the service that is a dependency's real form, if it runs as one."""
        leaf = self._project_of(name, self._dependencies[name][1])
        if leaf is None or self._is_circle(name, leaf, chain):
            return
        file = project_file(leaf)
        if not file.is_file():
            text = f"there is no {FILE} at {leaf.value}"
            self._faults.append(Fault(leaf.origin, f"dependencies.{name}.real.devenv", text))
        elif source := self._source(file):
            self._enter(name, leaf, source, (*chain, file))

    def _is_circle(self, name: str, leaf: Leaf, chain: tuple[Path, ...]) -> bool:
        file = project_file(leaf)
        if file in chain:
            circle = " → ".join(str(part) for part in (*chain[chain.index(file) :], file))
            text = f"projects need each other: {circle}"
            self._faults.append(Fault(leaf.origin, f"dependencies.{name}.real.devenv", text))
        return file in chain

    def _enter(self, name: str, leaf: Leaf, source: Source, chain: tuple[Path, ...]) -> None:
        chosen = _find(self._dependencies[name][1], "real", "service")
        wanted = str(chosen.value) if isinstance(chosen, Leaf) else name
        if wanted in source.services.entries:
            self._bring_service(name, wanted, source, chain, followed=True)
            return
        known = list(source.services.entries)
        text = f'{source.file} has no service "{wanted}"{nearest(wanted, known)}; known: {", ".join(known) or "none"}'
        place = chosen if isinstance(chosen, Leaf) else leaf
        self._faults.append(Fault(place.origin, f"dependencies.{name}.real.devenv", text))

    def _project_of(self, name: str, tree: Located) -> Leaf | None:
        written = _find(tree, "mode")
        default = "stub" if _find(tree, "stub") else "real"
        mode = self._modes.get(name) or (written.value if isinstance(written, Leaf) else None) or default
        leaf = _find(tree, "real", "devenv")
        return leaf if mode == "real" and isinstance(leaf, Leaf) and isinstance(leaf.value, str) else None

    def _source(self, file: Path) -> Source | None:
        if file not in self._sources:
            self._sources[file] = self._read(file)
        return self._sources[file]

    def _bring_service(
        self, name: str, wanted: str, source: Source, chain: tuple[Path, ...], *, followed: bool = False
    ) -> None:
        origin, tree = source.services.entries[wanted]
        known = self.services.get(name)
        if known and (known.file, known.name) == (source.file, wanted):
            return
        taken = known.origin if known else self._place(name, dependencies=not followed)
        if taken and not self._is_borrowed_as(name, source.file, wanted):
            self._clash(origin, "services", name, taken)
            return
        self.services[name] = Borrowed(wanted, tree, origin, source.file)
        for need in (str(leaf.value) for leaf in needs_of(tree)):
            if need in source.services.entries:
                self._bring_service(need, need, source, chain)
            elif need in source.dependencies.entries:
                self._bring_dependency(need, source, chain)

    def _place(self, name: str, *, dependencies: bool) -> Origin | None:
        entry = self._own.services.entries.get(name)
        entry = entry or (self._dependencies.get(name) if dependencies else None)
        return entry[0] if entry else None

    def _is_borrowed_as(self, name: str, file: Path, wanted: str) -> bool:
        leaf = self._project_of(name, self._dependencies[name][1]) if name in self._dependencies else None
        chosen = _find(self._dependencies[name][1], "real", "service") if leaf else None
        service = chosen.value if isinstance(chosen, Leaf) else name
        return leaf is not None and name not in self.services and (project_file(leaf), service) == (file, wanted)

    def _bring_dependency(self, name: str, source: Source, chain: tuple[Path, ...]) -> None:
        if (source.file, name) in self._brought:
            return
        self._brought.add((source.file, name))
        origin, tree = source.dependencies.entries[name]
        leaf = self._project_of(name, tree)
        if leaf and self._is_circle(name, leaf, chain):
            return
        borrowed, own = self.services.get(name), self._dependencies.get(name)
        taken = self._own.services.entries.get(name)
        if own and isinstance(tree, Map) and isinstance(own[1], Map) and _written(own[1]) in (None, _written(tree)):
            self._dependencies[name] = (own[0], merge(tree, own[1]))
        elif own or borrowed or taken:
            place = own[0] if own else borrowed.origin if borrowed else taken[0] if taken else origin
            self._clash(origin, "dependencies", name, place)
            return
        else:
            self._dependencies[name] = (origin, tree)
        self._follow(name, chain)

    def _clash(self, origin: Origin, kind: str, name: str, other: Origin) -> None:
        text = f"{name} is something else in {other}: give one of them another name"
        self._faults.append(Fault(origin, f"{kind}.{name}", text))


def _find(tree: Located, *path: str) -> Located | None:
    found: Located | None = tree
    for part in path:
        found = found.value(part) if isinstance(found, Map) else None
    return found


def _written(tree: Map) -> Origin | None:
    """Where the form of a dependency was written: two with the same place come from the same profile."""
    return next((found.origin for path in _FORMS if (found := _find(tree, *path))), None)
