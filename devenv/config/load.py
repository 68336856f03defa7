"""devenv.yaml and its profile to an Environment, or all of their faults at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from devenv import problems
from devenv.config.disk import is_file
from devenv.config.model import Dependency, Environment, Mode, Origin
from devenv.config.source import Fault, Leaf, Map, count_faults, list_faults
from devenv.errors import ConfigError, UsageError

if TYPE_CHECKING:
    from devenv.config.projects import Source
    from devenv.config.reading import Reader

FILE = "devenv.yaml"


@dataclass(frozen=True, slots=True)
class Loaded:
    """An environment and what it was made from.

    `layers` are the trees of the files in the order in which they are merged, each with the keys of a whole
    configuration (`name`, `services`, `dependencies` …); `profiles` and `modes` are what the command line chose.
    """

    environment: Environment
    layers: tuple[Map, ...]
    profiles: tuple[str, ...]
    modes: Mapping[str, Mode]


def find_file(start: Path) -> Path:
    """devenv.yaml in a folder or the nearest above it. ConfigError config-missing."""
    for folder in (start, *start.parents):
        if (folder / FILE).is_file():
            return folder / FILE
    raise ConfigError(problems.CONFIG_MISSING, folder=start)


def load(
    file: Path | None,
    *,
    start: Path,
    profiles: Sequence[str] = (),
    modes: Mapping[str, Mode] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Environment:
    """The environment that `file` (or the devenv.yaml nearest to `start`) describes with a profile.

    Several `profiles` are merged, the later laid onto the earlier. `environ` (default: this process's) gives the
    variables that the files use. `modes` chooses the mode of dependencies by name. Raises ConfigError with every
    fault of every file; UsageError for a profile that is not there and for a mode of an unknown dependency.
    """
    return load_layers(file, start=start, profiles=profiles, modes=modes, environ=environ).environment


def load_layers(
    file: Path | None,
    *,
    start: Path,
    profiles: Sequence[str] = (),
    modes: Mapping[str, Mode] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Loaded:
    """What `load` gives, with the layers that it was merged from."""
    from devenv.config.interpolate import only_reasons
    from devenv.config.reading import Reader

    if file is not None and not is_file(file):
        raise ConfigError(problems.FILE_MISSING, file=file)
    file = (file or find_file(start)).absolute()
    _check_profiles(profiles, file.parent)
    faults: list[Fault] = []
    layers: list[Map] = []
    reader = Reader(faults, environ)
    tree = reader.read(file)
    environment = _load(tree, file, profiles, reader, faults, layers, modes or {}) if tree is not None else None
    if faults or reader.unset or environment is None:
        raise invalid(only_reasons(faults, reader.unset), file)
    return Loaded(environment, tuple(layers), tuple(profiles), modes or {})


def invalid(faults: list[Fault], file: Path, *, root: Path | None = None) -> ConfigError:
    """The error for some faults of `file` and what it includes, in the order of files and lines."""
    lines = list_faults(faults, file, root=root)
    return ConfigError(problems.CONFIG_INVALID, count=count_faults(lines), details=lines)


def _load(
    tree: Map,
    file: Path,
    profiles: Sequence[str],
    reader: Reader,
    faults: list[Fault],
    layers: list[Map],
    modes: Mapping[str, Mode],
) -> Environment | None:
    from devenv.config.build import borrowed_services, dependencies_of, services_of
    from devenv.config.groups import groups_of
    from devenv.config.hooks import hooks_of
    from devenv.config.local import lay_local
    from devenv.config.projects import Borrower

    tree, over = lay_local(tree, file, reader, faults, layers)
    profiles = profiles or _profiles(tree, file)
    merged = _profile_tree(tree, file, profiles, over, reader, faults, layers)
    own = _source(tree, file, merged, faults)
    borrower = Borrower(own, lambda other: _other_project(other, reader, faults), modes, faults)
    services = services_of(tree, file.parent, faults) | borrowed_services(borrower.services, faults)
    dependencies = dependencies_of(borrower.dependencies, faults, modes=modes)
    groups = groups_of(tree, [*own.services.entries, *borrower.dependencies.entries, *borrower.services], faults)
    if faults or reader.unset:
        return None
    _check_modes(modes, dependencies)
    return Environment(
        name=_text(tree, "name") or name_of(file.parent),
        root=file.parent,
        profile=", ".join(profiles) or "default",
        services=services,
        dependencies=dependencies,
        hooks=hooks_of(tree),
        groups=groups,
    )


def _source(tree: Map, file: Path, merged: Map | None, faults: list[Fault]) -> Source:
    """The trees of one devenv.yaml and its merged profile, their names checked."""
    from devenv.config.checks import check_names
    from devenv.config.projects import Source

    written = tree.value("services")
    services = written if isinstance(written, Map) else Map({}, tree.origin)
    if merged:
        check_names(services, merged, faults)
    return Source(file, services, merged or Map({}, tree.origin))


def _other_project(file: Path, reader: Reader, faults: list[Fault]) -> Source | None:
    """The trees of another project, its local file and the profile that it names laid on."""
    from devenv.config.local import lay_local

    layers: list[Map] = []
    tree = reader.read(file)
    if tree is None:
        return None
    tree, over = lay_local(tree, file, reader, faults, layers)
    merged = _profile_tree(tree, file, _profiles(tree, file), over, reader, faults, layers)
    return _source(tree, file, merged, faults)


def _check_modes(modes: Mapping[str, Mode], dependencies: Mapping[str, Dependency]) -> None:
    for name in modes:
        if name not in dependencies:
            raise unknown_name("dependency", name, dependencies)


def _check_profiles(names: Sequence[str], root: Path) -> None:
    """UsageError profile-unknown for names on the command line that are no profile's."""
    if not names:
        return
    from devenv.config.search import find_profile, known_names
    from devenv.config.sentences import nearest

    missing = [name for name in names if find_profile(name, root=root) is None]
    if missing:
        known, name = known_names(root), missing[0]
        details = [f"-p {one} on the command line" for one in missing]
        close = nearest(name, known)
        raise UsageError(problems.PROFILE_UNKNOWN, details=details, name=name, nearest=close, known=", ".join(known))


def unknown_name(kind: str, name: str, known: Iterable[str]) -> UsageError:
    """The error for a name on the command line that is none of the known ones; it tells the nearest."""
    from devenv.config.sentences import nearest

    words = sorted(known)
    close = nearest(name, words)
    return UsageError(problems.NAME_UNKNOWN, kind=kind, name=name, nearest=close, known=", ".join(words) or "none")


def _profiles(tree: Map, file: Path) -> list[str]:
    """The profile that devenv.yaml names, else the project's default one, if there is one."""
    name = _text(tree, "profile")
    there = name is not None or (file.parent / "profiles" / "default.yaml").is_file()
    return [name or "default"] if there else []


def _profile_tree(
    tree: Map,
    file: Path,
    profiles: Sequence[str],
    over: Map | None,
    reader: Reader,
    faults: list[Fault],
    layers: list[Map],
) -> Map | None:
    from devenv.config.profiles import ProfileLoader

    entry = tree.value("profile")
    origin = entry.origin if entry else Origin(file, 1, 1)
    loader = ProfileLoader(file.parent, faults, reader)
    merged = loader.load_all(profiles, origin, over=over)
    layers[:0] = loader.layers
    return merged


def _text(tree: Map, key: str) -> str | None:
    value = tree.value(key)
    return value.value if isinstance(value, Leaf) and isinstance(value.value, str) else None


def name_of(folder: Path) -> str:
    """An environment's name from its folder's, made of what a namespace may hold."""
    cleaned = re.sub(r"[^a-z0-9]+", "-", folder.name.lower()).strip("-")
    return cleaned[:40].strip("-") if cleaned[:1].isalpha() else f"env-{cleaned}"[:40].strip("-")
