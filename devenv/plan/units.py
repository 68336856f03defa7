"""The plan: which units an environment has, in which order, and the objects of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal

from devenv.config.model import ContainerStep, Dependency, Environment, Real, Service
from devenv.plan import engine
from devenv.plan.agent import carries_agent, probe_notes, with_agent
from devenv.plan.image import Image
from devenv.plan.jobs import needs_with_seeds, seed_job, seed_unit
from devenv.plan.manifests import container_name, own_objects
from devenv.plan.marks import Object, content_hash, stamp
from devenv.plan.secrets import Sealed, fill, refer, seal
from devenv.plan.supervisor import supervised
from devenv.plan.workloads import real_container, real_objects, service_container, service_objects, storage_of

UnitKind = Literal["service", "real", "stub", "engine", "seed"]


@dataclass(frozen=True, slots=True)
class Unit:
    """One thing to bring up, and the units that must be ready before it; a seed is one `of` another unit."""

    name: str
    kind: UnitKind
    needs: tuple[str, ...] = ()
    of: str = ""


@dataclass(frozen=True, slots=True)
class Files:
    """Contents the plan needs: single files by path, and stub folders as {dependency: {relative name: content}}.

    `agents` has the agent's program by architecture; without it, no pod carries the agent.
    """

    single: Mapping[Path, bytes] = field(default_factory=dict)
    stubs: Mapping[str, Mapping[str, bytes]] = field(default_factory=dict)
    agents: Mapping[str, bytes] = field(default_factory=dict)


def namespace_of(environment: Environment) -> str:
    """The namespace an environment lives in."""
    return environment.name


def units_of(environment: Environment, only: Sequence[str] = ()) -> dict[str, Unit]:
    """The units of an environment by name; with `only`, those and everything they need."""
    units: dict[str, Unit] = {}
    for name, dependency in environment.dependencies.items():
        if dependency.mode == "real" and dependency.real:
            units[name] = Unit(name, "real")
        elif dependency.mode == "stub":
            units[name] = Unit(name, "stub", (engine.NAME,))
            units[engine.NAME] = Unit(engine.NAME, "engine")
    seeds = {name: seeds_of(environment, name) for name in (*units, *environment.services)}
    for name, spec in environment.services.items():
        units[name] = Unit(name, "service", needs_with_seeds(spec.needs, seeds))
    units |= _seed_units(seeds)
    present = {name: replace(u, needs=tuple(n for n in u.needs if n in units)) for name, u in units.items()}
    return _closure(present, only) if only else present


def seeds_of(environment: Environment, name: str) -> tuple[ContainerStep, ...]:
    """The seeds of a service, or of a dependency that runs for real."""
    if name in environment.services:
        return environment.services[name].running.seed
    dependency = environment.dependencies.get(name)
    real = dependency.real if dependency and dependency.mode == "real" else None
    return real.running.seed if real else ()


def _seed_units(seeds: Mapping[str, Sequence[ContainerStep]]) -> dict[str, Unit]:
    units = {}
    for owner, listed in seeds.items():
        before = owner
        for seed in listed:
            name = seed_unit(owner, seed)
            units[name] = Unit(name, "seed", (before,), of=owner)
            before = name
    return units


def _closure(units: Mapping[str, Unit], only: Sequence[str]) -> dict[str, Unit]:
    """Those of `only` that are units, all that they need, and all of their seeds."""
    wanted: set[str] = set()
    open_names = [name for name in only if name in units]
    while open_names:
        name = open_names.pop()
        if name not in wanted:
            wanted.add(name)
            open_names.extend(units[name].needs)
            open_names.extend(unit.name for unit in units.values() if unit.of == name)
    return {name: unit for name, unit in units.items() if name in wanted}


def wanted_files(environment: Environment) -> list[Path]:
    """The single files whose contents the plan needs: seeds of dependencies, a service's own manifests."""
    paths = [
        path
        for dependency in environment.dependencies.values()
        if dependency.mode == "real" and dependency.real
        for group in dependency.real.files.values()
        for path in group
    ]
    return paths + [spec.deploy.path for spec in environment.services.values() if spec.deploy]


def unit_objects(
    environment: Environment, unit: Unit, files: Files, image: Image | None = None, sealed: Sealed | None = None
) -> list[Object]:
    """The Kubernetes objects of one unit, stamped and in the order they are applied.

    A service and its seeds need its `image`, a unit with secrets needs them `sealed`. Raises ConfigError
    (manifest-invalid, files-too-large, config-invalid for stubs, program-unknown, arch-unknown).
    """
    objects = _raw_objects(environment, unit, files, image)
    if sealed:
        objects = seal(objects, unit.name, sealed, container=_own_container(environment, unit, files))
    if unit.kind == "service" and image and _has_agent(environment.services[unit.name], files):
        container = _own_container(environment, unit, files) or unit.name
        objects = with_agent(objects, environment.services[unit.name], image, files.agents, container=container)
    namespace = namespace_of(environment)
    for obj in objects:
        obj["metadata"]["namespace"] = namespace
    stamped = [stamp(obj, environment=environment.name, unit=unit.name) for obj in objects]
    # After stamping: the hash that a stamp carries must not tell of a value.
    return [fill(obj, unit.name, sealed) for obj in stamped] if sealed else stamped


def notes_of(environment: Environment, unit: Unit, files: Files, image: Image | None = None) -> list[str]:
    """What to tell of a unit's objects: what of the user's own manifests is left out. ConfigError manifest-invalid."""
    if unit.kind != "service" or not _has_agent(environment.services[unit.name], files):
        return []
    container = _own_container(environment, unit, files) or unit.name
    objects = _raw_objects(environment, unit, files, image)
    return probe_notes(objects, environment.services[unit.name], container=container)


def _has_agent(spec: Service, files: Files) -> bool:
    return bool(files.agents) and carries_agent(spec)


def _own_container(environment: Environment, unit: Unit, files: Files) -> str | None:
    """The container of a service's own manifests that is the service's; None for what devenv generates."""
    spec = environment.services[unit.name] if unit.kind == "service" else None
    return container_name(spec, spec.deploy, files.single[spec.deploy.path]) if spec and spec.deploy else None


def _raw_objects(environment: Environment, unit: Unit, files: Files, image: Image | None) -> list[Object]:
    if unit.kind == "engine":
        stubbed = {name: d for name, d in environment.dependencies.items() if d.mode == "stub"}
        return engine.engine_objects(stubbed, files.stubs)
    if unit.kind == "seed":
        return [_seed_object(environment, unit, files, image)]
    if unit.kind == "service":
        return _service_objects(environment.services[unit.name], files, image)
    dependency: Dependency = environment.dependencies[unit.name]
    if unit.kind == "stub":
        return engine.stub_objects(dependency)
    assert dependency.real is not None
    return real_objects(dependency, dependency.real, files.single)


def restarts(spec: Service) -> bool:
    """Whether a sync rule of the service restarts its program, which then runs under the supervisor."""
    return any(rule.reload.kind == "restart" for rule in spec.sync)


def _service_objects(spec: Service, files: Files, image: Image | None) -> list[Object]:
    """A service's own manifests with its image put in, or generated ones."""
    assert image is not None, f"{spec.name} has no image yet"
    program = spec.command or image.program
    shell = restarts(spec) and program and not _has_agent(spec, files)
    command = supervised(program) if shell else spec.command
    container = service_container(spec, image.reference, command)
    if spec.deploy:
        return own_objects(spec, spec.deploy, files.single[spec.deploy.path], container)
    return service_objects(spec, container)


def _seed_object(environment: Environment, unit: Unit, files: Files, image: Image | None) -> Object:
    seed = next(s for s in seeds_of(environment, unit.of) if seed_unit(unit.of, s) == unit.name)
    if unit.of in environment.services:
        spec = environment.services[unit.of]
        assert image is not None, f"{unit.of} has no image yet"
        container = refer(service_container(spec, image.reference, ()), unit.of, spec.secrets)
        # What a service seeds is somewhere else, and stays there.
        return seed_job(unit.of, seed, container, [], keeps=True, data=None)
    real = environment.dependencies[unit.of].real
    assert real is not None
    storage = storage_of(unit.of, {}, real.files, files.single)
    container = {**refer(real_container(unit.of, real), unit.of, real.secrets), "volumeMounts": storage.mounts}
    pods = None if real.volumes else _pods_of(container, real)
    data = [content_hash(storage.maps), pods]
    return seed_job(unit.of, seed, container, storage.volumes, keeps=bool(real.volumes), data=data)


def _pods_of(container: Object, real: Real) -> Object:
    """What makes the pods of a dependency anew when it changes."""
    return {"container": container, "init": [asdict(step) for step in real.running.init]}
