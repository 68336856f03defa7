"""Images of every kind under the agent: no shell, read-only root, non-root over root's files, busybox, Debian.

Each runs busybox's httpd, which reads at its start which folder it serves: another one is seen only after a restart.
"""

from __future__ import annotations

import json
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cluster.conftest import Project
from tests.conftest import CLUSTER, Machine

pytestmark = pytest.mark.cluster

SERVICES = ("scratch", "readonly", "nonroot", "busybox", "debian", "inplace")
NAME = "images"
IMAGES = Path(__file__).parent / "images"
PATIENCE = 60.0

every = pytest.mark.parametrize("service", SERVICES)


@pytest.fixture(scope="module")
def images(machine: Machine, cluster: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """One environment with five services, up."""
    folder = tmp_path_factory.mktemp("images") / "p"
    shutil.copytree(IMAGES, folder)
    project = Project(machine, folder, NAME)
    done = project.devenv("up", "-d")
    assert done.code == 0, done.text
    yield project
    project.remove()


@pytest.fixture(scope="module")
def urls(images: Project) -> dict[str, str]:
    return {service: images.devenv("url", service).out.strip() for service in SERVICES}


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as answer:
        text: str = answer.read().decode().strip()
        return text


def until(wanted: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not wanted():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def pod_of(images: Project, service: str) -> str:
    pods = images.kubectl(
        "get", "pods", "-l", f"dev.devenv/unit={service}", "-o", "jsonpath={.items[*].metadata.name}"
    ).split()
    assert len(pods) == 1, pods
    return pods[0]


def restarts(images: Project, service: str) -> str:
    query = "jsonpath={.items[*].status.containerStatuses[*].restartCount}"
    return images.kubectl("get", "pods", "-l", f"dev.devenv/unit={service}", "-o", query)


@every
def test_the_program_runs_on_the_sources_not_on_what_the_image_has(urls: dict[str, str], service: str) -> None:
    assert get(f"{urls[service]}/version") == "source"


@every
def test_files_of_the_image_that_sync_does_not_send_stay(urls: dict[str, str], service: str) -> None:
    assert get(f"{urls[service]}/kept") == "kept"


def test_an_init_step_may_wait_for_the_sources(urls: dict[str, str]) -> None:
    assert get(f"{urls['busybox']}/migrated") == "source"


def test_a_prebuilt_image_starts_what_its_registry_says(images: Project) -> None:
    url = images.devenv("url", "prebuilt").out.strip()
    assert get(f"{url}/version") == "source"
    command = images.kubectl("exec", pod_of(images, "prebuilt"), "--", "cat", "/proc/1/cmdline").split("\0")
    assert command[command.index("--") + 1 :] == ["httpd", "-f", "-p", "8080", "-h", "/var/www", ""]


def test_a_save_is_seen_and_restarts_the_program_in_its_container(images: Project, urls: dict[str, str]) -> None:
    images.write("src/two/version", "saved\n")
    images.write("src/httpd.conf", "H:/app/two\n")
    for url in urls.values():
        until(lambda url=url: get(f"{url}/version") == "saved")  # type: ignore[misc]
    assert {restarts(images, service) for service in urls} == {"0"}


def test_without_the_agent_a_save_comes_through_sh_and_tar(images: Project) -> None:
    url = images.devenv("url", "shell").out.strip()
    until(lambda: get(f"{url}/version") == "saved")
    assert restarts(images, "shell") == "0"
    pod = images.kubectl("get", "pod", pod_of(images, "shell"), "-o", "json")
    assert "/.devenv" not in pod
    assert "dev.devenv/agent" not in pod


@every
def test_kubectl_exec_is_not_affected(images: Project, service: str) -> None:
    program = ["/bin/httpd"] if service == "scratch" else ["httpd"]
    assert images.kubectl("exec", pod_of(images, service), "--", *program, "-d", "a%20b") == "a b"


def test_the_program_is_the_agents_child_and_has_its_user(images: Project) -> None:
    pod = pod_of(images, "nonroot")
    assert images.kubectl("exec", pod, "--", "id", "-u").strip() == "1000"
    assert images.kubectl("exec", pod, "--", "cat", "/proc/1/cmdline").startswith("/.devenv/bin/agent\0init\0")
    owner = images.kubectl("exec", pod, "--", "stat", "-c", "%u", "/app/one/kept").strip()
    assert owner == "1000"


def test_probes_that_would_end_the_container_are_taken_out(images: Project) -> None:
    spec = images.kubectl("get", "pod", pod_of(images, "readonly"), "-o", "jsonpath={.spec.containers[0]}")
    assert "livenessProbe" not in spec
    assert '"readinessProbe"' in spec
    assert '"readOnlyRootFilesystem":true' in spec.replace(" ", "")


def test_a_container_that_is_restarted_never_runs_what_the_image_has(images: Project, urls: dict[str, str]) -> None:
    images.write("src/httpd.conf", "H:/app/one\n")
    images.write("src/one/version", "kept\n")
    chosen = {service: urls[service] for service in ("busybox", "inplace", "nonroot")}
    for url in chosen.values():
        until(lambda url=url: get(f"{url}/version") == "kept")  # type: ignore[misc]
    for service in ("busybox", "inplace"):
        images.kubectl("exec", pod_of(images, service), "--", "kill", "1")
    end_sandbox(images, pod_of(images, "nonroot"))
    for service, url in chosen.items():
        answers = answers_until(url, lambda service=service: restarts(images, service) == "1")  # type: ignore[misc]
        assert set(answers) == {"kept"}
    assert "seeded 0 files" in images.kubectl("logs", pod_of(images, "nonroot"), "-c", "devenv-seed")


def end_sandbox(images: Project, pod: str) -> None:
    """What a reboot of the node does: all of the pod's containers run anew, its init containers too."""
    node = ("docker", "exec", f"{CLUSTER}-control-plane", "ctr", "-n", "k8s.io")
    wanted = f'labels."io.kubernetes.pod.name"=={pod},labels."io.cri-containerd.kind"==sandbox'
    (sandbox,) = images.machine.run(*node, "containers", "ls", "-q", wanted).out.split()
    assert images.machine.run(*node, "tasks", "kill", "-s", "SIGKILL", sandbox).code == 0


def test_a_restricted_namespace_takes_a_pod_that_it_takes_without_the_agent(images: Project) -> None:
    def admitted(service: str) -> str:
        pod = json.loads(images.kubectl("get", "pod", pod_of(images, service), "-o", "json"))
        made = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "copy", "namespace": NAME}, "spec": pod["spec"]}
        done = images.machine.run("kubectl", "create", "--dry-run=server", "-f", "-", stdin=json.dumps(made))
        return done.text

    images.kubectl("label", "namespace", NAME, "pod-security.kubernetes.io/enforce=restricted")
    try:
        assert "pod/copy created (server dry run)" in admitted("nonroot")
        assert "violates PodSecurity" in admitted("busybox")
    finally:
        images.kubectl("label", "namespace", NAME, "pod-security.kubernetes.io/enforce-")


def test_a_new_pod_comes_back_with_the_synced_files_and_never_with_the_images(
    images: Project, urls: dict[str, str]
) -> None:
    images.write("src/httpd.conf", "H:/app/one\n")
    images.write("src/one/version", "newest\n")
    for url in urls.values():
        until(lambda url=url: get(f"{url}/version") == "newest")  # type: ignore[misc]
    old = {service: pod_of(images, service) for service in SERVICES}
    uids = set(images.kubectl("get", "pods", "-o", "jsonpath={.items[*].metadata.uid}").split())
    images.kubectl("delete", "pod", *old.values(), "--wait=true")
    answers = [answer for service in SERVICES for answer in answers_of(images, service, urls[service], uids)]
    assert set(answers) == {"newest"}


def answers_of(images: Project, service: str, url: str, old: set[str]) -> list[str]:
    """What is answered until a new pod is ready and has answered."""

    def is_new() -> bool:
        query = "jsonpath={range .items[*]}{.metadata.uid} {.status.conditions[?(@.type=='Ready')].status}{'\\n'}{end}"
        listed = images.kubectl("get", "pods", "-l", f"dev.devenv/unit={service}", "-o", query).splitlines()
        ready = [line.split()[0] for line in listed if line.endswith(" True")]
        return bool(ready) and not set(ready) & old

    return answers_until(url, is_new)


def answers_until(url: str, is_new: Callable[[], bool]) -> list[str]:
    """What is answered until something is true, and after that."""
    found: list[str] = []

    def has_answered() -> bool:
        new = is_new()
        try:
            found.append(get(f"{url}/version"))
        except (urllib.error.URLError, ConnectionError):
            return False
        return new

    until(has_answered)
    return found
