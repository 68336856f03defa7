"""What goes wrong on real machines: the exit code, the stable code, what is said, and that `up` goes on afterwards."""

from __future__ import annotations

import getpass
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from tests.cluster.conftest import SLEEP, Project
from tests.conftest import CLUSTER, Machine

pytestmark = pytest.mark.cluster


def altered(project: Project, tmp_path: Path, *, env: dict[str, str] | None = None, **sections: object) -> Project:
    """The project on a machine with other settings or environment variables."""
    values = {**yaml.safe_load(project.machine.settings.read_text()), **sections}
    settings = tmp_path / "other-settings.yaml"
    settings.write_text(yaml.safe_dump(values))
    variables = {**project.machine.env, "DEVENV_SETTINGS": str(settings), **(env or {})}
    return replace(project, machine=Machine(variables, settings))


@pytest.fixture
def container() -> Iterator[object]:
    """Makes containers that are never started, and removes them."""
    names: list[str] = []

    def make(name: str, *options: str) -> None:
        names.append(name)
        command = ["docker", "create", "--name", name, *options, "busybox:1", "true"]
        subprocess.run(command, check=True, capture_output=True)

    subprocess.run(["docker", "pull", "-q", "busybox:1"], check=True, capture_output=True)
    yield make
    for name in names:
        subprocess.run(["docker", "rm", "-f", name], check=False, capture_output=True)


def test_no_docker(project: Project, tmp_path: Path) -> None:
    only_python = str(Path(sys.executable).parent)
    empty = {"PATH": only_python, "DOCKER_HOST": f"unix://{tmp_path}/none.sock"}
    done = altered(project, tmp_path, env=empty).devenv("up", "-d")
    assert (done.code, "[docker-missing]" in done.err) == (11, True), done.text
    assert "hint: install Docker" in done.err


def test_a_daemon_that_does_not_run(project: Project, tmp_path: Path) -> None:
    stopped = {"DOCKER_HOST": f"unix://{tmp_path}/none.sock"}
    done = altered(project, tmp_path, env=stopped).devenv("up", "-d")
    assert (done.code, "[docker-not-running]" in done.err) == (11, True), done.text
    doctor = altered(project, tmp_path, env=stopped).devenv("doctor")
    assert (doctor.code, "✗ docker" in doctor.out) == (16, True)


def test_no_kind(project: Project, tmp_path: Path) -> None:
    other = altered(project, tmp_path, tools={"kind": "/nowhere/kind"}, cluster={"name": "devenv-test-nokind"})
    done = other.devenv("up", "-d")
    assert (done.code, "[kind-missing]" in done.err) == (11, True), done.text


def test_a_port_that_is_taken_names_its_holder(project: Project, tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        registry = {"name": "devenv-test-registry-2", "port": port}
        done = altered(project, tmp_path, registry=registry).devenv("up", "-d")
    assert (done.code, "[port-taken]" in done.err) == (11, True), done.text
    assert f"port {port} on this machine is taken by process" in done.err
    left = subprocess.run(
        ["docker", "ps", "-aq", "--filter", "name=devenv-test-registry-2"], capture_output=True, check=True
    )
    assert left.stdout == b""


def test_a_cluster_that_somebody_else_made(project: Project, tmp_path: Path, container: object) -> None:
    container("devenv-test-x-control-plane", "--label", "io.x-k8s.kind.cluster=devenv-test-x")  # type: ignore[operator]
    other = altered(project, tmp_path, cluster={"name": "devenv-test-x"})
    for arguments in (["up", "-d"], ["down", "--cluster", "--yes"]):
        done = other.devenv(*arguments)
        assert (done.code, "[cluster-foreign]" in done.err) == (15, True), done.text


def test_a_registry_that_somebody_else_made(project: Project, tmp_path: Path, container: object) -> None:
    container("devenv-test-registry-3")  # type: ignore[operator]
    registry = {"name": "devenv-test-registry-3", "port": 5999}
    done = altered(project, tmp_path, registry=registry).devenv("up", "-d")
    assert (done.code, "[registry-foreign]" in done.err) == (15, True), done.text


def test_a_namespace_that_somebody_else_made(project: Project) -> None:
    project.machine.run("kubectl", "create", "namespace", project.name)
    done = project.devenv("up", "-d")
    assert (done.code, "[namespace-foreign]" in done.err) == (12, True), done.text
    assert "was not up" in project.devenv("down", "--volumes").err
    assert project.machine.run("kubectl", "delete", "namespace", project.name).code == 0


def test_a_build_that_fails_shows_its_last_lines(project: Project) -> None:
    project.write("web/Dockerfile", "FROM python:3.11-slim\nRUN echo about-to-fail && exit 3\n")
    done = project.devenv("up", "-d")
    assert (done.code, "[build-failed]" in done.err) == (11, True), done.text
    assert "about-to-fail" in done.err


def test_a_base_image_that_does_not_exist(project: Project) -> None:
    project.write("web/Dockerfile", "FROM nosuch/base:9\n")
    done = project.devenv("up", "-d")
    assert (done.code, "[image-pull-failed]" in done.err) == (11, True), done.text
    assert "nosuch/base" in done.err


def test_no_dockerfile(project: Project) -> None:
    (project.folder / "web/Dockerfile").unlink()
    done = project.devenv("up", "-d")
    assert (done.code, "[dockerfile-missing]" in done.err) == (11, True), done.text


def small_service(project: Project, image: str, command: str = "") -> None:
    project.write("devenv.yaml", f"name: {project.name}\nservices: {{web: {{image: '{image}'{command}}}}}\n")
    project.write("profiles/default.yaml", "dependencies: {}\n")


def test_an_image_that_can_not_be_pulled(project: Project) -> None:
    small_service(project, "nosuch/image:9")
    done = project.devenv("up", "-d")
    assert (done.code, "[image-pull-failed]" in done.err) == (13, True), done.text
    assert "web can't pull its image" in done.err
    assert "nosuch/image:9" in done.err
    small_service(project, "busybox:1", f", command: {SLEEP}")
    assert project.devenv("up", "-d").code == 0


def test_a_pod_that_crashes_again_and_again(project: Project) -> None:
    small_service(project, "busybox:1", ", command: 'echo last words; exit 3'")
    done = project.devenv("up", "-d")
    assert (done.code, "[crash-loop]" in done.err) == (13, True), done.text
    assert "exit code 3" in done.err
    assert "log: last words" in done.err
    status = project.json("status")
    assert status["ready"] is False
    assert status["units"][0]["state"] == "failing"


def test_a_unit_that_does_not_get_ready_in_time(project: Project) -> None:
    small_service(project, "busybox:1", f", command: {SLEEP}, ports: {{http: 80}}")
    done = project.devenv("up", "-d", "--timeout", "4")
    assert (done.code, "[not-ready]" in done.err) == (13, True), done.text
    assert "runs, but is not ready" in done.err


def test_an_error_is_json_when_json_is_asked_for(project: Project) -> None:
    project.write("devenv.yaml", "servces: {}\n")
    done = project.json("up")
    assert done["error"]["code"] == "config-invalid"
    assert done["exit"] == {"code": 10, "origin": "devenv"}


def test_without_an_environment_commands_say_so(project: Project) -> None:
    for arguments in (["logs"], ["test"]):
        done = project.devenv(*arguments)
        assert (done.code, "[environment-missing]" in done.err) == (12, True), done.text
    done = project.devenv("url", "web")
    assert (done.code, "[no-session]" in done.err) == (12, True), done.text
    assert project.devenv("up", "wbe").code == 2
    assert project.devenv("test", "redis").code == 2


def test_ctrl_c_at_any_step_and_up_again_completes(project: Project) -> None:
    project.write("web/src/new.py", "# so that the image is built\n")
    codes = []
    for lines in range(1, 8):
        process = project.machine.popen("up", "-d", cwd=project.folder)
        assert process.stderr
        for _ in range(lines):
            process.stderr.readline()
        process.send_signal(signal.SIGINT)
        _, rest = process.communicate(timeout=120)
        codes.append(process.returncode)
        assert process.returncode in (0, 130), rest
        assert "Traceback" not in rest
    assert codes[0] == 130
    done = project.devenv("up", "-d")
    assert done.code == 0, done.text
    assert project.ask()["greeting"] == "hello"


def test_ctrl_c_ends_the_session_in_the_terminal_and_leaves_the_environment(project: Project) -> None:
    process = project.machine.popen("up", cwd=project.folder)
    assert process.stdout
    # Its first line is what a unit printed, which comes once the session is there.
    assert " | " in process.stdout.readline()
    assert project.json("status")["session"]["foreground"] is True
    second = project.devenv("up")
    assert (second.code, "[session-runs]" in second.err) == (15, True), second.text
    detached = project.devenv("up", "-d")
    held = f"the session is that of another devenv up, {getpass.getuser()}@"
    assert (detached.code, held in detached.err, f"process {process.pid}," in detached.err) == (0, True, True), (
        detached.text
    )
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert f"{project.name} stays up" in said
    status = project.json("status")
    assert (status["ready"], status["session"]) == (True, None)
    project.edit("web/src/web.py", '"hello"', '"saved"')
    assert project.devenv("test").code == 1


def test_an_up_that_fails_says_what_of_a_session_there_is(project: Project) -> None:
    assert project.devenv("up", "-d").code == 0
    project.edit("web/Dockerfile", "COPY tests tests", "RUN false")
    done = project.devenv("up", "-d")
    assert (done.code, f"a session of {project.name} goes on" in done.err) == (11, True), done.text
    assert project.json("status")["session"]["foreground"] is False
    done = project.devenv("up")
    said = f"no session of {project.name} runs now: the one in the background was ended to make room"
    assert (done.code, said in done.err) == (11, True), done.text
    assert project.json("status")["session"] is None


def test_a_program_that_a_save_broke_ends_test_and_wait(project: Project) -> None:
    assert project.devenv("up", "-d").code == 0
    project.edit("web/src/web.py", "import json", "import no_such_module, json")
    ready = ("get", "pods", "-l", "dev.devenv/unit=web", "-o", "jsonpath={.items[*].status.containerStatuses[*].ready}")
    deadline = time.monotonic() + 60
    while project.kubectl(*ready) != "false":
        assert time.monotonic() < deadline
        time.sleep(0.2)
    waited = project.devenv("wait", "--for", "healthy", "--timeout", "1h")
    tested = project.devenv("test")
    for done in (waited, tested):
        assert (done.code, "[program-crashed]" in done.err, "no_such_module" in done.err) == (13, True, True), done.text
    project.edit("web/src/web.py", "import no_such_module, json", "import json")
    assert project.devenv("test").code == 0


def test_a_stopped_cluster_is_started_again(project: Project) -> None:
    assert project.devenv("up", "-d").code == 0
    subprocess.run(["docker", "stop", "-t", "5", f"{CLUSTER}-control-plane"], check=True, capture_output=True)
    done = project.devenv("status")
    assert (done.code, "[cluster-unreachable]" in done.err) == (12, True), done.text
    again = project.devenv("up", "-d")
    assert again.code == 0, again.text
    assert project.ask()["greeting"] == "hello"
