"""Runs a unit's seed: a job that is done once, and again only when its content is another or it failed."""

from __future__ import annotations

import time
from collections.abc import Callable

from devenv.flows.observe import Observed, explain
from devenv.flows.steps import Cancelled, Note
from devenv.flows.units import Run, UnitResult, ref_of
from devenv.health.verdict import judge_pod
from devenv.plan.changes import changes
from devenv.plan.marks import hash_of
from devenv.plan.units import Unit, unit_objects
from devenv.ports import Kube, Object

GONE_SECONDS = 60.0


def bring_seed(run: Run, kube: Kube, observed: Observed, unit: Unit, note: Note) -> None:
    """Run a seed that did not run yet in this form, and wait for its end.

    Raises NotReady seed-failed with its last lines, or what keeps its pod from starting.
    """
    started = time.monotonic()
    result = run.results[unit.name] = UnitResult(unit.name, "unchanged")
    (job,) = unit_objects(run.environment, unit, run.files, run.images.get(unit.of))
    key = (job["kind"], job["metadata"]["name"])
    run.planned[unit.name] = {key}
    stored = _current(run, kube, job, result)
    if not _is_done(stored):
        note("seeding")
        _wait_done(run, kube, observed, unit, stored)
    result.seconds = round(time.monotonic() - started, 3)
    note({"unchanged": "done before", "created": "done"}.get(result.action, f"done again ({result.reason})"))


def _current(run: Run, kube: Kube, job: Object, result: UnitResult) -> Object:
    """The job that counts: the one that is there, or a new one in its place."""
    live = run.live.get((job["kind"], job["metadata"]["name"]))
    same = live is not None and hash_of(live) == hash_of(job)
    if live is not None and same and not _has_failed(live):
        return live
    if live is not None:
        result.action = "updated"
        result.add_changes(changes(live, job))
        result.reason = "it failed before" if same else result.reason
        _remove(run, kube, live)
    else:
        result.action = "created"
    return kube.objects.apply(job)


def _remove(run: Run, kube: Kube, job: Object) -> None:
    """A job's template can't be changed, so the old one goes first."""
    kube.objects.delete(ref_of(job))
    deadline = time.monotonic() + GONE_SECONDS
    while kube.objects.find(ref_of(job)) and time.monotonic() < deadline:
        if run.world.stop.wait(0.1):
            raise Cancelled


def _wait_done(run: Run, kube: Kube, observed: Observed, unit: Unit, job: Object) -> None:
    name, uid = job["metadata"]["name"], job["metadata"]["uid"]

    def newest() -> Object | None:
        found = observed.find("Job", name)
        return found if found and found["metadata"]["uid"] == uid else None

    def pods() -> list[Object]:
        return [pod for pod in observed.pods(unit.name) if _belongs_to(pod, uid)]

    if observed.wait(_settled(newest, pods), timeout=run.timeout, stop=run.world.stop) and _is_done(newest()):
        return
    raise explain(kube, run.namespace, unit.name, pods(), run.timeout)


def _settled(newest: Callable[[], Object | None], pods: Callable[[], list[Object]]) -> Callable[[], bool]:
    return lambda: _is_done(newest()) or _has_failed(newest()) or any(judge_pod(pod).fatal for pod in pods())


def _belongs_to(pod: Object, uid: str) -> bool:
    return any(owner.get("uid") == uid for owner in pod["metadata"].get("ownerReferences", []))


def _is_done(job: Object | None) -> bool:
    return bool((job or {}).get("status", {}).get("succeeded"))


def _has_failed(job: Object | None) -> bool:
    return bool((job or {}).get("status", {}).get("failed"))
