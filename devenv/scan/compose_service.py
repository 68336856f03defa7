"""One service of a compose file as plain values; what can't be carried over becomes notes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field

from devenv.config.source import Located, Map, Sequence
from devenv.scan.compose_files import Compose
from devenv.scan.compose_keys import advice
from devenv.scan.compose_merge import as_pairs, named_items, split_mount
from devenv.scan.compose_resources import limits_of
from devenv.scan.dotenv import Variable, read_variables
from devenv.scan.project import Project, join
from devenv.scan.proposal import Build, Note
from devenv.scan.yamltext import child, entries_of, items_of, place_of, text_at

_VARIABLE = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*")


@dataclass(frozen=True, slots=True)
class Mount:
    """A mount: a path or volume name (empty: anonymous) and where it is in the container."""

    kind: str
    source: str
    target: str
    place: str


@dataclass(frozen=True, slots=True)
class Watch:
    """One entry of develop.watch."""

    action: str
    path: str
    target: str
    place: str


@dataclass(slots=True)
class ComposeService:
    """What a service says. `command` and `entrypoint` are None where nothing is written."""

    name: str
    place: str
    build: Build | None = None
    image: str = ""
    command: tuple[str, ...] | None = None
    entrypoint: tuple[str, ...] | None = None
    variables: list[Variable] = field(default_factory=list)
    env_files: tuple[str, ...] = ()
    limits: dict[str, str] = field(default_factory=dict)
    ports: list[int] = field(default_factory=list)
    ports_place: str = ""
    mounts: list[Mount] = field(default_factory=list)
    watches: list[Watch] = field(default_factory=list)
    needs: dict[str, tuple[str, str]] = field(default_factory=dict)
    ready: tuple[str, ...] = ()
    ready_place: str = ""
    profiles: tuple[str, ...] = ()
    once: bool = False
    workdir: str = ""
    aliases: list[str] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    @property
    def from_files(self) -> list[Variable]:
        """The variables that come with `env_files`."""
        return [variable for variable in self.variables if variable.place.rpartition(":")[0] in self.env_files]

    @property
    def own_variables(self) -> list[Variable]:
        """The variables that no env file has, or that `environment` has too."""
        files = self.env_files
        return [variable for variable in self.variables if variable.place.rpartition(":")[0] not in files]


def read_service(name: str, tree: Map, place: str, compose: Compose, project: Project) -> ComposeService:
    """The service of a tree."""
    return _Reader(ComposeService(name, place), tree, compose, project).read()


class _Reader:
    def __init__(self, service: ComposeService, tree: Map, compose: Compose, project: Project) -> None:
        self._found, self._tree, self._compose, self._project = service, tree, compose, project

    def _note(self, tree: Located, text: str) -> None:
        self._found.notes.append(Note(place_of(tree.origin), f"{self._found.name}: {text}"))

    def _text(self, key: str) -> str:
        return text_at(self._tree.value(key))

    def read(self) -> ComposeService:
        found = self._found
        found.build = self._build(self._tree.value("build"))
        found.image = self._text("image")
        found.command = self._command("command")
        found.entrypoint = self._command("entrypoint")
        found.workdir = self._text("working_dir")
        found.profiles = tuple(text_at(item) for item in items_of(self._tree.value("profiles")))
        found.once = self._text("restart") in ("no", "false") and self._tree.value("restart") is not None
        found.limits = limits_of(self._tree)
        self._read_variables()
        self._read_ports()
        self._read_needs()
        self._read_health()
        found.mounts = list(self._mounts())
        found.watches = list(self._watches())
        self._read_aliases()
        self._tell_the_rest()
        return found

    def _path(self, tree: Located | None) -> str:
        return join(self._compose.folder_of(tree.origin), text_at(tree)) if tree else "."

    def _build(self, tree: Located | None) -> Build | None:
        if tree is None:
            return None
        if not isinstance(tree, Map):
            return Build(self._path(tree))
        context = tree.value("context")
        if re.match(r"(https?|git|ssh)://|git@", text_at(context)):
            self._note(tree, "build.context is a remote repository: check it out, and name the folder in devenv.yaml")
            return None
        for key, (origin, value) in tree.entries.items():
            if key not in ("context", "dockerfile", "target", "args") and not key.startswith("x-"):
                self._found.notes.append(Note(place_of(origin), advice(f"build.{key}", value)))
        pairs = as_pairs(tree.value("args"))
        args = {key: text_at(value) for key, (_, value) in entries_of(pairs).items() if text_at(value)}
        folder = self._path(context) if context else self._compose.folder_of(tree.origin) or "."
        return Build(folder, text_at(tree.value("dockerfile")), text_at(tree.value("target")), args)

    def _command(self, key: str) -> tuple[str, ...] | None:
        tree = self._tree.value(key)
        if tree is None or (not isinstance(tree, Sequence) and text_at(tree) == "" and key == "command"):
            return None
        if isinstance(tree, Sequence):
            return tuple(text_at(item) for item in tree.items)
        try:
            return tuple(shlex.split(text_at(tree)))
        except ValueError:
            return ("sh", "-c", text_at(tree))

    def _read_variables(self) -> None:
        found: dict[str, Variable] = {}
        for item in items_of(self._tree.value("env_file")):
            written = child(item, "path") if isinstance(item, Map) else item
            file = self._path(written)
            text = self._project.texts.get(file)
            if text is None:
                self._compose.missing.add(file)
                if text_at(child(item, "required")) != "false":
                    self._note(item, f"env_file {file} is not there: write what it would say under env")
            elif file not in self._found.env_files:
                self._found.env_files += (file,)
            found |= {variable.name: variable for variable in read_variables(text or "", file)}
        for name, (origin, value) in entries_of(as_pairs(self._tree.value("environment"))).items():
            if isinstance(value, Map | Sequence) or not _VARIABLE.fullmatch(name):
                self._note(value, f'"{name}" is no variable with a value, so it is left out')
                continue
            if text_at(value) == "" and name not in found and getattr(value, "value", "") is None:
                self._note(value, f"{name} is passed on from the shell: give it a value under env")
                continue
            found[name] = Variable(name, text_at(value), place_of(origin))
        self._found.variables = list(found.values())

    def _read_ports(self) -> None:
        ports: list[int] = []
        for item in items_of(self._tree.value("ports")):
            written = text_at(child(item, "target")) if isinstance(item, Map) else text_at(item)
            ports += self._container_ports(item, written)
            if isinstance(item, Map) and text_at(child(item, "protocol")) not in ("", "tcp"):
                self._note(item, "only TCP ports are reached: leave it to the cluster's own tools")
        written_at = [item.origin for key in ("ports", "expose") for item in items_of(self._tree.value(key))]
        self._found.ports_place = place_of(written_at[0]) if written_at else ""
        for item in items_of(self._tree.value("expose")):
            ports += self._container_ports(item, text_at(item))
        self._found.ports = list(dict.fromkeys(port for port in ports if 1 <= port <= 65535))

    def _container_ports(self, item: Located, written: str) -> list[int]:
        number, _, protocol = written.partition("/")
        if protocol not in ("", "tcp"):
            self._note(item, f"{written} is not TCP: leave it to the cluster's own tools")
            return []
        match = re.search(r"(?:^|:)(\d+)(?:-(\d+))?$", number)
        if match is None:
            self._note(item, f"the port {written} is not understood: write it under ports")
            return []
        self._tell_published(item, number, match[1])
        first, last = int(match[1]), int(match[2] or match[1])
        return list(range(first, min(last, first + 20) + 1))

    def _tell_published(self, item: Located, number: str, inside: str) -> None:
        published = text_at(child(item, "published")) if isinstance(item, Map) else "".join(number.split(":")[-2:-1])
        if published and published != inside:
            text = f"published as {published}: devenv url {self._found.name} says where it is reached here"
            self._note(item, text)

    def _read_needs(self) -> None:
        for name, value in named_items(self._tree.value("depends_on")):
            condition = text_at(child(value, "condition")) or "service_started"
            self._found.needs[name] = (condition, place_of(value.origin))

    def _read_health(self) -> None:
        health = self._tree.value("healthcheck")
        test = child(health, "test")
        if test is None or text_at(child(health, "disable")) == "true":
            return
        words = tuple(text_at(item) for item in test.items) if isinstance(test, Sequence) else ()
        if not isinstance(test, Sequence):
            self._found.ready = ("sh", "-c", text_at(test))
        elif words[:1] == ("CMD",):
            self._found.ready = words[1:]
        elif words[:1] == ("CMD-SHELL",):
            self._found.ready = ("sh", "-c", " ".join(words[1:]))
        self._found.ready_place = place_of(test.origin)

    def _mounts(self) -> Iterator[Mount]:
        for item in items_of(self._tree.value("volumes")):
            place = place_of(item.origin)
            if isinstance(item, Map):
                kind, source = text_at(child(item, "type")) or "volume", text_at(child(item, "source"))
                target = text_at(child(item, "target"))
            else:
                parts = split_mount(text_at(item))
                source, target = (parts[0], parts[1]) if len(parts) > 1 else ("", parts[0])
                kind = "bind" if source.startswith((".", "/", "~", "\\")) or source[1:2] == ":" else "volume"
            if kind == "bind":
                source = self._bound(item, source)
            if target.startswith("/") and (source or kind != "bind"):
                yield Mount(kind, source, target.rstrip("/") or "/", place)

    def _bound(self, item: Located, source: str) -> str:
        if source.startswith(("/", "~")) or source[1:2] == ":":
            self._note(item, f"{source} is a path of this machine outside the project: copy what is needed into it")
            return ""
        return join(self._compose.folder_of(item.origin), source)

    def _watches(self) -> Iterator[Watch]:
        for item in items_of(child(self._tree, "develop", "watch")):
            path, target = child(item, "path"), text_at(child(item, "target"))
            if path is not None:
                yield Watch(text_at(child(item, "action")), self._path(path), target, place_of(item.origin))

    def _read_aliases(self) -> None:
        found = [self._text("container_name"), self._text("hostname")]
        for _, network in named_items(self._tree.value("networks")):
            found += [text_at(alias) for alias in items_of(child(network, "aliases"))]
        self._found.aliases = [name for name in dict.fromkeys(found) if name and name != self._found.name]

    def _tell_the_rest(self) -> None:
        for key, (origin, value) in self._tree.entries.items():
            text = advice(key, value)
            if text:
                self._found.notes.append(Note(place_of(origin), text))
