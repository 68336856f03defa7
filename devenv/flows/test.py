"""`devenv test`: a service's test command, run inside its pod on what is saved now."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from devenv import problems
from devenv.config.model import Environment, Service
from devenv.errors import ClusterError, DevenvError, RunLost, UsageError
from devenv.flows.observe import explain
from devenv.flows.units import container_of
from devenv.flows.up import check_names
from devenv.flows.world import World
from devenv.health.verdict import is_ready
from devenv.plan.marks import selector
from devenv.plan.units import restarts
from devenv.ports import ExecStream, Kube, Object, Stop

Show = Callable[[bytes, str], None]
"""Takes what the runner wrote, and on which stream: stdout or stderr."""

READ_SECONDS = 0.5
END_SECONDS = 5.0
POD_SECONDS = 30.0
POLL_SECONDS = 0.3

# Prints its own process number first, so that a run that must end early can be ended in the pod as well.
RUNNER = 'echo "devenv:$$"; exec "$@"'

# Listening sockets as the kernel lists them (state 0A), so that nothing is needed in the image but sh and grep.
LISTENING = """\
port=$(printf '%04X' "$1"); n=0
while ! grep -qs ":$port 0*:0000 0A" /proc/net/tcp /proc/net/tcp6; do
  n=$((n + 1)); [ "$n" -lt 200 ] || exit 1; sleep 0.05
done
"""


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
        check_names(environment, [name])
    if name not in environment.services or not environment.services[name].test:
        raise UsageError(problems.NO_TEST, service=name)
    return environment.services[name]


def run_tests(request: TestRequest, kube: Kube, world: World, *, sync: Callable[[str], None], show: Show) -> TestResult:
    """Run the tests in the service's ready pod, after `sync` brought in what is saved.

    Raises ClusterError environment-missing, RunLost on timeout or a lost pod.
    """
    service = request.service
    assert service.test is not None
    started = time.monotonic()
    pod = await_ready_pod(kube, request.environment.name, service.name, stop=world.stop)
    sync(service.name)
    name = pod["metadata"]["name"]
    container = container_of(service)
    if restarts(service) and service.ports:
        _wait_listening(kube, (request.environment.name, name, container), next(iter(service.ports.values())))
    command = ["sh", "-c", RUNNER, "devenv", *service.test.command, *request.arguments]
    place = (request.environment.name, name, container)
    try:
        code = _Run(kube, place, request.timeout).follow(kube.pods.exec(*place, command), show)
    finally:
        reports = collect_reports(kube, request.environment, service, place)
    return TestResult(service.name, name, code, round(time.monotonic() - started, 3), reports)


def await_ready_pod(kube: Kube, environment: str, service: str, *, stop: Stop) -> Object:
    """The newest ready pod of a service; one that is on its way is waited for.

    Raises ClusterError environment-missing where there is none, NotReady with the verdict of those there are.
    """
    deadline = time.monotonic() + POD_SECONDS
    while True:
        pods = kube.objects.select("v1", "Pod", namespace=environment, labels=selector(environment, service))
        ready = sorted((p for p in pods if is_ready(p)), key=lambda p: str(p["metadata"].get("creationTimestamp")))
        if ready:
            return ready[-1]
        if not pods:
            raise ClusterError(problems.ENVIRONMENT_MISSING, name=environment)
        if time.monotonic() > deadline or stop.wait(POLL_SECONDS):
            raise explain(kube, environment, service, pods, POD_SECONDS)


Place = tuple[str, str, str]
"""Namespace, pod, container."""


def _wait_listening(kube: Kube, place: Place, port: int) -> None:
    stream = kube.pods.exec(*place, ["sh", "-c", LISTENING, "devenv", str(port)])
    while stream.read(READ_SECONDS) is not None:
        pass
    stream.close()


class _Run:
    """One run under way, ended in the pod too where it must end early."""

    def __init__(self, kube: Kube, place: Place, timeout: float) -> None:
        self._kube = kube
        self._where = place
        self._timeout = timeout
        self._pid = ""
        self._head = b""

    def follow(self, stream: ExecStream, show: Show) -> int:
        deadline = time.monotonic() + self._timeout
        try:
            while (read := stream.read(READ_SECONDS)) is not None:
                self._pass_on(*read, show)
                if time.monotonic() > deadline:
                    raise RunLost(problems.RUN_TIMEOUT, seconds=int(self._timeout))
        except BaseException:
            self._end()
            raise
        finally:
            stream.close()
        code = stream.returncode()
        if code is None:
            raise RunLost(problems.RUN_LOST, pod=self._where[1], reason="the connection to it ended")
        return code

    def _pass_on(self, out: bytes, error: bytes, show: Show) -> None:
        if out and not self._pid:
            self._head += out
            first, newline, out = self._head.partition(b"\n")
            if not newline:
                return
            self._pid = first.removeprefix(b"devenv:").decode(errors="replace").strip()
        if out:
            show(out, "stdout")
        if error:
            show(error, "stderr")

    def _end(self) -> None:
        if not self._pid.isdigit():
            return
        try:
            stream = self._kube.pods.exec(*self._where, ["sh", "-c", f"kill -TERM {self._pid}"])
        except DevenvError:
            return
        deadline = time.monotonic() + END_SECONDS
        while stream.read(READ_SECONDS) is not None and time.monotonic() < deadline:
            pass
        stream.close()


def collect_reports(kube: Kube, environment: Environment, service: Service, place: Place) -> tuple[str, ...]:
    """Copy the service's report files to `.devenv/reports/SERVICE/`; those that are not there are left out."""
    found = []
    for report in service.test.reports if service.test else ():
        content = _read_remote(kube, place, report)
        if content is not None:
            target = environment.root / ".devenv" / "reports" / service.name / PurePosixPath(report).name
            _write(target, content)
            found.append(str(target))
    return tuple(found)


def _write(target: Path, content: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)


def _read_remote(kube: Kube, place: Place, path: str) -> bytes | None:
    try:
        stream = kube.pods.exec(*place, ["cat", path])
        parts = []
        while (read := stream.read(READ_SECONDS)) is not None:
            parts.append(read[0])
        stream.close()
    except DevenvError:
        return None
    return b"".join(parts) if stream.returncode() == 0 else None
