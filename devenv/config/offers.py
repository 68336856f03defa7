"""What profiles offer, from their own files: which there are, and what one needs, takes and includes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from devenv import problems
from devenv.config import schema, shape
from devenv.config.load import FILE, invalid
from devenv.config.model import Origin
from devenv.config.parameters import fill
from devenv.config.profiles import ProfileLoader
from devenv.config.search import find_profile, known_names, shipped_folder
from devenv.config.sentences import nearest
from devenv.config.source import Fault, Leaf, Located, Map, Sequence, list_faults, plain_value, read_file
from devenv.errors import UsageError


@dataclass(frozen=True, slots=True)
class Profile:
    """One profile that can be included; `shadowed` where the project has one of the same name, which is used instead.

    `faults` says what keeps its file from being read.
    """

    name: str
    source: Literal["project", "shipped"]
    file: Path
    description: str
    include: tuple[str, ...]
    shadowed: bool = False
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a dependency takes under `with:`; `value` is the default unless a profile gives another."""

    name: str
    type: str
    default: object
    value: object
    doc: str


@dataclass(frozen=True, slots=True)
class Need:
    """One dependency of a profile and what its real form takes; `ports` are those of the form that `mode` names.

    `memory` is an estimate, null where the file gives none.
    """

    name: str
    mode: str
    forms: tuple[str, ...]
    doc: str
    image: str | None
    memory: str | None
    ports: Mapping[str, int]
    volumes: Mapping[str, str]
    parameters: tuple[Parameter, ...]


@dataclass(frozen=True, slots=True)
class Offer:
    """A profile with all it needs, those of included profiles too, and how to include it."""

    profile: Profile
    dependencies: tuple[Need, ...]
    example: str


def list_profiles(root: Path | None) -> list[Profile]:
    """The project's own profiles (`root` is its folder, if there is one), then those that ship with devenv."""
    files = sorted((root / "profiles").glob("*.yaml")) if root else []
    own = [_read(path, "project", beside=root) for path in files]
    names = {profile.name for profile in own}
    shipped = sorted(shipped_folder().glob("*.yaml"))
    return own + [_read(path, "shipped", shadowed=path.stem in names) for path in shipped]


def describe_profile(name: str, root: Path | None) -> Offer:
    """What a profile offers. UsageError profile-unknown; ConfigError where its files have faults."""
    # A folder without profiles of its own stands for no project.
    base = root or shipped_folder()
    file = find_profile(name, root=base)
    if file is None:
        known = known_names(base)
        raise UsageError(problems.PROFILE_UNKNOWN, name=name, nearest=nearest(name, known), known=", ".join(known))
    faults: list[Fault] = []
    merged = ProfileLoader(base, faults).load(name, Origin(file, 1, 1)) or Map({}, Origin(file, 1, 1))
    needs = [_need(key, tree, faults) for key, (_, tree) in merged.entries.items() if isinstance(tree, Map)]
    if faults:
        raise invalid(faults, root / FILE if root else file)
    profile = _read(file, "shipped" if file.parent == shipped_folder() else "project")
    found = tuple(need for need in needs if need)
    return Offer(profile, found, _example(profile, found))


def _read(
    file: Path, source: Literal["project", "shipped"], *, beside: Path | None = None, shadowed: bool = False
) -> Profile:
    faults: list[Fault] = []
    tree = read_file(file, faults) or Map({}, Origin(file, 1, 1))
    shape.check(schema.ProfileFile, tree, faults, partial=True)
    description, include = tree.value("description"), tree.value("include")
    return Profile(
        name=file.stem,
        source=source,
        file=file,
        description=description.value if isinstance(description, Leaf) and isinstance(description.value, str) else "",
        include=_texts(include),
        shadowed=shadowed,
        faults=tuple(list_faults(faults, beside / FILE if beside else file)),
    )


def _texts(tree: Located | None) -> tuple[str, ...]:
    items = tree.items if isinstance(tree, Sequence) else ()
    return tuple(item.value for item in items if isinstance(item, Leaf) and isinstance(item.value, str))


def _need(name: str, tree: Map, faults: list[Fault]) -> Need | None:
    spec = shape.parse(schema.DependencyFile, fill(name, tree, faults))
    if spec is None:
        shape.check(schema.DependencyFile, fill(name, tree, []), faults)
        return None
    forms = tuple(form for form in ("stub", "real") if getattr(spec, form))
    real, mode = spec.real, spec.mode or (forms[0] if forms else "off")
    used = spec.stub if mode == "stub" and spec.stub else real or spec.stub
    return Need(
        name=name,
        mode=mode,
        forms=forms,
        doc=spec.doc,
        image=real.image if real else None,
        memory=spec.memory,
        ports=used.ports if used else {},
        volumes={key: f"{volume.path} ({volume.size})" for key, volume in real.volumes.items()} if real else {},
        parameters=tuple(_parameter(key, one, tree) for key, one in spec.parameters.items()),
    )


def _parameter(name: str, spec: schema.ParameterFile, tree: Map) -> Parameter:
    given = tree.value("with")
    value = given.value(name) if isinstance(given, Map) else None
    chosen = spec.default if value is None else plain_value(value)
    return Parameter(name, spec.type, spec.default, chosen, spec.doc)


def _example(profile: Profile, needs: tuple[Need, ...]) -> str:
    """Lines for a profile of the user's: the include, and the first parameter set."""
    lines = [f"include: [{profile.name}]"]
    first = next(((need, need.parameters[0]) for need in needs if need.parameters), None)
    if first:
        need, parameter = first
        lines += ["dependencies:", f"  {need.name}: {{with: {{{parameter.name}: {json.dumps(parameter.value)}}}}}"]
    return "\n".join(lines) + "\n"
