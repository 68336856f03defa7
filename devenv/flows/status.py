"""`devenv status`: what of an environment is in the cluster, and how it is."""

from __future__ import annotations

from dataclasses import dataclass

from devenv.config.model import Environment
from devenv.flows.observe import events_of
from devenv.flows.programs import look
from devenv.flows.units import live_objects
from devenv.health.verdict import is_rolled_out, judge_pod
from devenv.plan.engine import NAME as ENGINE
from devenv.plan.marks import UNIT
from devenv.plan.units import Unit, namespace_of, units_of
from devenv.ports import Kube, Object


@dataclass(frozen=True, slots=True)
class UnitStatus:
    """One unit: its state is `ready`, `starting`, `failing`, `absent` or `off`; `detail` is the verdict's sentence."""

    name: str
    kind: str
    state: str
    detail: str = ""
    restarts: int = 0


def status(environment: Environment, kube: Kube) -> list[UnitStatus]:
    """The state of every unit, in the order of the files."""
    namespace = namespace_of(environment)
    live = live_objects(kube, namespace, environment.name)
    units = units_of(environment)
    listed = [_unit_status(kube, namespace, unit, live) for unit in units.values() if unit.name != ENGINE]
    off = [UnitStatus(name, "off", "off") for name, d in environment.dependencies.items() if d.mode == "off"]
    return listed + off


def _unit_status(kube: Kube, namespace: str, unit: Unit, live: dict[tuple[str, str], Object]) -> UnitStatus:
    # A stub is as ready as the engine behind its Service.
    name = ENGINE if unit.kind == "stub" else unit.name
    mine = [o for o in live.values() if o["metadata"].get("labels", {}).get(UNIT) == name]
    kinds = ("Job",) if unit.kind == "seed" else ("Deployment", "StatefulSet", "DaemonSet")
    workloads = [o for o in mine if o["kind"] in kinds]
    pods = [o for o in mine if o["kind"] == "Pod" and not o["metadata"].get("deletionTimestamp")]
    kind = "service" if unit.kind == "service" else unit.kind
    restarts = sum(s.get("restartCount", 0) for p in pods for s in p.get("status", {}).get("containerStatuses", []))
    if not workloads:
        return UnitStatus(unit.name, kind, "absent")
    told = next((answer for answer in look(kube, pods) if answer.sentence), None)
    if all(is_rolled_out(w) for w in workloads) and not (told and told.program.state == "crashed"):
        return UnitStatus(unit.name, kind, "ready", told.sentence if told else "", restarts)
    verdicts = [judge_pod(p, events_of(kube, namespace, p["metadata"]["name"])) for p in pods]
    bad = next((v for v in verdicts if v.problem), None) or next((v for v in verdicts if not v.ready), None)
    if told:
        return UnitStatus(
            unit.name, kind, "failing" if told.program.state == "crashed" else "starting", told.sentence, restarts
        )
    state = "failing" if bad and bad.problem else "starting"
    return UnitStatus(unit.name, kind, state, bad.message if bad else "is starting", restarts)
