"""`devenv up`: the cluster, the registry, images, dependencies and services, each after what it needs."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from devenv.config.load import unknown_name
from devenv.config.model import Environment
from devenv.flows.cluster import cluster_steps
from devenv.flows.hooks import run_hooks
from devenv.flows.observe import Observed, observing
from devenv.flows.secrets import look_up, wanted_secrets
from devenv.flows.seeds import bring_seed
from devenv.flows.steps import Note, Step, run_steps
from devenv.flows.trust import shown_command
from devenv.flows.units import (
    Run,
    UnitResult,
    bring_up,
    build_image,
    ensure_namespace,
    live_objects,
    prune,
    read_files,
)
from devenv.flows.world import World
from devenv.plan.units import Unit, units_of
from devenv.ports import Kube

Entered = Callable[[Kube], None]


@dataclass(frozen=True, slots=True)
class UpRequest:
    """What to bring up: an environment, some of it by name or group (none: all), seconds to wait for each unit.

    `hooks` says whether the environment's hooks run.
    """

    environment: Environment
    only: Sequence[str] = ()
    timeout: float = 180.0
    hooks: bool = True


@dataclass(frozen=True, slots=True)
class UpResult:
    """What `up` did: each unit's outcome, what was pruned, and how long it took."""

    environment: str
    namespace: str
    context: str
    units: tuple[UnitResult, ...]
    pruned: tuple[str, ...]
    seconds: float

    @property
    def changed(self) -> bool:
        """Whether anything in the cluster differs from before."""
        return bool(self.pruned) or any(unit.action != "unchanged" for unit in self.units)


class _Up:
    """One run: the steps share the cluster once it is there, and what was observed in it."""

    def __init__(self, request: UpRequest, world: World, stack: ExitStack, entered: Entered) -> None:
        self.request = request
        self.world = world
        self.stack = stack
        self.entered = entered
        self.units = units_of(request.environment, members_of(request.environment, request.only))
        files = read_files(request.environment, world)
        secrets = look_up(request.environment, self.units, world)
        self.run = Run(request.environment, files, world, request.timeout, secrets=secrets)
        self.kube: Kube | None = None
        self.observed: Observed | None = None

    def steps(self) -> list[Step]:
        services = [unit for unit in self.units.values() if unit.kind == "service"]
        return [
            *cluster_steps(self.world),
            Step("namespace", f"namespace {self.run.namespace}", self._enter, ("cluster",)),
            *(self._build_step(unit) for unit in services if self.request.environment.services[unit.name].build),
            *(self._unit_step(unit) for unit in self.units.values()),
        ]

    def _enter(self, note: Note) -> None:
        kube = self.kube = self.world.connect(self.world.clusters.access())
        ensure_namespace(self.run, kube)
        self.run.live.update(live_objects(kube, self.run.namespace, self.run.environment.name))
        self.observed = self.stack.enter_context(observing(kube, self.run.namespace, self.run.environment.name))
        self.entered(kube)
        note("ready")

    def _build_step(self, unit: Unit) -> Step:
        spec = self.request.environment.services[unit.name]
        return Step(
            f"build:{unit.name}",
            f"image {unit.name}",
            lambda note: build_image(self.run, spec, note),
            ("registry",),
        )

    def _unit_step(self, unit: Unit) -> Step:
        needs = ("namespace", "registry", f"build:{unit.name}", *unit.needs)
        return Step(unit.name, unit.name, lambda note: self._bring_up(unit, note), needs)

    def _bring_up(self, unit: Unit, note: Note) -> None:
        assert self.kube is not None
        assert self.observed is not None
        if unit.kind == "seed":
            bring_seed(self.run, self.kube, self.observed, unit, note)
            return
        if unit.kind == "service":
            self._ensure_image(unit.name, note)
        bring_up(self.run, self.kube, self.observed, unit, note)

    def _ensure_image(self, service: str, note: Note) -> None:
        if service not in self.run.images:
            build_image(self.run, self.request.environment.services[service], note)


def up(request: UpRequest, world: World, entered: Entered = lambda kube: None) -> UpResult:
    """Bring the environment up and wait until all of it is ready; its hooks before_up run first.

    `entered` is called once the namespace is there, before anything is put into it. The commands of the environment's
    hooks and secrets must be trusted already. Raises UsageError for unknown names, ConfigError, ToolError,
    ClusterError, NotReady with the reason.
    """
    check_names(request.environment, request.only)
    started = time.monotonic()
    if request.hooks:
        run_hooks(request.environment, "before_up", world)
    with ExitStack() as stack:
        work = _Up(request, world, stack, entered)
        run_steps(work.steps(), world.progress, world.stop)
        kube = work.kube
        assert kube is not None
        gone = prune(work.run, kube, list(work.units), others=not request.only)
        units = tuple(work.run.results[name] for name in work.units)
    return UpResult(
        environment=request.environment.name,
        namespace=work.run.namespace,
        context=kube.context,
        units=units,
        pruned=tuple(str(ref) for ref in gone),
        seconds=round(time.monotonic() - started, 3),
    )


def check_names(environment: Environment, names: Sequence[str]) -> None:
    """UsageError name-unknown for a name that is neither service, dependency nor group."""
    known = sorted({*environment.services, *environment.dependencies, *environment.groups})
    for name in names:
        if name not in known:
            kind = "service, dependency or group" if environment.groups else "service or dependency"
            raise unknown_name(kind, name, known)


def members_of(environment: Environment, names: Sequence[str]) -> list[str]:
    """The services and dependencies that names of them and of groups stand for."""
    return list(dict.fromkeys(member for name in names for member in environment.groups.get(name, (name,))))


def plan_lines(request: UpRequest) -> list[str]:
    """What `up --dry-run` prints: the steps in an order they may run in."""
    check_names(request.environment, request.only)
    units = units_of(request.environment, members_of(request.environment, request.only))
    lines = _command_lines(request, "before_up")
    secrets = wanted_secrets(request.environment, units)
    lines += [f"secrets of {name}: {', '.join(wanted)}" for name, wanted in secrets.items()]
    lines += ["cluster", "local registry", f"namespace {request.environment.name}"]
    for name, unit in units.items():
        spec = request.environment.services.get(name)
        if spec and spec.build:
            lines.append(f"image {name} from {spec.build.dockerfile}")
        after = f" after {', '.join(unit.needs)}" if unit.needs else ""
        lines.append(f"{name} ({unit.kind}){after}")
    return lines + _command_lines(request, "after_up")


def _command_lines(request: UpRequest, when: str) -> list[str]:
    hooks = [hook for hook in request.environment.hooks if hook.when == when and request.hooks]
    return [f"{when}: {shown_command(hook.command)}" for hook in hooks]
