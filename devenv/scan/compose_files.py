"""Compose files to one tree of services: overrides, `include`, `extends` and variables put in, as Compose does it."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from devenv.config.model import Origin
from devenv.config.source import Leaf, Located, Map, Sequence
from devenv.scan.compose_merge import merge_service, merge_tops
from devenv.scan.dotenv import as_map, read_variables
from devenv.scan.interpolate import Use, interpolate
from devenv.scan.project import Project, join
from devenv.scan.proposal import Note
from devenv.scan.yamltext import Tags, child, entries_of, items_of, place_of, read_map, text_at

NAMES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
_MAX_FILES = 30

Services = dict[str, tuple[Origin, Map]]


@dataclass(slots=True)
class Compose:
    """What compose files say together. `missing` are files they name whose texts were not given."""

    files: tuple[str, ...]
    services: Services = field(default_factory=dict)
    top: dict[str, tuple[Origin, Located]] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    missing: set[str] = field(default_factory=set)

    def folder_of(self, origin: Origin) -> str:
        """The folder that a path written there is seen from: that of the first file also for its overrides."""
        file = origin.file.as_posix()
        return posixpath.dirname(self.files[0] if file in self.files else file)


def find_compose(project: Project) -> str:
    """The compose file in the project's folder, the first that Compose would take; "" where there is none."""
    return next((name for name in NAMES if name in project.texts), "")


def with_overrides(project: Project, file: str) -> tuple[str, ...]:
    """A compose file with the override beside it, if Compose would take one."""
    stem, ending = posixpath.splitext(file)
    if posixpath.basename(file) not in NAMES:
        return (file,)
    endings = (ending, ".yml" if ending == ".yaml" else ".yaml")
    override = next((f"{stem}.override{end}" for end in endings if f"{stem}.override{end}" in project.texts), "")
    return (file, override) if override else (file,)


def read_compose(project: Project, file: str) -> Compose:
    """The services of a compose file and what belongs to it. Raises yamltext.Unreadable."""
    return _Reader(project, Compose(with_overrides(project, file))).read()


class _Reader:
    def __init__(self, project: Project, compose: Compose) -> None:
        self._project, self._compose, self._tags = project, compose, Tags()
        self._trees: dict[str, Map] = {}
        self._told: set[str] = set()
        folder = posixpath.dirname(compose.files[0])
        self._variables = self._read_variables(join(folder, ".env"))

    def _read_variables(self, file: str) -> Mapping[str, str]:
        return as_map(read_variables(self._project.texts.get(file, ""), file))

    def read(self) -> Compose:
        compose = self._compose
        for file in compose.files:
            tree = self._tree(file)
            for included in self._included(tree, (file,)):
                self._add(included)
            self._add(tree)
        compose.services = {
            name: (origin, self._extended(tree, ())) for name, (origin, tree) in compose.services.items()
        }
        return compose

    def _add(self, tree: Map) -> None:
        services = self._compose.services
        for name, (origin, service) in entries_of(tree.value("services")).items():
            if service.origin in self._tags.reset:
                services.pop(name, None)
            elif isinstance(service, Map):
                known = services.get(name)
                services[name] = (origin, merge_service(known[1], service, self._tags) if known else service)
        merge_tops(self._compose.top, tree)

    def _tree(self, file: str) -> Map:
        if file not in self._trees:
            text = self._project.texts.get(file)
            if text is None or len(self._trees) >= _MAX_FILES:
                self._compose.missing.add(file)
                return Map({}, Origin(Path(file), 1, 1))
            filled = self._filled(read_map(text, file, self._tags))
            assert isinstance(filled, Map)
            self._trees[file] = filled
        return self._trees[file]

    def _included(self, tree: Map, chain: tuple[str, ...]) -> Iterator[Map]:
        for item in items_of(tree.value("include")):
            paths = items_of(child(item, "path")) if isinstance(item, Map) else (item,)
            for path in paths:
                file = join(self._compose.folder_of(path.origin), text_at(path))
                if file not in chain:
                    inner = self._tree(file)
                    yield from self._included(inner, (*chain, file))
                    yield inner

    def _extended(self, service: Map, chain: tuple[tuple[str, str], ...]) -> Map:
        extends = service.value("extends")
        if extends is None:
            return service
        name = text_at(child(extends, "service")) or text_at(extends)
        written = child(extends, "file")
        file = join(self._compose.folder_of(written.origin), text_at(written)) if written else ""
        key = (file or extends.origin.file.as_posix(), name)
        services = self._tree(file).value("services") if file else self._services_beside(extends.origin)
        base = child(services, name)
        if key in chain or not isinstance(base, Map):
            reason = "goes round in a circle" if key in chain else "names a service that is not there"
            self._compose.notes.append(Note(place_of(extends.origin), f"extends {name}: {reason}, so it is left out"))
            return service
        own = Map({key: entry for key, entry in service.entries.items() if key != "extends"}, service.origin)
        return merge_service(self._extended(base, (*chain, key)), own, self._tags)

    def _services_beside(self, origin: Origin) -> Located:
        if origin.file.as_posix() in self._compose.files:
            return Map(dict(self._compose.services), origin)
        return self._tree(origin.file.as_posix()).value("services") or Map({}, origin)

    def _filled(self, tree: Located) -> Located:
        if isinstance(tree, Map):
            entries = {key: (origin, self._filled(value)) for key, (origin, value) in tree.entries.items()}
            return Map(entries, tree.origin)
        if isinstance(tree, Sequence):
            return Sequence(tuple(self._filled(item) for item in tree.items), tree.origin)
        if not isinstance(tree.value, str) or "$" not in tree.value:
            return tree
        place = place_of(tree.origin)
        return Leaf(interpolate(tree.value, self._variables, lambda use: self._tell(use, place)), tree.origin)

    def _tell(self, use: Use, place: str) -> None:
        if use.name in self._told:
            return
        self._told.add(use.name)
        shown = f'"{use.value}"' if len(use.value) < 40 else "its value"
        text = {
            "set": f"${{{use.name}}} became what .env says now; a later change of .env does not reach devenv.yaml",
            "default": f"${{{use.name}}} became its default {shown}",
            "missing": f"${{{use.name}}} has no value here, so it is empty: put it into devenv.yaml",
        }[use.how]
        self._compose.notes.append(Note(place, text))
