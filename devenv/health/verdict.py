"""Why a pod is not ready, from its status and events alone.

Field names and reasons are those of the Kubernetes API's PodStatus and the kubelet's events.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from devenv import problems
from devenv.errors import Problem

Object = Mapping[str, Any]

PULL_REASONS = frozenset({"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"})
CONFIG_REASONS = frozenset({"CreateContainerConfigError", "CreateContainerError", "RunContainerError"})
CRASHES_BEFORE_GIVING_UP = 2
SEED_ROLE = ("dev.devenv/role", "seed")
"""The label of pods that have one attempt, as the plan writes it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is the matter with a pod: `problem` None means it is ready or still on its way; `fatal` that it stays so."""

    pod: str
    message: str
    ready: bool = False
    problem: Problem | None = None
    fatal: bool = False
    container: str = ""
    facts: tuple[tuple[str, object], ...] = ()


def judge_pod(pod: Object, events: Sequence[Object] = ()) -> Verdict:
    """The verdict on one pod; `events` are those that involve it, oldest first."""
    name = pod["metadata"]["name"]
    if is_ready(pod):
        return Verdict(name, "ready", ready=True)
    first = list(pod.get("status", {}).get("initContainerStatuses", []))
    statuses = [*first, *_statuses(pod)]
    for index, status in enumerate(statuses):
        verdict = _judge_container(name, status, events) or _judge_end(pod, status, init=index < len(first))
        if verdict:
            return verdict
    return _judge_scheduling(name, pod) or Verdict(name, _progress(pod, statuses, events))


def is_ready(pod: Object) -> bool:
    """Whether the pod's Ready condition is true and it is not being deleted."""
    conditions = pod.get("status", {}).get("conditions", [])
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
    return ready and not pod["metadata"].get("deletionTimestamp")


def _statuses(pod: Object) -> list[Object]:
    found = pod.get("status", {}).get("containerStatuses", [])
    return list(found)


def _judge_container(pod: str, status: Object, events: Sequence[Object]) -> Verdict | None:
    waiting = status.get("state", {}).get("waiting", {})
    reason = waiting.get("reason", "")
    container = status["name"]
    if reason in PULL_REASONS:
        message = _pull_reason(waiting, events)
        facts = (("image", status.get("image", "")),)
        return Verdict(
            pod,
            f"{reason}: {message}",
            problem=problems.IMAGE_PULL_FAILED,
            fatal=_is_final(reason, message),
            container=container,
            facts=facts,
        )
    if reason in CONFIG_REASONS:
        message = waiting.get("message", "")
        return Verdict(
            pod,
            f"{reason}: {message}",
            problem=problems.CONTAINER_CONFIG,
            fatal=True,
            container=container,
            facts=(("reason", message or reason),),
        )
    return None


def _judge_end(pod: Object, status: Object, *, init: bool) -> Verdict | None:
    """The verdict on a container that ended: an init step, the only attempt of a seed, or a program that should run."""
    verdict = _judge_crash(pod["metadata"]["name"], status)
    if verdict is None or verdict.problem is problems.OUT_OF_MEMORY:
        return verdict
    if init:
        facts = (*verdict.facts, ("step", verdict.container))
        return replace(
            verdict, message=f"init step {status['name']} {verdict.message}", facts=facts, problem=problems.INIT_FAILED
        )
    if SEED_ROLE in pod["metadata"].get("labels", {}).items():
        message = verdict.message.partition(",")[0]
        return replace(verdict, message=message, problem=problems.SEED_FAILED, fatal=True)
    return verdict


def _judge_crash(pod: str, status: Object) -> Verdict | None:
    ended = status.get("state", {}).get("terminated") or status.get("lastState", {}).get("terminated")
    if not ended or status.get("ready") or (ended.get("exitCode") == 0 and not status.get("restartCount")):
        return None
    fatal = status.get("restartCount", 0) >= CRASHES_BEFORE_GIVING_UP
    container = status["name"]
    if ended.get("reason") == "OOMKilled":
        return Verdict(
            pod,
            "OOMKilled: it reached its memory limit",
            problem=problems.OUT_OF_MEMORY,
            fatal=fatal,
            container=container,
        )
    code = ended.get("exitCode")
    restarts = status.get("restartCount", 0)
    message = f"ended with code {code}, restarted {restarts} {'time' if restarts == 1 else 'times'}"
    return Verdict(
        pod, message, problem=problems.CRASH_LOOP, fatal=fatal, container=container, facts=(("exit_code", code),)
    )


def _judge_scheduling(name: str, pod: Object) -> Verdict | None:
    for condition in pod.get("status", {}).get("conditions", []):
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            reason = condition.get("message", condition.get("reason", ""))
            # A volume that waits for its first pod makes a pod unschedulable for a moment.
            return Verdict(
                name, f"not scheduled: {reason}", problem=problems.UNSCHEDULABLE, facts=(("reason", reason),)
            )
    return None


def _pull_reason(waiting: Object, events: Sequence[Object]) -> str:
    failures = [e.get("message", "") for e in events if e.get("reason") == "Failed" and "pull" in e.get("message", "")]
    return str(failures[-1] if failures else waiting.get("message", ""))


def _is_final(reason: str, message: str) -> bool:
    words = ("not found", "unauthorized", "denied", "authorization", "InvalidImageName", "couldn't parse")
    return reason in ("InvalidImageName", "ErrImageNeverPull", "ImagePullBackOff") or any(w in message for w in words)


def _progress(pod: Object, statuses: Sequence[Object], events: Sequence[Object]) -> str:
    if pod["metadata"].get("deletionTimestamp"):
        return "is being removed"
    waiting = [s["state"]["waiting"].get("reason", "") for s in statuses if s.get("state", {}).get("waiting")]
    if waiting:
        return f"is starting ({waiting[0]})"
    unhealthy = [e.get("message", "") for e in events if e.get("reason") == "Unhealthy"]
    if unhealthy:
        return f"runs, but is not ready: {unhealthy[-1]}"
    running = any(s.get("state", {}).get("running") for s in statuses)
    return "runs, but is not ready" if running else "is starting"


def is_rolled_out(workload: Object) -> bool:
    """Whether a Deployment, StatefulSet, DaemonSet or Job is completely there in its newest form.

    The rules are those of `kubectl rollout status`.
    """
    status, spec = workload.get("status", {}), workload.get("spec", {})
    if workload["kind"] == "Job":
        return bool(status.get("succeeded", 0) >= spec.get("completions", 1))
    if status.get("observedGeneration", 0) < workload["metadata"].get("generation", 0):
        return False
    if workload["kind"] == "DaemonSet":
        wanted = status.get("desiredNumberScheduled", 0)
        return bool(status.get("updatedNumberScheduled", 0) == wanted == status.get("numberAvailable", 0))
    wanted = spec.get("replicas", 1)
    counts = [status.get(key, 0) for key in ("updatedReplicas", "replicas", "readyReplicas")]
    return all(count == wanted for count in counts)
