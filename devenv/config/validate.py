"""A file checked for itself: a devenv.yaml with its profile, or one profile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from devenv import problems
from devenv.config.disk import is_file, resolved
from devenv.config.load import FILE, find_file, invalid, load_layers
from devenv.config.model import Origin
from devenv.config.source import Fault, Map, read_file
from devenv.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Validated:
    """A file without faults: what it is (`environment` or `profile`), what is in it, and every file that was read."""

    file: Path
    kind: Literal["environment", "profile"]
    services: int
    dependencies: int
    files: tuple[Path, ...]


def validate(file: Path | None, *, start: Path, profiles: Sequence[str] = ()) -> Validated:
    """Check `file`, or the devenv.yaml nearest to `start` with a profile. Raises ConfigError with every fault."""
    if file is not None and not is_file(file):
        raise ConfigError(problems.FILE_MISSING, file=file)
    file = _base_of(file) if file is not None else None
    if file is not None and _is_profile(file):
        return _validate_profile(resolved(file))
    loaded = load_layers(file, start=start, profiles=profiles)
    environment = loaded.environment
    files = tuple(dict.fromkeys(layer.origin.file for layer in reversed(loaded.layers)))
    named = (file or find_file(start)).absolute()
    return Validated(named, "environment", len(environment.services), len(environment.dependencies), files)


def _base_of(file: Path) -> Path:
    """For x.local.yaml the x.yaml that it is laid onto: alone, it means nothing."""
    base = file.with_name(f"{file.name.removesuffix('.local.yaml')}.yaml")
    return base if file.name.endswith(".local.yaml") and is_file(base) else file


def _is_profile(file: Path) -> bool:
    """By its keys; where it has none that tells, by the folder it stands in."""
    tree = read_file(file, [])
    keys = set(tree.entries) if tree else set()
    if keys & {"services", "name", "profile"} or file.name == FILE:
        return False
    return bool(keys & {"dependencies", "include"}) or file.absolute().parent.name == "profiles"


def _validate_profile(file: Path) -> Validated:
    from devenv.config.build import dependencies_of
    from devenv.config.interpolate import only_reasons
    from devenv.config.profiles import ProfileLoader
    from devenv.config.reading import Reader

    faults: list[Fault] = []
    reader = Reader(faults)
    loader = ProfileLoader(root_of(file), faults, reader)
    merged = loader.load(str(file), Origin(file, 1, 1))
    dependencies = dependencies_of(merged if merged is not None else Map({}, Origin(file, 1, 1)), faults, modes={})
    if faults or reader.unset:
        raise invalid(only_reasons(faults, reader.unset), file, root=root_of(file))
    files = tuple(dict.fromkeys((file, *(layer.origin.file for layer in reversed(loader.layers)))))
    return Validated(file, "profile", 0, len(dependencies), files)


def root_of(profile: Path) -> Path:
    """The project that a profile belongs to: where the nearest devenv.yaml above it stands, else around profiles/."""
    with_file = (folder for folder in profile.parents if (folder / FILE).is_file())
    around = profile.parent.parent if profile.parent.name == "profiles" else profile.parent
    return next(with_file, around)
