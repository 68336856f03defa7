from __future__ import annotations

import re
import threading
import time
from dataclasses import replace
from typing import Any

import pytest

from devenv import problems
from devenv.checks.catalogue import CHECKS, EXPLAINS, checks_of
from devenv.checks.check import Argv, Check, Scene, Verdict, fail, ok, skipped, warn
from devenv.checks.facts import ContainerFacts, Holder
from devenv.errors import DevenvError, Finding, ToolError
from devenv.flows.doctor import examine, examine_some, explaining, fixable, mend
from devenv.problems import find_problem
from tests.fakes.machine import RUNTIME, Fakes, environment


@pytest.fixture
def fakes() -> Fakes:
    return Fakes()


def check(id: str, verdict: Verdict, *, needs: str = "") -> Check:
    return Check(id, id.title(), "Tests", lambda scene: verdict, needs=needs)


def by_id(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.id: finding for finding in findings}


def test_ids_are_stable_words_used_once() -> None:
    ids = [entry.id for entry in CHECKS]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", id) for id in ids)
    assert {entry.needs for entry in CHECKS} <= {*ids, ""}


def test_a_well_machine_passes_every_check_without_the_network_or_a_write(fakes: Fakes) -> None:
    findings = examine(fakes.scene)
    assert [f for f in findings if f.status not in ("ok", "skipped")] == []
    assert [f.id for f in findings] == [entry.id for entry in CHECKS]
    assert fakes.network.fetched == []
    assert {line.split()[0] for line in fakes.commands.lines} == {"kind", "kubectl", "docker"}


def test_every_finding_that_is_not_well_says_why_and_what_to_do(fakes: Fakes) -> None:
    fakes.daemon.told |= {"memory": 1, "cgroup": 1, "version": "1.0"}
    fakes.commands.tools = ()
    fakes.files.left, fakes.machine.files_open = 1, 1
    fakes.machine.environ = {"HTTP_PROXY": "http://p"}
    unwell = [f for f in examine(fakes.scene) if f.status in ("warn", "fail")]
    assert len(unwell) >= 7
    assert [f.id for f in unwell if not (f.cause.endswith(".") and f.cure)] == []
    assert [f.code for f in unwell if f.code and not find_problem(f.code)] == []


def test_online_checks_run_when_asked_for(fakes: Fakes) -> None:
    found = by_id(examine(fakes.scene, online=True))
    assert (found["registries"].status, found["clock"].status) == ("ok", "ok")
    assert by_id(examine(fakes.scene))["clock"].text == "needs the network; --online asks"


def test_a_check_that_breaks_is_a_finding_with_its_trace(fakes: Fakes) -> None:
    def broken(scene: Scene) -> Verdict:
        raise KeyError("x\ny")

    checks = [Check("odd", "Odd", "Tests", broken), check("fine", ok("yes"))]
    odd, fine = examine(fakes.scene, checks)
    assert (odd.status, odd.text, fine.status) == ("warn", "the check failed: KeyError: 'x\\ny'", "ok")
    assert "Traceback" in odd.detail


def test_an_error_of_the_catalogue_is_told_in_its_words(fakes: Fakes) -> None:
    def missing(scene: Scene) -> Verdict:
        raise ToolError(problems.KIND_MISSING)

    (found,) = examine(fakes.scene, [Check("kind", "kind", "Tests", missing)])
    assert (found.status, found.code, found.cause) == ("fail", "kind-missing", problems.KIND_MISSING.cause)


def test_a_check_that_hangs_is_told_and_its_program_ended(fakes: Fakes) -> None:
    ended = threading.Event()

    def hang(scene: Scene) -> Verdict:
        scene.stop.wait(20)
        ended.set()
        return ok("late")

    started = time.monotonic()
    checks = [Check("slow", "Slow", "Tests", hang, seconds=0.1), check("fine", ok("yes"))]
    slow, fine = examine(fakes.scene, checks)
    assert (slow.status, slow.text, fine.status) == ("warn", "did not answer in 0.1 s", "ok")
    assert ended.is_set()
    assert time.monotonic() - started < 5


def test_checks_run_side_by_side(fakes: Fakes) -> None:
    together = threading.Barrier(8)

    def meet(scene: Scene) -> Verdict:
        together.wait(5)
        return ok("met")

    findings = examine(fakes.scene, [Check(f"c{n}", "", "Tests", meet) for n in range(8)])
    assert {found.text for found in findings} == {"met"}


def test_one_cause_is_told_once(fakes: Fakes) -> None:
    checks = [check("a", fail("down", "why.", "cure")), check("b", fail("too", "w.", "c"), needs="a")]
    checks += [check("c", ok("yes"), needs="a"), check("d", skipped("no"), needs="a")]
    assert [(f.status, f.text) for f in examine(fakes.scene, checks)] == [
        ("fail", "down"),
        ("skipped", "needs a"),
        ("ok", "yes"),
        ("skipped", "no"),
    ]


def test_without_docker_only_docker_is_told(fakes: Fakes) -> None:
    fakes.daemon.error = ToolError(problems.DOCKER_MISSING)
    fakes.clusters.failures = [fakes.daemon.error] * 5
    fakes.nodes.failures = [fakes.daemon.error] * 5
    assert [f.id for f in examine(fakes.scene) if f.status in ("warn", "fail")] == ["docker"]


def test_some_checks_are_looked_at_alone(fakes: Fakes) -> None:
    fakes.daemon.error = ToolError(problems.DOCKER_MISSING)
    assert [(f.id, f.text) for f in examine_some(fakes.scene, ("dns", "registry"))][1:] == [
        ("registry", "needs docker")
    ]


# --- mending -----------------------------------------------------------------------------------------------------
class Hands:
    """Runs commands on the fakes."""

    def __init__(self, fakes: Fakes, *, code: int = 0) -> None:
        self.fakes = fakes
        self.code = code
        self.ran: list[Argv] = []

    def __call__(self, command: Argv) -> int:
        self.ran.append(command)
        if self.code == 0 and command[:2] == ("docker", "start"):
            self.fakes.daemon.containers["devenv-registry"] = ContainerFacts(running=True, ours=True)
        if self.code == 0 and command[0] == "rm":
            self.fakes.files.texts = {p: t for p, t in self.fakes.files.texts.items() if str(p) not in command}
        return self.code


@pytest.fixture
def unwell(fakes: Fakes) -> Fakes:
    """A stopped registry and a dead socket."""
    fakes.daemon.containers["devenv-registry"] = ContainerFacts(running=False, ours=True)
    fakes.files.put(RUNTIME / "x.sock", kind="socket")
    return fakes


def test_each_fix_is_run_after_a_yes_and_its_check_looks_again(unwell: Fakes) -> None:
    hands, asked = Hands(unwell), []

    def consent(finding: Finding) -> bool:
        asked.append(finding.id)
        return True

    findings = examine(unwell.scene)
    assert [f.id for f in fixable(findings)] == ["registry", "sockets"]
    repairs = list(mend(unwell.scene, findings, consent=consent, run=hands))
    assert asked == ["registry", "sockets"]
    assert [(r.id, r.outcome, r.before, r.after) for r in repairs] == [
        ("registry", "done", "warn", "ok"),
        ("sockets", "done", "warn", "ok"),
    ]
    assert hands.ran == [("docker", "start", "devenv-registry"), ("rm", "-f", str(RUNTIME / "x.sock"))]


def test_a_no_runs_nothing(unwell: Fakes) -> None:
    hands = Hands(unwell)
    repairs = list(mend(unwell.scene, examine(unwell.scene), consent=lambda finding: False, run=hands))
    assert ({r.outcome for r in repairs}, hands.ran) == ({"declined"}, [])


def test_a_command_that_fails_is_told(unwell: Fakes) -> None:
    repairs = list(mend(unwell.scene, examine(unwell.scene), consent=lambda finding: True, run=Hands(unwell, code=1)))
    assert [(r.outcome, r.after) for r in repairs] == [("failed", "warn"), ("failed", "warn")]


def test_what_changed_while_the_question_stood_is_left_alone(unwell: Fakes) -> None:
    hands = Hands(unwell)

    def consent(finding: Finding) -> bool:
        if finding.id == "sockets":
            unwell.network.live.add(RUNTIME / "x.sock")
        return finding.id == "sockets"

    repairs = list(mend(unwell.scene, examine(unwell.scene), consent=consent, run=hands))
    assert [(r.id, r.outcome, r.after) for r in repairs] == [
        ("registry", "declined", "warn"),
        ("sockets", "changed", "ok"),
    ]
    assert hands.ran == []


def test_what_an_earlier_fix_made_possible_is_mended_too(unwell: Fakes) -> None:
    unwell.commands.tools, unwell.machine.system = (), "darwin"
    unwell.daemon.error = ToolError(problems.DOCKER_NOT_RUNNING, address="x")
    hands = Hands(unwell)

    def run(command: Argv) -> int:
        unwell.daemon.error = None
        return hands(command)

    repairs = list(mend(unwell.scene, examine(unwell.scene), consent=lambda f: f.id != "sockets", run=run))
    assert [(r.id, r.outcome) for r in repairs][:2] == [("docker", "done"), ("registry", "done")]
    assert hands.ran[:2] == [("open", "-a", "Docker"), ("docker", "start", "devenv-registry")]


class Bare:
    """Runs commands on a Debian without Docker: apt-get brings it, not started; started, it answers the third look."""

    def __init__(self, fakes: Fakes) -> None:
        self.fakes = fakes
        self.ran: list[str] = []
        fakes.daemon.error = ToolError(problems.DOCKER_MISSING)
        fakes.commands.tools, fakes.machine.uid = ("apt-get", "service", "kind"), 0
        fakes.files.put("/etc/os-release", "ID=debian")

    def __call__(self, command: Argv) -> int:
        self.ran.append(" ".join(command))
        if command[:2] == ("apt-get", "install"):
            self.fakes.daemon.error = ToolError(problems.DOCKER_NOT_RUNNING, address="x")
            self.fakes.files.put("/etc/init.d/docker")
        if command[0] == "service":
            self.fakes.daemon.silent_for = 2
        return 0


def test_what_is_installed_is_started_after_a_yes_of_its_own(fakes: Fakes) -> None:
    hands, asked = Bare(fakes), []

    def consent(finding: Finding) -> bool:
        asked.append(finding.code)
        return True

    repairs = list(mend(fakes.scene, examine_some(fakes.scene, ["docker"]), consent=consent, run=hands))
    assert asked == ["docker-missing", "docker-not-running"]
    assert [(r.outcome, r.before, r.after) for r in repairs] == [("done", "fail", "fail"), ("done", "fail", "ok")]
    assert hands.ran == ["apt-get update", "apt-get install -y docker.io", "service docker start"]


def test_what_was_installed_is_not_started_after_a_no(fakes: Fakes) -> None:
    hands = Bare(fakes)
    findings = examine_some(fakes.scene, ["docker"])
    repairs = list(mend(fakes.scene, findings, consent=lambda f: f.code == "docker-missing", run=hands))
    assert [r.outcome for r in repairs] == ["done", "declined"]
    assert "service docker start" not in hands.ran


def test_a_fix_that_changes_nothing_is_tried_once(fakes: Fakes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devenv.flows.doctor.SETTLE_SECONDS", 0.1)
    Bare(fakes)
    ran: list[Argv] = []

    def run(argv: Argv) -> int:
        ran.append(argv)
        return 0

    findings = examine_some(fakes.scene, ["docker"])
    repairs = list(mend(fakes.scene, findings, consent=lambda f: True, run=run))
    assert ([(r.outcome, r.after) for r in repairs], len(ran)) == ([("done", "fail")], 2)


# --- explaining --------------------------------------------------------------------------------------------------
def test_every_code_that_is_explained_and_every_check_that_does_exist() -> None:
    assert [code for code in EXPLAINS if find_problem(code) is None] == []
    assert {id for ids in EXPLAINS.values() for id in ids} <= {entry.id for entry in CHECKS if not entry.online}


def test_an_error_gets_the_findings_that_may_explain_it(fakes: Fakes) -> None:
    fakes.daemon.told["memory"] = 1
    fakes.files.left = 1
    fakes.files.put(RUNTIME / "x.sock", kind="socket")
    with pytest.raises(DevenvError) as caught, explaining(lambda: fakes.scene):
        raise ToolError(problems.CLUSTER_CREATE_FAILED, name="devenv", logs="/l")
    assert [found.id for found in caught.value.checks] == ["docker-memory", "docker-disk"]


def test_what_the_error_says_already_is_not_said_twice(fakes: Fakes) -> None:
    fakes.network.ports[5001] = Holder("process 12 (nginx)")
    fakes.environment = environment()
    where = "registry: {port: ...} in the settings"
    facts: dict[str, Any] = {"port": 5001, "holder": "process 12 (nginx)", "where": where}
    with pytest.raises(ToolError) as caught, explaining(lambda: fakes.scene):
        raise ToolError(problems.PORT_TAKEN, **facts)
    assert caught.value.checks == ()
    fakes.network.ports[8000] = fakes.network.ports[5001]
    with pytest.raises(ToolError) as caught, explaining(lambda: fakes.scene):
        raise ToolError(problems.PORT_TAKEN, **facts)
    assert [found.id for found in caught.value.checks] == ["forward-ports"]


def test_an_error_that_no_check_explains_costs_nothing(fakes: Fakes) -> None:
    with pytest.raises(DevenvError) as caught, explaining(lambda: pytest.fail("nothing is looked at")):
        raise ToolError(problems.DOCKERFILE_MISSING, service="x", path="y")
    assert caught.value.checks == ()


def test_an_explanation_that_fails_does_not_hide_the_error(fakes: Fakes) -> None:
    def broken() -> Scene:
        raise RuntimeError

    with pytest.raises(ToolError, match="kind is not installed"), explaining(broken):
        raise ToolError(problems.KIND_MISSING)


def test_an_explanation_takes_two_seconds_at_most(fakes: Fakes, monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(scene: Scene) -> Verdict:
        scene.stop.wait(30)
        return ok("late")

    slow = tuple(replace(entry, look=hang) if entry.id == "kind" else entry for entry in checks_of(("kind",)))
    monkeypatch.setattr("devenv.flows.doctor.checks_of", lambda ids: slow)
    started = time.monotonic()
    with pytest.raises(ToolError) as caught, explaining(lambda: fakes.scene):
        raise ToolError(problems.KIND_MISSING)
    assert time.monotonic() - started < 4
    assert [found.text for found in caught.value.checks] == ["did not answer in 2 s"]


def test_a_verdict_that_warns_is_not_a_failure() -> None:
    assert (warn("t", "c", "x").status, fail("t", "c", "x").status) == ("warn", "fail")
