from __future__ import annotations

import threading
from typing import Any

import pytest

from devenv.errors import NotReady
from devenv.flows.observe import Observed, wait_ready
from devenv.flows.programs import STAYS_SECONDS, Answer, Crashes, all_crashed, crash_verdicts, look
from devenv.flows.runners import Place
from devenv.health.program import Program
from devenv.plan.marks import REVISION, UNIT
from devenv.sync.places import AGENT, PROGRAM
from tests.fakes.kube import FakePods, Ran
from tests.fakes.world import FakeKube

READY = f"{PROGRAM} ready"


def pod(name: str = "web-1", *, agent: str = "web", ready: bool = False) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": "shop",
            "annotations": {AGENT: agent},
            "labels": {UNIT: "web", REVISION: ""},
        },
        "spec": {"containers": [{"name": "web"}]},
        "status": {
            "conditions": [{"type": "Ready", "status": str(ready)}],
            "containerStatuses": [{"name": "web", "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}}],
        },
    }


def kube(said: str) -> FakeKube:
    lines = {("shop", "web-1", "web"): ["Traceback: no such column"]}
    return FakeKube(pods=FakePods(commands={READY: Ran(said.encode(), code=1)}, lines=lines))


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("runs\n", ""),
        ("runs unsynced\n", "unsynced: it runs the image's code, as no session came in time"),
        ("waits\n", "waits for a session to sync"),
        ("crashed 3 1\n", "its program ended with code 3; the next save starts it again"),
    ],
)
def test_what_an_agent_says_is_a_sentence(said: str, sentence: str) -> None:
    (program,) = look(kube(said), [pod()])
    assert program.sentence == sentence


def test_only_containers_under_the_agent_are_asked() -> None:
    asked = kube("runs\n")
    assert look(asked, [pod(agent="")]) == []
    assert asked.pods.calls == []


def test_an_agent_that_says_nothing_is_left_out() -> None:
    assert look(kube(""), [pod()]) == []


def test_a_program_that_crashed_is_given_up_on_at_its_third_start() -> None:
    assert crash_verdicts(kube("crashed 3 2\n"), [pod()]) == {}
    verdict = crash_verdicts(kube("crashed 3 3\n"), [pod()])["web-1"]
    assert verdict.fatal
    assert verdict.problem is not None
    assert verdict.problem.code == "program-crashed"
    assert crash_verdicts(kube("crashed 3 3\n"), [pod(ready=True)]) == {}


def test_a_crash_that_stays_is_found_once_what_was_saved_is_there() -> None:
    now = [0.0]
    brought: list[float] = []

    def bring() -> None:
        now[0] += 60.0
        brought.append(now[0])

    crashes = Crashes(bring, clock=lambda: now[0])
    assert crashes.look(kube("runs\n"), [pod()]) == {}
    assert brought == []
    asked = kube("crashed 3 2\n")
    assert crashes.look(asked, [pod()]) == {}, "as long as what was saved took counts for nothing"
    now[0] += STAYS_SECONDS
    assert crashes.look(asked, [pod(ready=True)]) == {}
    assert crashes.look(asked, [pod()]) == {}, "it was ready meanwhile"
    now[0] += STAYS_SECONDS / 2
    assert crashes.look(kube("crashed 3 3\n"), [pod()]) == {}, "it was started meanwhile"
    now[0] += STAYS_SECONDS
    verdict = crashes.look(kube("crashed 3 3\n"), [pod()])["web-1"]
    assert (verdict.fatal, verdict.message) == (True, "its program ended with code 3; the next save starts it again")
    assert brought == [60.0]


def test_a_pod_on_its_way_is_worth_waiting_for() -> None:
    asked = kube("crashed 3 3\n")
    verdicts = crash_verdicts(asked, [pod()])
    going = pod("web-0")
    going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert all_crashed([pod(), going], verdicts)
    assert not all_crashed([pod(), pod("web-2")], verdicts)
    assert not all_crashed([going], verdicts)


def test_who_waits_for_a_unit_is_told_of_its_crash_with_its_last_lines() -> None:
    observed = Observed()
    observed.put("Pod", pod(), deleted=False)
    workload = {"kind": "Deployment", "metadata": {"name": "web", "generation": 1}, "spec": {}}
    with pytest.raises(NotReady) as caught:
        wait_ready(
            kube("crashed 3 3\n"),
            observed,
            namespace="shop",
            unit="web",
            objects=[workload],
            timeout=60,
            stop=threading.Event(),
        )
    assert caught.value.code == "program-crashed"
    assert "exit code 3" in caught.value.message
    assert any("no such column" in line for line in caught.value.details)


def test_a_program_that_runs_for_a_moment_between_two_crashes_is_not_there() -> None:
    observed, stop = Observed(), threading.Event()
    workload = {"kind": "Deployment", "metadata": {"name": "web", "generation": 1}, "spec": {}}
    counts = {"updatedReplicas": 1, "replicas": 1, "readyReplicas": 1, "observedGeneration": 1}
    status = {"name": "web", "restartCount": 1, "state": {"running": {}}, "ready": True}
    running = pod(agent="", ready=True)
    running["status"]["containerStatuses"] = [status]
    ended = pod(agent="")
    crash = {"terminated": {"exitCode": 3}}
    ended["status"]["containerStatuses"] = [{**status, "restartCount": 2, "state": crash, "ready": False}]
    observed.put("Pod", running, deleted=False)
    observed.put("Deployment", {**workload, "status": counts}, deleted=False)

    def end() -> None:
        observed.put("Pod", ended, deleted=False)
        observed.put("Deployment", {**workload, "status": {**counts, "readyReplicas": 0}}, deleted=False)

    threading.Timer(0.1, end).start()
    with pytest.raises(NotReady, match="exit code 3"):
        wait_ready(kube(""), observed, namespace="shop", unit="web", objects=[workload], timeout=60, stop=stop)


def test_a_program_as_a_value() -> None:
    assert Answer(Place("n", "p", "c"), Program("ended", code=0)).sentence == ""
