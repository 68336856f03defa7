"""Brings one unit of an environment up: its image, its objects, its readiness."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Literal

from devenv import problems
from devenv.config.model import Environment, Service
from devenv.errors import ClusterError, ConfigError
from devenv.flows.observe import Observed, wait_ready
from devenv.flows.secrets import Values, sealed
from devenv.flows.seeding import seeding
from devenv.flows.steps import Note
from devenv.flows.stubs import read_stubs
from devenv.flows.world import World
from devenv.health.verdict import is_rolled_out, judge_pod
from devenv.plan.agent import carries_agent
from devenv.plan.changes import changes, sentence
from devenv.plan.image import Image
from devenv.plan.jobs import outlives_pods
from devenv.plan.manifests import container_name
from devenv.plan.marks import ENVIRONMENT, MANAGED_BY, UNIT, hash_of, selector
from devenv.plan.units import Files, Unit, namespace_of, notes_of, unit_objects, wanted_files
from devenv.ports import BuildRequest, Kube, Object, Ref

Action = Literal["created", "updated", "unchanged"]


@dataclass(slots=True)
class UnitResult:
    """What happened to one unit, and why."""

    name: str
    action: Action
    reason: str = ""
    seconds: float = 0.0
    changes: list[str] = field(default_factory=list)

    def add_changes(self, words: Sequence[str]) -> None:
        """Take in what differs of one more object."""
        self.changes = list(dict.fromkeys([*self.changes, *words]))
        self.reason = sentence(self.changes)


@dataclass(slots=True)
class Run:
    """One `up` under way: what it works on and what it has found so far."""

    environment: Environment
    files: Files
    world: World
    timeout: float
    live: dict[tuple[str, str], Object] = field(default_factory=dict)
    images: dict[str, Image] = field(default_factory=dict)
    results: dict[str, UnitResult] = field(default_factory=dict)
    secrets: Values = field(default_factory=dict, repr=False)
    planned: dict[str, set[tuple[str, str]]] = field(default_factory=dict)

    @property
    def namespace(self) -> str:
        """The environment's namespace."""
        return namespace_of(self.environment)


def read_files(environment: Environment, world: World) -> Files:
    """The contents that the plan needs. ConfigError where a file can't be read; ToolError agent-missing."""
    try:
        single = {path: path.read_bytes() for path in wanted_files(environment)}
        stubs = read_stubs(environment, world.progress.note)
    except OSError as error:
        detail = f"{error.filename}: {error.strerror}"
        raise ConfigError(problems.CONFIG_INVALID, count="1 fault", details=[detail]) from error
    synced = any(carries_agent(spec) for spec in environment.services.values())
    return Files(single, stubs, world.agents() if synced else {})


def container_of(spec: Service) -> str:
    """The name of the container that runs a service. ConfigError where its own manifests don't tell."""
    if spec.deploy is None:
        return spec.name
    return container_name(spec, spec.deploy, spec.deploy.path.read_bytes())


def image_name(environment: Environment, spec: Service, tag: str) -> str:
    """The name of a service's image in the local registry, without the registry."""
    return f"{environment.name}-{spec.name}:{tag}"


def build_image(run: Run, spec: Service, note: Note) -> None:
    """Find or build the service's image; an unchanged build is found in the registry by its content hash."""
    if not spec.build:
        run.images[spec.name] = _prebuilt(run, spec)
        return
    build, images = spec.build, run.world.images
    request = BuildRequest(spec.name, "", build.context, build.dockerfile, build.target, build.args)
    name = image_name(run.environment, spec, images.tag(request))
    config = images.find(name)
    note("unchanged" if config else "built")
    if config is None:
        full = BuildRequest(spec.name, name, build.context, build.dockerfile, build.target, build.args)
        config = images.build(full, stop=run.world.stop, on_line=note)
        note("built")
    program = config.entrypoint + config.command
    run.images[spec.name] = Image(images.reference(name), program, config.entrypoint, config.architecture)


def _prebuilt(run: Run, spec: Service) -> Image:
    """An image that is not built here; asked of its registry only where it matters what it starts."""
    reference = spec.image or ""
    if not run.files.agents or not carries_agent(spec):
        return Image(reference, spec.command)
    found = run.world.images.look_up(reference)
    return Image(reference, found.entrypoint + found.command, found.entrypoint, found.architecture, found.unknown)


def ref_of(obj: Object) -> Ref:
    """The reference of an object."""
    metadata = obj["metadata"]
    return Ref(obj["apiVersion"], obj["kind"], metadata["name"], metadata.get("namespace", ""))


def bring_up(run: Run, kube: Kube, observed: Observed, unit: Unit, note: Note) -> None:
    """Apply what differs of a unit and wait until it is ready."""
    started = time.monotonic()
    secrets = sealed(run.live, unit.name, run.secrets.get(unit.name))
    objects = unit_objects(run.environment, unit, run.files, run.images.get(unit.name), secrets)
    result = run.results[unit.name] = UnitResult(unit.name, "unchanged")
    run.planned[unit.name] = {(obj["kind"], obj["metadata"]["name"]) for obj in objects}
    stored = [_apply(run, kube, obj, result) for obj in objects]
    _retry_hopeless(run, kube, unit)
    if result.action != "unchanged" or not _all_ready(stored):
        note("starting")
        wait_ready(
            kube,
            observed,
            namespace=run.namespace,
            unit=unit.name,
            objects=stored,
            timeout=run.timeout,
            stop=run.world.stop,
        )
    result.seconds = round(time.monotonic() - started, 3)
    words = f"{result.action} ({result.reason})" if result.reason else result.action
    seeded = seeding(kube, observed.pods(unit.name)) if result.action != "unchanged" else ""
    note(f"{words}, {seeded}" if seeded else words)
    for text in (
        notes_of(run.environment, unit, run.files, run.images.get(unit.name)) if result.action != "unchanged" else ()
    ):
        run.world.progress.note(text)


def _apply(run: Run, kube: Kube, obj: Object, result: UnitResult) -> Object:
    key = (obj["kind"], obj["metadata"]["name"])
    live = run.live.get(key)
    if live is not None and hash_of(live) == hash_of(obj):
        return live
    if live is None:
        action: Action = "created" if result.action != "updated" else "updated"
    else:
        action = "updated"
        result.add_changes(changes(live, obj))
    result.action = action
    return _apply_or_replace(kube, obj)


def _apply_or_replace(kube: Kube, obj: Object) -> Object:
    try:
        return kube.objects.apply(obj)
    except ClusterError as error:
        immutable = "immutable" in error.message and obj["kind"] not in ("PersistentVolumeClaim", "Namespace")
        if not immutable or not kube.objects.delete(ref_of(obj)):
            raise
        return kube.objects.apply(obj)


def _all_ready(objects: Sequence[Object]) -> bool:
    kinds = ("Deployment", "StatefulSet", "DaemonSet")
    return all(is_rolled_out(obj) for obj in objects if obj["kind"] in kinds)


def _retry_hopeless(run: Run, kube: Kube, unit: Unit) -> None:
    """Remove pods that were given up on before: what was mended since is tried at once, not after a back-off."""
    for pod in (obj for (kind, _), obj in run.live.items() if kind == "Pod"):
        if pod["metadata"].get("labels", {}).get(UNIT) == unit.name and judge_pod(pod).fatal:
            kube.objects.delete(Ref("v1", "Pod", pod["metadata"]["name"], run.namespace))


def ensure_namespace(run: Run, kube: Kube) -> None:
    """The environment's namespace; ClusterError namespace-foreign for one that devenv did not make."""
    found = kube.objects.find(Ref("v1", "Namespace", run.namespace))
    if found is None:
        kube.objects.apply(namespace_object(run.namespace, run.environment.name))
    elif not is_ours(found):
        raise ClusterError(problems.NAMESPACE_FOREIGN, namespace=run.namespace)
    elif found["metadata"].get("deletionTimestamp"):
        _wait_gone(run, kube)
        kube.objects.apply(namespace_object(run.namespace, run.environment.name))


def _wait_gone(run: Run, kube: Kube) -> None:
    while kube.objects.find(Ref("v1", "Namespace", run.namespace)):
        if run.world.stop.wait(0.3):
            return


def is_ours(obj: Object) -> bool:
    """Whether devenv made the object."""
    return bool(obj["metadata"].get("labels", {}).get(MANAGED_BY) == "devenv")


def namespace_object(name: str, environment: str) -> Object:
    """The namespace of an environment."""
    labels = {MANAGED_BY: "devenv", ENVIRONMENT: environment}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


KINDS = (
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("apps/v1", "DaemonSet"),
    ("batch/v1", "Job"),
    ("v1", "Service"),
    ("v1", "ConfigMap"),
    ("v1", "Secret"),
    ("v1", "PersistentVolumeClaim"),
    ("v1", "ServiceAccount"),
    ("networking.k8s.io/v1", "Ingress"),
    ("rbac.authorization.k8s.io/v1", "Role"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding"),
    ("batch/v1", "CronJob"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
    ("autoscaling/v2", "HorizontalPodAutoscaler"),
    ("policy/v1", "PodDisruptionBudget"),
)
"""The kinds that `down`, pruning and `status` look through for what devenv applied."""


def live_objects(kube: Kube, namespace: str, environment: str) -> dict[tuple[str, str], Object]:
    """Everything of an environment that is in the cluster, its pods included, by kind and name."""
    labels = selector(environment)
    with ThreadPoolExecutor(max_workers=6) as pool:
        lists = pool.map(
            lambda pair: kube.objects.select(*pair, namespace=namespace, labels=labels), (*KINDS, ("v1", "Pod"))
        )
        return {(obj["kind"], obj["metadata"]["name"]): obj for objects in lists for obj in objects}


def prune(run: Run, kube: Kube, kept: Sequence[str], *, others: bool) -> list[Ref]:
    """Delete what devenv applied for the units `kept` before and no longer wants, and with `others` every other unit.

    Claims stay, and so do seeds that left data there: data is never pruned.
    """
    gone = []
    for key, obj in run.live.items():
        unit = obj["metadata"].get("labels", {}).get(UNIT)
        wanted = key in run.planned.get(unit, {key}) if unit in kept else not others
        if wanted or key[0] in ("Pod", "PersistentVolumeClaim", "Namespace") or outlives_pods(obj):
            continue
        if kube.objects.delete(ref_of(obj)):
            gone.append(ref_of(obj))
    return gone
