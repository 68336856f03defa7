"""`devenv test`: a service's test command, run inside its pod on what is saved now."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from devenv import problems
from devenv.config.load import unknown_name
from devenv.config.model import Environment, Service
from devenv.errors import ClusterError, UsageError
from devenv.flows.observe import explain
from devenv.flows.programs import Crashes, all_crashed
from devenv.flows.runners import Runner, Show, await_listening, runner_for
from devenv.flows.units import container_of
from devenv.flows.world import World
from devenv.health.verdict import is_ready
from devenv.plan.marks import selector
from devenv.plan.units import restarts
from devenv.ports import Kube, Object, Stop

POD_SECONDS = 30.0
POLL_SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class TestRequest:
    """Which service's tests to run, with what added to the command, and for how many seconds at most."""

    __test__ = False

    environment: Environment
    service: Service
    arguments: Sequence[str] = ()
    timeout: float = 1800.0


@dataclass(frozen=True, slots=True)
class TestResult:
    """How the run ended: the runner's own code, and the reports that came home."""

    __test__ = False

    service: str
    pod: str
    code: int
    seconds: float
    reports: tuple[str, ...]


def choose_service(environment: Environment, name: str | None) -> Service:
    """The service to test. UsageError where none, or more than one, may be meant."""
    testable = [service for service in environment.services.values() if service.test]
    if name is None:
        if len(testable) == 1:
            return testable[0]
        known = ", ".join(s.name for s in testable) or "none has a test command"
        raise UsageError(problems.TEST_UNCLEAR, known=known)
    if name not in environment.services:
        raise _no_service(environment, name, [service.name for service in testable])
    if not environment.services[name].test:
        raise UsageError(problems.NO_TEST, service=name)
    return environment.services[name]


def _no_service(environment: Environment, name: str, testable: Sequence[str]) -> UsageError:
    kinds = {"dependency": environment.dependencies, "group": environment.groups}
    kind = next((kind for kind, known in kinds.items() if name in known), None)
    if kind is None:
        return unknown_name("service", name, environment.services)
    known = f"those that have them: {', '.join(testable)}" if testable else "none has a test: yet"
    return UsageError(problems.NO_TEST, hint=f"{name} is a {kind}, and only services have tests; {known}", service=name)


def run_tests(request: TestRequest, kube: Kube, world: World, *, sync: Callable[[str], None], show: Show) -> TestResult:
    """Run the tests in the service's ready pod, after `sync` brought in what is saved.

    Raises ClusterError environment-missing, RunLost on timeout or a lost pod.
    """
    service = request.service
    assert service.test is not None
    started = time.monotonic()
    bring = partial(sync, service.name)
    pod = await_ready_pod(kube, request.environment.name, service.name, Crashes(bring), stop=world.stop)
    bring()
    runner = runner_for(kube, pod, container_of(service))
    if restarts(service) and service.ports:
        await_listening(runner, next(iter(service.ports.values())))
    try:
        code = runner.run([*service.test.command, *request.arguments], show, timeout=request.timeout)
    finally:
        reports = collect_reports(runner, request.environment, service)
    seconds = round(time.monotonic() - started, 3)
    return TestResult(service.name, pod["metadata"]["name"], code, seconds, reports)


def await_ready_pod(kube: Kube, environment: str, service: str, crashes: Crashes, *, stop: Stop) -> Object:
    """The newest ready pod of a service; one that is on its way is waited for.

    Raises ClusterError environment-missing where there is none, NotReady with the verdict of those there are: at once
    where a program crashed and stays so.
    """
    deadline = time.monotonic() + POD_SECONDS
    while True:
        pods = kube.objects.select("v1", "Pod", namespace=environment, labels=selector(environment, service))
        ready = sorted((p for p in pods if is_ready(p)), key=lambda p: str(p["metadata"].get("creationTimestamp")))
        if ready:
            return ready[-1]
        if not pods:
            raise ClusterError(problems.ENVIRONMENT_MISSING, name=environment)
        crashed = crashes.look(kube, pods)
        if all_crashed(pods, crashed) or time.monotonic() > deadline or stop.wait(POLL_SECONDS):
            raise explain(kube, environment, service, pods, POD_SECONDS, crashed)


def collect_reports(runner: Runner, environment: Environment, service: Service) -> tuple[str, ...]:
    """Copy the service's report files to `.devenv/reports/SERVICE/`; those that are not there are left out."""
    found = []
    for report in service.test.reports if service.test else ():
        for path, content in runner.fetch(report).items():
            target = environment.root / ".devenv" / "reports" / service.name / PurePosixPath(path).name
            _write(target, content)
            found.append(str(target))
    return tuple(found)


def _write(target: Path, content: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
