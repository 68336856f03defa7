"""The daily loop on the real cluster: up, ask, edit, ask, test, down."""

from __future__ import annotations

import time
import urllib.request

import pytest

from tests.cluster.conftest import Project

pytestmark = pytest.mark.cluster

SOURCE = "web/src/web.py"
TESTS = "web/tests/test_web.py"


@pytest.fixture(autouse=True)
def _unchanged(small: Project) -> object:
    source, tests = (small.folder / SOURCE).read_text(), (small.folder / TESTS).read_text()
    yield
    (small.folder / SOURCE).write_text(source)
    (small.folder / TESTS).write_text(tests)


def test_a_request_meets_the_service_its_redis_and_its_stub(small: Project) -> None:
    assert small.ask() == {"greeting": "hello", "redis": "+PONG", "payments": {"charged": True}}


def test_a_dependency_has_no_address_here_and_that_is_said(small: Project) -> None:
    done = small.devenv("url", "redis")
    assert (done.code, "[no-forward]" in done.err, "reached from here: web" in done.err) == (2, True, True), done.text


def test_an_answer_without_a_length_ends_where_its_connection_ends(small: Project) -> None:
    url = small.devenv("url", "web").out.strip()
    with urllib.request.urlopen(f"{url}/until-close", timeout=10) as answer:
        assert answer.read() == b"all of it"


def test_the_service_is_reached_inside_the_cluster_too(small: Project) -> None:
    command = "import urllib.request as u; print(u.urlopen('http://web:8600/').status)"
    assert small.kubectl("exec", "deploy/web", "--", "python", "-c", command).strip() == "200"


def test_a_second_up_changes_nothing_and_says_so(small: Project) -> None:
    done = small.devenv("up", "-d")
    assert done.code == 0, done.text
    assert "is up; nothing changed" in done.err
    again = small.json("up", "-d")
    assert again["changed"] is False
    assert {unit["action"] for unit in again["units"]} == {"unchanged"}


def test_the_next_request_after_a_save_meets_the_new_code(small: Project) -> None:
    for greeting in ("first", "second", "third"):
        text = (small.folder / SOURCE).read_text()
        line = next(line for line in text.splitlines() if line.startswith("GREETING"))
        small.edit(SOURCE, line, f'GREETING = "{greeting}"')
        assert small.ask()["greeting"] == greeting
    pods = small.kubectl("get", "pods", "-l", "dev.devenv/unit=web", "-o", "jsonpath={.items[*].status}")
    assert '"restartCount":0' in pods.replace(" ", "")


def test_a_save_that_breaks_the_program_is_mended_by_the_next(small: Project) -> None:
    text = (small.folder / SOURCE).read_text()
    small.write(SOURCE, text + "\ndef broken(:\n")
    deadline = time.monotonic() + 30
    while "the program ended with code 1" not in small.devenv("logs", "web", "--tail", "3").out:
        assert time.monotonic() < deadline
    small.write(SOURCE, text.replace('"hello"', '"mended"'))
    assert small.devenv("test").code == 1, "it runs on what was mended, which says no hello"
    assert small.ask()["greeting"] == "mended"
    pods = small.kubectl("get", "pods", "-l", "dev.devenv/unit=web", "-o", "jsonpath={.items[*].status}")
    assert '"restartCount":0' in pods.replace(" ", "")


def test_arguments_go_to_the_runner_without_a_name_too(small: Project) -> None:
    done = small.devenv("test", "--", "-k", "nothing_of_that_name")
    assert done.code in (0, 5), done.text
    assert "Ran 0 tests" in done.err
    assert "[name-unknown]" in small.devenv("test", "wbe", "--", "-v").err


def test_tests_pass_and_their_reports_come_home(small: Project) -> None:
    done = small.devenv("test")
    assert done.code == 0, done.text
    assert "OK" in done.err
    assert (small.folder / ".devenv/reports/web/report.txt").read_text() == "ran"


def test_a_failing_test_gives_the_runners_code_on_what_was_saved_just_now(small: Project) -> None:
    small.edit(SOURCE, '"hello"', '"goodbye"')
    done = small.devenv("test", "web")
    assert done.code == 1, done.text
    assert "goodbye" in done.err


def test_a_collection_error_gives_the_runners_code(small: Project) -> None:
    small.write(TESTS, "import nothing_of_that_name\n")
    done = small.json("test", "web")
    assert done["code"] == 1
    assert done["exit"] == {"code": 1, "origin": "runner"}


def test_a_run_that_takes_too_long_is_ended_in_the_pod_too(small: Project) -> None:
    small.write(TESTS, "import time\ntime.sleep(600)\n")
    done = small.devenv("test", "--timeout", "3")
    assert done.code == 17, done.text
    assert "[run-timeout]" in done.err
    processes = "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"
    assert "unittest" not in small.kubectl("exec", "deploy/web", "--", "sh", "-c", processes)


def test_status_tells_each_unit_and_the_session(small: Project) -> None:
    status = small.json("status")
    assert status["ready"] is True
    assert {u["name"]: (u["kind"], u["state"]) for u in status["units"]} == {
        "redis": ("real", "ready"),
        "payments": ("stub", "ready"),
        "web": ("service", "ready"),
    }
    assert status["session"]["synced"] is True
    text = small.devenv("status").out
    assert "in sync" in text


def test_logs_carry_the_name_of_who_wrote_them(small: Project) -> None:
    small.ask()
    done = small.devenv("logs", "web", "--tail", "50")
    assert "web      | request /" in done.out
    assert "redis" not in done.out
    everything = small.devenv("logs", "--tail", "5").out
    assert {"redis", "stubs", "web"} <= {line.partition("|")[0].strip() for line in everything.splitlines()}


def test_a_pod_that_is_replaced_gets_what_is_saved(small: Project) -> None:
    small.edit(SOURCE, '"hello"', '"kept"')
    assert small.ask()["greeting"] == "kept"
    small.kubectl("delete", "pod", "-l", "dev.devenv/unit=web", "--wait=true")
    small.kubectl("rollout", "status", "deploy/web")
    assert small.ask()["greeting"] == "kept"


def test_only_what_changed_is_deployed_again(small: Project) -> None:
    small.edit("stubs/payments/mappings/charge.json", "true", "false")
    result = small.json("up", "-d")
    small.edit("stubs/payments/mappings/charge.json", "false", "true")
    actions = {unit["name"]: (unit["action"], unit["reason"]) for unit in result["units"]}
    assert actions["devenv-stubs"] == ("updated", "files changed")
    assert {actions["redis"][0], actions["web"][0]} == {"unchanged"}
    assert small.ask()["payments"] == {"charged": False}
    assert small.json("up", "-d")["changed"] is True


MANIFESTS = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: front}
spec:
  selector: {matchLabels: {app: front}}
  template:
    metadata: {labels: {app: front}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - {name: side, image: "busybox:1", command: [sleep, "1000"]}
        - {name: program, image: "web:latest", ports: [{containerPort: 8600}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec:
  selector: {app: front}
  ports: [{port: 8600}]
"""


def test_own_manifests_run_synced_and_tested(project: Project) -> None:
    project.write("deploy.yaml", MANIFESTS)
    project.edit("devenv.yaml", "    build: web\n", "    build: web\n    deploy: deploy.yaml\n")
    done = project.devenv("up", "-d")
    assert done.code == 0, done.text
    project.edit(SOURCE, '"hello"', '"own"')
    assert project.ask()["greeting"] == "own"
    tested = project.devenv("test")
    assert (tested.code, "own" in tested.err) == (1, True), tested.text
    assert project.json("up", "-d")["changed"] is True


def test_down_keeps_the_namespace_and_up_comes_back(project: Project) -> None:
    project.write("profiles/default.yaml", "include: [postgres]\ndependencies:\n  postgres: {}\n")
    project.edit("devenv.yaml", "needs: [redis, payments]", "needs: [postgres]")
    assert project.devenv("up", "-d").code == 0
    done = project.devenv("down")
    assert done.code == 0, done.text
    assert f"still there: namespace {project.name}, volume postgres-data" in done.err
    assert project.kubectl("get", "all,pvc", "-o", "name").split() == ["persistentvolumeclaim/postgres-data"]
    gone = project.devenv("down", "--volumes")
    assert gone.code == 0, gone.text
    left = project.machine.run("kubectl", "get", "namespace", project.name)
    assert "NotFound" in left.err
    assert "was not up" in project.devenv("down").err
