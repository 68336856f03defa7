"""How the pods of a service or a real dependency run: variables from files, resources, volumes, steps, replicas."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from devenv.config import model, schema
from devenv.config.dotenv import read_dotenv
from devenv.config.quantities import amount
from devenv.config.sentences import nearest
from devenv.config.shape import locate
from devenv.config.source import Fault, Leaf, Located, Map, describe_scalar
from devenv.config.source import Sequence as LocatedSequence
from devenv.config.strict import text_of

MAX_REPLICAS = 50
RESOURCES = ("cpu", "memory", "ephemeral-storage")
_LONGEST_NAME = 63
_EXTENDED = re.compile(r"[a-z0-9.-]+/[A-Za-z0-9._-]+|hugepages-[0-9]+[KMG]i")


class RunningBuilder:
    """Reads what services and real dependencies have in common; faults are told below `path` of the unit's tree."""

    def __init__(self, name: str, tree: Located, path: str, faults: list[Fault]) -> None:
        self._name, self._tree, self._path, self._faults = name, tree, path, faults

    def _fault(self, text: str, *path: str | int) -> None:
        origin, shown = locate(self._tree, path)
        self._faults.append(Fault(origin, f"{self._path}.{shown}" if shown else self._path, text))

    def env(self, own: Mapping[str, str], *, folder: Path | None = None) -> dict[str, str]:
        """The variables of the unit's env files, `own` over them.

        A file is looked for in `folder`, or beside the file that names it.
        """
        found: dict[str, str] = {}
        for leaf in _leaves(self._tree.value("env_file") if isinstance(self._tree, Map) else None):
            path, beside = f"{self._path}.env_file", folder or leaf.origin.file.parent
            found |= read_dotenv(leaf, str(leaf.value), beside, path, self._faults)
        return {**found, **own}

    def running(self, spec: schema.RunningFile) -> model.Running:
        """Replicas, resources, init steps and seeds."""
        if spec.replicas is not None and not 1 <= spec.replicas <= MAX_REPLICAS:
            text = f"expected a number from 1 to {MAX_REPLICAS}, got {describe_scalar(spec.replicas)}"
            self._fault(text, "replicas")
        return model.Running(
            replicas=spec.replicas,
            resources=self._resources(spec.resources),
            init=self._steps("init", spec.init),
            seed=self._steps("seed", spec.seed),
        )

    def volumes(self, given: Mapping[str, schema.VolumeFile]) -> dict[str, model.Volume]:
        """The unit's volumes, no two at one path."""
        paths: dict[str, str] = {}
        for key, volume in given.items():
            other = paths.setdefault(volume.path.rstrip("/"), key)
            if other != key:
                self._fault(f"{volume.path} is where {other} is mounted too", "volumes", key, "path")
        return {key: model.Volume(volume.path, volume.size) for key, volume in given.items()}

    def _resources(self, spec: schema.ResourcesFile) -> model.Resources:
        limits = self._amounts("limits", spec.limits)
        if isinstance(spec.requests, str):
            return model.Resources(limits=limits, trim=True)
        requests = self._amounts("requests", spec.requests)
        for key, text in requests.items():
            wanted, most = amount(text), amount(limits.get(key, ""))
            if wanted is not None and most is not None and wanted > most:
                self._fault(f"asks for {text}, and its limit is {limits[key]}", "resources", "requests", key)
        return model.Resources(requests, limits)

    def _amounts(self, kind: str, given: Mapping[str, str | int]) -> dict[str, str]:
        for key, value in given.items():
            if key not in RESOURCES and not _EXTENDED.fullmatch(key):
                text = f'"{key}" is no resource{nearest(key, RESOURCES)}; known: {", ".join(RESOURCES)}'
                self._fault(f"{text}, and those with a domain such as nvidia.com/gpu", "resources", kind, key)
            elif amount(str(value)) is None:
                text = f"expected a quantity such as 500m, 2 or 256Mi, got {describe_scalar(value)}"
                self._fault(text, "resources", kind, key)
        return {key: str(value) for key, value in given.items()}

    def _steps(self, kind: str, given: Sequence[schema.StepFile]) -> tuple[model.ContainerStep, ...]:
        steps = [_step(kind, index, spec) for index, spec in enumerate(given)]
        for index, step in enumerate(steps):
            if step.name in [other.name for other in steps[:index]] or (kind == "init" and step.name == self._name):
                self._fault(f"the name {step.name} is taken: give it another", kind, index, "name")
            if len(f"{self._name}-{step.name}") > _LONGEST_NAME:
                text = f"{self._name}-{step.name} is longer than {_LONGEST_NAME} characters: give it a shorter name"
                self._fault(text, kind, index, "name")
        return tuple(steps)


def _step(kind: str, index: int, spec: schema.StepFile) -> model.ContainerStep:
    env = {key: text_of(value) for key, value in spec.env.items()}
    return model.ContainerStep(spec.name or f"{kind}-{index + 1}", command_of(spec.command), spec.image, env)


def _leaves(tree: Located | None) -> Sequence[Leaf]:
    items = tree.items if isinstance(tree, LocatedSequence) else (tree,)
    return [item for item in items if isinstance(item, Leaf)]


def command_of(value: str | list[str] | None) -> tuple[str, ...]:
    """A command: a list as it is, a string as the shell reads it."""
    if value is None:
        return ()
    return ("sh", "-c", value) if isinstance(value, str) else tuple(value)
