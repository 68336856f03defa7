"""Seeds: jobs that run once after a unit is ready and before what needs it starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from devenv.config.model import ContainerStep
from devenv.plan.marks import DATA, ROLE, SEED, Object, content_hash
from devenv.plan.workloads import GRACE_SECONDS, step_container


def seed_unit(owner: str, seed: ContainerStep) -> str:
    """The name of a seed's unit; the dot keeps it apart from every service's and dependency's name."""
    return f"{owner}.{seed.name}"


def needs_with_seeds(needs: Sequence[str], seeds: Mapping[str, Sequence[ContainerStep]]) -> tuple[str, ...]:
    """What must be ready before a unit starts: what it needs, each with its seeds."""
    return tuple(name for need in needs for name in (need, *(seed_unit(need, seed) for seed in seeds.get(need, ()))))


def seed_job(
    owner: str, seed: ContainerStep, container: Object, volumes: Sequence[Object], *, keeps: bool, data: object
) -> Object:
    """The Job of a seed: one attempt, never again while its content is the same.

    `container` is that of its unit, whose image, variables and mounted files it has. `keeps` says that what it wrote
    outlives the unit's pods; where it does not, `data` stands for what makes those pods anew, and the seed runs again.
    """
    files = {volume["name"] for volume in volumes}
    mounts = [mount for mount in container.get("volumeMounts", []) if mount["name"] in files]
    pod: Object = {"terminationGracePeriodSeconds": GRACE_SECONDS, "restartPolicy": "Never"}
    pod |= {"containers": [step_container(seed, container, mounts)]}
    pod |= {"volumes": list(volumes)} if volumes else {}
    template: Object = {
        "metadata": {"labels": {ROLE: SEED}, "annotations": {DATA: content_hash(data)}},
        "spec": pod,
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": f"{owner}-{seed.name}", "labels": {ROLE: SEED, DATA: "kept" if keeps else "lost"}},
        "spec": {"backoffLimit": 0, "template": template},
    }


def outlives_pods(obj: Object) -> bool:
    """Whether an object is a seed that is done, and that left data which stay when its unit's pods go."""
    labels = obj["metadata"].get("labels", {})
    done = obj["kind"] == "Job" and bool(obj.get("status", {}).get("succeeded"))
    return done and labels.get(ROLE) == SEED and labels.get(DATA) == "kept"
