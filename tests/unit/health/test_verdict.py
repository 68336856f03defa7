from __future__ import annotations

from typing import Any

import pytest

from devenv import problems
from devenv.health.verdict import is_rolled_out, judge_pod


def pod(*statuses: dict[str, Any], conditions: list[dict[str, Any]] | None = None, **metadata: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "orders-1", **metadata},
        "spec": {"containers": [{"name": "orders"}]},
        "status": {"containerStatuses": list(statuses), "conditions": conditions or []},
    }


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    return {"name": "orders", "image": "nope:1", "state": {"waiting": {"reason": reason, "message": message}}}


READY = [{"type": "Ready", "status": "True"}]


def test_ready() -> None:
    assert judge_pod(pod(conditions=READY)).ready


def test_a_pod_being_removed_is_not_ready() -> None:
    verdict = judge_pod(pod(conditions=READY, deletionTimestamp="now"))
    assert (verdict.ready, verdict.message) == (False, "is being removed")


def test_an_image_that_does_not_exist_is_hopeless_at_once() -> None:
    events = [{"reason": "Failed", "message": 'Failed to pull image "nope:1": not found'}]
    verdict = judge_pod(pod(waiting("ErrImagePull", "rpc error")), events)
    assert verdict.problem is problems.IMAGE_PULL_FAILED
    assert verdict.fatal
    assert dict(verdict.facts) == {"image": "nope:1"}
    assert "not found" in verdict.message


def test_a_pull_that_may_yet_work_is_waited_for() -> None:
    verdict = judge_pod(pod(waiting("ErrImagePull", "connection refused")))
    assert (verdict.problem, verdict.fatal) == (problems.IMAGE_PULL_FAILED, False)


@pytest.mark.parametrize(("restarts", "fatal"), [(1, False), (2, True)])
def test_a_crash_is_given_a_second_chance(restarts: int, fatal: bool) -> None:
    status = waiting("CrashLoopBackOff") | {
        "restartCount": restarts,
        "lastState": {"terminated": {"exitCode": 3, "reason": "Error"}},
    }
    verdict = judge_pod(pod(status))
    assert (verdict.problem, verdict.fatal) == (problems.CRASH_LOOP, fatal)
    assert dict(verdict.facts) == {"exit_code": 3}


def test_out_of_memory_is_named() -> None:
    status = waiting("CrashLoopBackOff") | {
        "restartCount": 4,
        "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}},
    }
    assert judge_pod(pod(status)).problem is problems.OUT_OF_MEMORY


def test_a_missing_secret_is_named() -> None:
    verdict = judge_pod(pod(waiting("CreateContainerConfigError", 'secret "x" not found')))
    assert verdict.problem is problems.CONTAINER_CONFIG
    assert dict(verdict.facts) == {"reason": 'secret "x" not found'}


def test_no_room_is_named_but_waited_for() -> None:
    condition = {"type": "PodScheduled", "status": "False", "message": "0/1 nodes: Insufficient memory"}
    verdict = judge_pod(pod(conditions=[condition]))
    assert (verdict.problem, verdict.fatal) == (problems.UNSCHEDULABLE, False)


def test_a_failing_probe_is_told() -> None:
    status = {"name": "orders", "state": {"running": {}}}
    events = [{"reason": "Unhealthy", "message": "Readiness probe failed: refused"}]
    assert judge_pod(pod(status), events).message == "runs, but is not ready: Readiness probe failed: refused"


def deployment(**status: int) -> dict[str, Any]:
    return {"kind": "Deployment", "metadata": {"generation": 2}, "spec": {"replicas": 1}, "status": status}


DONE = {"observedGeneration": 2, "updatedReplicas": 1, "replicas": 1, "readyReplicas": 1}


def test_rolled_out() -> None:
    assert is_rolled_out(deployment(**DONE))


@pytest.mark.parametrize(
    "change", [{"observedGeneration": 1}, {"replicas": 2}, {"updatedReplicas": 0}, {"readyReplicas": 0}]
)
def test_not_rolled_out_yet(change: dict[str, int]) -> None:
    assert not is_rolled_out(deployment(**{**DONE, **change}))


ENDED = {"terminated": {"exitCode": 5, "reason": "Error"}}


@pytest.mark.parametrize(("restarts", "times", "fatal"), [(1, "1 time", False), (2, "2 times", True)])
def test_an_init_step_that_fails_is_named(restarts: int, times: str, fatal: bool) -> None:
    found = pod(waiting("PodInitializing"))
    found["status"]["initContainerStatuses"] = [
        {"name": "migrate", "restartCount": restarts, "state": {"waiting": {}}, "lastState": ENDED}
    ]
    verdict = judge_pod(found)
    assert (verdict.problem, verdict.fatal, verdict.container) == (problems.INIT_FAILED, fatal, "migrate")
    assert dict(verdict.facts) == {"exit_code": 5, "step": "migrate"}
    assert verdict.message == f"init step migrate ended with code 5, restarted {times}"


def test_a_seed_has_one_attempt_and_other_jobs_have_those_of_their_manifest() -> None:
    ended = {"name": "orders", "state": ENDED}
    assert judge_pod(pod(ended)).fatal is False
    verdict = judge_pod(pod(ended, labels={"dev.devenv/role": "seed"}))
    assert (verdict.problem, verdict.fatal) == (problems.SEED_FAILED, True)
    assert verdict.message == "ended with code 5"


def test_a_job_is_there_once_it_succeeded() -> None:
    job = {"kind": "Job", "metadata": {"generation": 1}, "spec": {}, "status": {"active": 1}}
    assert not is_rolled_out(job)
    assert is_rolled_out({**job, "status": {"succeeded": 1}})
