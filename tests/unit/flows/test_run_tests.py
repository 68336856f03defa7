from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from devenv.config.model import Dependency, Environment, Origin, Service, Test
from devenv.errors import ClusterError, NotReady, RunLost, UsageError
from devenv.flows.runners import RUNNER
from devenv.flows.test import TestRequest, choose_service, run_tests
from devenv.plan.marks import selector
from devenv.sync.places import AGENT, PROGRAM
from tests.fakes.kube import FakeObjects, FakePods, Ran
from tests.fakes.world import FakeKube, fake_world

HERE = Origin(Path("/p/devenv.yaml"), 1, 1)
COMMAND = f"sh -c {RUNNER} devenv pytest -q -k x"


def service(name: str, test: Test | None = None) -> Service:
    return Service(name, None, "x", {}, {}, None, (), test, (), (), HERE)


def environment(root: Path, *services: Service) -> Environment:
    return Environment("shop", root, "default", {s.name: s for s in services}, {})


def with_postgres(shop: Environment) -> Environment:
    return replace(shop, dependencies={"postgres": POSTGRES}, groups={"backend": ("orders",)})


POSTGRES = Dependency("postgres", "real", None, None, HERE)
ORDERS = service("orders", Test(("pytest", "-q"), ("/tmp/junit.xml", "/tmp/none.xml")))


def pod() -> dict[str, Any]:
    labels = dict(part.split("=") for part in selector("shop", "orders").split(","))
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "orders-1", "namespace": "shop", "labels": labels},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    }


def crashed_pod(service: str) -> dict[str, Any]:
    """Whose program is under the agent."""
    found = pod()
    found["metadata"]["annotations"] = {AGENT: service}
    found["spec"] = {"containers": [{"name": service}]}
    running = {"startedAt": "2026-01-01T00:00:00Z"}
    found["status"] = {"containerStatuses": [{"name": service, "state": {"running": running}}]}
    return found


class Case:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.kube = FakeKube(objects=FakeObjects(pod()), pods=FakePods())
        self.synced: list[str] = []
        self.mend: dict[str, Any] | None = None
        self.shown: list[tuple[bytes, str]] = []
        self.kube.pods.commands["cat /tmp/none.xml"] = Ran(code=1)

    def run(self, ran: Ran, *, timeout: float = 60) -> Any:
        self.kube.pods.commands[COMMAND] = ran
        request = TestRequest(environment(self.root, ORDERS), ORDERS, ("-k", "x"), timeout)
        world = fake_world(self.root, self.kube)
        show = lambda data, stream: self.shown.append((data, stream))  # noqa: E731
        return run_tests(request, self.kube, world, sync=self.sync, show=show)

    def sync(self, service: str) -> None:
        self.synced.append(service)
        if self.mend:
            self.kube.objects.apply(self.mend)


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


@pytest.mark.parametrize("code", [0, 1, 5])
def test_the_runners_code_and_output_are_passed_on(case: Case, code: int) -> None:
    result = case.run(Ran(out=b"devenv:42\n...F\n", err=b"warned\n", code=code))
    assert (result.code, result.pod) == (code, "orders-1")
    assert case.shown == [(b"...F\n", "stdout"), (b"warned\n", "stderr")]
    assert case.synced == ["orders"]


def test_reports_that_are_there_come_home(case: Case) -> None:
    case.kube.pods.commands["cat /tmp/junit.xml"] = Ran(out=b"<xml/>")
    result = case.run(Ran(out=b"devenv:42\n", code=1))
    target = case.root / ".devenv/reports/orders/junit.xml"
    assert result.reports == (str(target),)
    assert target.read_bytes() == b"<xml/>"


def test_a_lost_connection_is_no_result(case: Case) -> None:
    with pytest.raises(RunLost) as caught:
        case.run(Ran(out=b"devenv:42\n", code=None))
    assert caught.value.code == "run-lost"


def test_a_run_that_takes_too_long_is_ended_in_the_pod(case: Case) -> None:
    with pytest.raises(RunLost) as caught:
        case.run(Ran(out=b"devenv:42\n"), timeout=-1)
    assert caught.value.code == "run-timeout"
    assert ("exec", "orders-1", "sh -c kill -TERM 42") in case.kube.pods.calls


def test_without_a_ready_pod_the_environment_is_not_up(case: Case) -> None:
    case.kube.objects = FakeObjects()
    with pytest.raises(ClusterError) as caught:
        case.run(Ran())
    assert caught.value.code == "environment-missing"


def test_a_program_that_crashed_and_stays_so_ends_it(case: Case) -> None:
    case.kube.objects = FakeObjects(crashed_pod("orders"))
    case.kube.pods.commands[f"{PROGRAM} ready"] = Ran(b"crashed 3 2\n", code=1)
    case.kube.pods.lines["shop", "orders-1", "orders"] = ["no such table"]
    with pytest.raises(NotReady) as caught:
        case.run(Ran())
    assert caught.value.message == "the program of orders ends soon after its start (exit code 3)"
    assert caught.value.details[-1] == "  log: no such table"
    assert case.synced == ["orders"], "a save may be on its way to mend it"


def test_a_program_that_a_save_mends_is_tested(case: Case) -> None:
    case.kube.objects = FakeObjects(crashed_pod("orders"))
    case.kube.pods.commands[f"{PROGRAM} ready"] = Ran(b"crashed 3 3\n", code=1)
    case.mend = pod()
    assert case.run(Ran(out=b"devenv:42\n")).code == 0
    assert case.synced == ["orders", "orders"]


def test_the_one_service_with_tests_is_meant(tmp_path: Path) -> None:
    assert choose_service(environment(tmp_path, ORDERS, service("web")), None) is ORDERS


@pytest.mark.parametrize(
    ("services", "name", "code"),
    [
        ((service("web"),), None, "test-unclear"),
        ((ORDERS, service("web", Test(("x",)))), None, "test-unclear"),
        ((ORDERS, service("web")), "web", "no-test"),
        ((ORDERS,), "ordres", "name-unknown"),
        ((ORDERS,), "postgres", "no-test"),
        ((ORDERS,), "backend", "no-test"),
    ],
)
def test_what_is_not_clear_is_asked(tmp_path: Path, services: Any, name: str | None, code: str) -> None:
    with pytest.raises(UsageError) as caught:
        choose_service(with_postgres(environment(tmp_path, *services)), name)
    assert caught.value.code == code


def test_only_services_are_tested(tmp_path: Path) -> None:
    shop = with_postgres(environment(tmp_path, ORDERS, service("web")))
    for name, said in (("postgres", "postgres is a dependency"), ("backend", "backend is a group")):
        with pytest.raises(UsageError) as caught:
            choose_service(shop, name)
        assert caught.value.hint == f"{said}, and only services have tests; those that have them: orders"
    with pytest.raises(UsageError, match="did you mean") as caught:
        choose_service(shop, "ordres")
    assert caught.value.hint == "known: orders, web"
