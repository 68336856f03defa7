"""`devenv down`: removes exactly what devenv made, as far as it is asked to, and says what remains."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from devenv import problems
from devenv.errors import ClusterError, Refused
from devenv.flows.steps import Cancelled
from devenv.flows.units import KINDS, is_ours, live_objects, ref_of
from devenv.flows.world import World
from devenv.plan.jobs import outlives_pods
from devenv.plan.marks import ENVIRONMENT, MANAGED_BY, UNIT
from devenv.ports import Kube, Ref

GONE_SECONDS = 90


@dataclass(frozen=True, slots=True)
class DownRequest:
    """What to remove: always the workloads; with `volumes` the data and namespace; with `cluster` everything."""

    environment: str
    volumes: bool = False
    cluster: bool = False


@dataclass(slots=True)
class DownResult:
    """What was removed and what is still there."""

    environment: str
    removed: list[str] = field(default_factory=list)
    remains: list[str] = field(default_factory=list)


def down(
    request: DownRequest,
    world: World,
    *,
    end_session: Callable[[Kube], bool],
    end_all_sessions: Callable[[Kube], int],
    confirm: Callable[[str], bool],
    before: Callable[[], None] = lambda: None,
) -> DownResult:
    """Take the environment down.

    `end_session` ends a live session of it (True if there was one), `end_all_sessions` those of all environments of a
    cluster that goes; `confirm` asks before other environments go with it; `before` is called before anything of an
    environment that is up is touched. Raises Refused unconfirmed, ClusterError.
    """
    result = DownResult(request.environment)
    state = world.clusters.inspect()
    if state.status == "foreign":
        raise Refused(problems.CLUSTER_FOREIGN, name=world.settings.cluster)
    kube = world.connect(world.clusters.access()) if state.status == "running" else None
    if request.cluster:
        _confirm(confirm, _losses(request, world, kube, state.status))
    if kube and _is_up(kube, request.environment):
        before()
        _take_down(request, world, kube, result, end_session)
    elif state.status == "stopped" and not request.cluster:
        raise ClusterError(problems.CLUSTER_UNREACHABLE, context=world.settings.cluster, server="its stopped node")
    if request.cluster:
        if kube:
            end_all_sessions(kube)
        _remove_cluster(world, result)
    return result


def _is_up(kube: Kube, environment: str) -> bool:
    found = kube.objects.find(Ref("v1", "Namespace", environment))
    return found is not None and is_ours(found)


def _take_down(
    request: DownRequest, world: World, kube: Kube, result: DownResult, end_session: Callable[[Kube], bool]
) -> None:
    if end_session(kube):
        result.removed.append("the session")
    name = request.environment
    with world.progress.step("workloads") as note:
        claims = kube.objects.select("v1", "PersistentVolumeClaim", namespace=name)
        everything = request.volumes or request.cluster
        note(f"{_remove_objects(world, kube, name, result, seeds=everything or not claims)} removed")
    if everything:
        with world.progress.step(f"namespace {name}"):
            kube.objects.delete(Ref("v1", "Namespace", name))
            if not request.cluster:
                _wait(world, lambda: kube.objects.find(Ref("v1", "Namespace", name)) is None, f"namespace {name}")
        result.removed += [f"volume {c['metadata']['name']}" for c in claims] + [f"namespace {name}"]
    else:
        result.remains += [f"namespace {name}", *(f"volume {c['metadata']['name']}" for c in claims)]


def _remove_objects(world: World, kube: Kube, name: str, result: DownResult, *, seeds: bool) -> int:
    """Remove all but claims, and but seeds that left data in them unless `seeds`: what is done stays done."""
    order = {kind: index for index, (_, kind) in enumerate(KINDS)}
    live = live_objects(kube, name, name).values()
    kept = [] if seeds else [o for o in live if outlives_pods(o)]
    chosen = [o for o in live if o["kind"] not in ("PersistentVolumeClaim", "Pod") and o not in kept]
    units = {o["metadata"]["labels"].get(UNIT) for o in kept}
    for pod in (o for o in live if o["kind"] == "Pod" and o["metadata"]["labels"].get(UNIT) in units):
        kube.objects.delete(ref_of(pod))
    for obj in sorted(chosen, key=lambda o: order[o["kind"]]):
        if kube.objects.delete(ref_of(obj)):
            result.removed.append(str(ref_of(obj)))
    labels = f"{MANAGED_BY}=devenv,{ENVIRONMENT}={name}"
    _wait(world, lambda: not kube.objects.select("v1", "Pod", namespace=name, labels=labels), f"the pods of {name}")
    return len(chosen)


def _wait(world: World, done: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + GONE_SECONDS
    while not done():
        if time.monotonic() > deadline:
            raise ClusterError(
                problems.API_FAILED, action=f"remove {what}", reason=f"still there after {GONE_SECONDS} s"
            )
        if world.stop.wait(0.2):
            raise Cancelled


def _losses(request: DownRequest, world: World, kube: Kube | None, status: str) -> str:
    """What would go with the cluster though nobody asked for it; "" where nothing would."""
    if kube is None:
        return f"the stopped cluster {world.settings.cluster} with all that is in it" if status == "stopped" else ""
    spaces = kube.objects.select("v1", "Namespace", labels=f"{MANAGED_BY}=devenv")
    others = sorted(s["metadata"]["name"] for s in spaces if s["metadata"]["name"] != request.environment)
    claims = (
        [] if request.volumes else kube.objects.select("v1", "PersistentVolumeClaim", namespace=request.environment)
    )
    parts = [f"its other environments ({', '.join(others)})"] if others else []
    parts += (
        [f"the data of {request.environment} ({', '.join(c['metadata']['name'] for c in claims)})"] if claims else []
    )
    return f"cluster {world.settings.cluster} with {' and '.join(parts)}" if parts else ""


def _confirm(confirm: Callable[[str], bool], losses: str) -> None:
    action = f"deleting {losses}"
    if losses and not confirm(action):
        raise Refused(problems.UNCONFIRMED, action=action)


def _remove_cluster(world: World, result: DownResult) -> None:
    with world.progress.step(f"cluster {world.settings.cluster}"):
        if world.clusters.delete():
            result.removed.append(f"cluster {world.settings.cluster}")
    with world.progress.step("local registry"):
        if world.registry.remove():
            result.removed.append(f"registry {world.settings.registry_name}")
