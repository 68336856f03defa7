"""Where profiles are found: beside devenv.yaml, or among those that ship with devenv."""

from __future__ import annotations

from pathlib import Path

import devenv
from devenv.config.disk import is_file, resolved
from devenv.config.model import Origin


def shipped_folder() -> Path:
    """The shipped profiles: inside the installed package, or beside it in a checkout."""
    package = Path(devenv.__file__).parent
    installed = package / "_profiles"
    return installed if installed.is_dir() else package.parent / "profiles"


def shipped_names() -> list[str]:
    """The names of the shipped profiles."""
    return sorted(path.stem for path in shipped_folder().glob("*.yaml"))


def schema_file(kind: str) -> Path:
    """The JSON Schema of a kind of file: environment, local, profile or settings."""
    return Path(devenv.__file__).parent / "_schema" / f"{kind}.json"


def known_names(root: Path) -> list[str]:
    """Every name that `include` may use in a project."""
    own = {path.stem for path in (root / "profiles").glob("*.yaml")}
    return sorted(own | set(shipped_names()))


def is_path(name: str) -> bool:
    """Whether `include` means a file, not a profile's name."""
    return name.startswith((".", "/")) or name.endswith((".yaml", ".yml"))


def find_profile(name: str, *, root: Path, including: Path | None = None) -> Path | None:
    """The file of a profile: a path (./x, ../x, x.yaml) seen from the including file, or a name.

    A name means the project's own profile, but inside a profile of that name the shipped one.
    """
    if is_path(name):
        base = including.parent if including else root
        place = resolved(base / name)
        candidates = [place, place.parent / f"{place.name}.yaml"]
        return next((path for path in candidates if is_file(path)), None)
    own = root / "profiles" / f"{name}.yaml"
    shipped = shipped_folder() / f"{name}.yaml"
    order = [shipped] if including and resolved(including) == resolved(own) else [own, shipped]
    return next((path for path in order if is_file(path)), None)


def shown_place(origin: Origin, root: Path) -> str:
    """`file:line:col`, the file relative to the project where it lies below it, a shipped profile by its name."""
    file, shipped = origin.file, shipped_folder()
    if file.is_relative_to(shipped):
        return f"profiles/{file.relative_to(shipped)}:{origin.line}:{origin.column} (shipped)"
    shown = file.relative_to(root) if file.is_relative_to(root) else file
    return f"{shown}:{origin.line}:{origin.column}"
