from __future__ import annotations

import pytest

from devenv import problems
from devenv.checks import docker
from devenv.checks.check import GIB
from devenv.checks.facts import DaemonUse
from devenv.errors import ToolError
from tests.fakes.machine import Fakes

ENABLE = ("systemctl", "enable", "--now", "docker")
SILENT = ToolError(problems.DOCKER_NOT_RUNNING, address="unix:///var/run/docker.sock")


@pytest.fixture
def fakes() -> Fakes:
    return Fakes()


def test_a_daemon_that_answers(fakes: Fakes) -> None:
    verdict = docker.docker(fakes.scene)
    assert (verdict.status, verdict.text) == ("ok", "28.2.2 at unix:///var/run/docker.sock")


@pytest.mark.parametrize(("system", "said"), [("linux", "Docker Engine"), ("darwin", "Docker Desktop")])
def test_no_docker_says_how_to_install_it(fakes: Fakes, system: str, said: str) -> None:
    fakes.machine.system, fakes.daemon.error = system, ToolError(problems.DOCKER_MISSING)
    verdict = docker.docker(fakes.scene)
    assert (verdict.status, verdict.code, verdict.fixes) == ("fail", "docker-missing", ())
    assert said in verdict.cure


APT = (("apt-get", "update"), ("apt-get", "install", "-y", "docker.io"))
DEBIAN = 'NAME="Debian GNU/Linux"\nID=debian\n'


def without_docker(fakes: Fakes, *tools: str, release: str = DEBIAN) -> Fakes:
    fakes.daemon.error, fakes.commands.tools = ToolError(problems.DOCKER_MISSING), tools
    fakes.files.put("/etc/os-release", release)
    return fakes


@pytest.mark.parametrize(
    "release", [DEBIAN, "ID=ubuntu\nID_LIKE=debian", 'ID=linuxmint\nID_LIKE="ubuntu debian"', "ID_LIKE='debian'"]
)
def test_no_docker_is_installed_as_debian_and_its_kin_do(fakes: Fakes, release: str) -> None:
    without_docker(fakes, "apt-get", "sudo", release=release)
    verdict = docker.docker(fakes.scene)
    assert (verdict.status, verdict.code) == ("fail", "docker-missing")
    assert verdict.fixes == tuple(("sudo", *command) for command in APT)
    fakes.machine.uid, fakes.commands.tools = 0, ("apt-get",)
    assert docker.docker(fakes.scene).fixes == APT


@pytest.mark.parametrize(
    ("tools", "release", "said"),
    [
        (["apt-get"], DEBIAN, "as root: apt-get update && apt-get install -y docker.io"),
        (["sudo"], DEBIAN, "Docker Engine"),
        (["apt-get", "sudo"], "ID=altlinux\nHOME_URL=https://x/debian", "Docker Engine"),
        (["dnf", "sudo"], "ID=fedora", "Docker Engine"),
    ],
)
def test_no_docker_is_only_told_elsewhere_and_where_root_can_not_be_had(
    fakes: Fakes, tools: list[str], release: str, said: str
) -> None:
    verdict = docker.docker(without_docker(fakes, *tools, release=release).scene)
    assert (verdict.status, verdict.fixes, said in verdict.cure) == ("fail", (), True)


def test_a_docker_that_is_looked_for_elsewhere_is_not_installed_here(fakes: Fakes) -> None:
    without_docker(fakes, "apt-get", "sudo").daemon.where = "unix:///run/user/1000/docker.sock"
    assert docker.docker(fakes.scene).fixes == ()


def test_a_socket_of_root_alone_is_told_and_only_told(fakes: Fakes) -> None:
    fakes.daemon.error = SILENT
    fakes.files.put("/var/run/docker.sock", kind="socket", owner=0, writable=False)
    verdict = docker.docker(fakes.scene)
    assert (verdict.status, verdict.code, verdict.fixes) == ("fail", "docker-not-running", ())
    assert "usermod -aG docker" in verdict.cure
    assert "may not use" in verdict.text


@pytest.mark.parametrize(
    ("tools", "files", "system", "uid", "fixes"),
    [
        (["systemctl"], ["/run/systemd/system"], "linux", 1000, (("sudo", *ENABLE),)),
        (["systemctl"], ["/run/systemd/system"], "linux", 0, (ENABLE,)),
        (["systemctl", "service"], ["/etc/init.d/docker"], "linux", 0, (("service", "docker", "start"),)),
        (["systemctl", "service"], [], "linux", 0, ()),
        ([], [], "darwin", 501, (("open", "-a", "Docker"),)),
    ],
)
def test_how_a_stopped_daemon_is_started(
    fakes: Fakes, tools: list[str], files: list[str], system: str, uid: int, fixes: tuple[tuple[str, ...], ...]
) -> None:
    fakes.daemon.error, fakes.machine.system, fakes.machine.uid = SILENT, system, uid
    fakes.commands.tools = tuple(tools)
    for path in files:
        fakes.files.put(path)
    verdict = docker.docker(fakes.scene)
    assert (verdict.status, verdict.code, verdict.fixes) == ("fail", "docker-not-running", fixes)
    assert "start" in verdict.cure


def test_a_daemon_elsewhere_is_not_started_from_here(fakes: Fakes) -> None:
    fakes.daemon.error, fakes.daemon.where, fakes.machine.system = SILENT, "tcp://10.0.0.9:2375", "darwin"
    verdict = docker.docker(fakes.scene)
    assert (verdict.status, verdict.fixes, "DOCKER_HOST" in verdict.cure) == ("fail", (), True)


@pytest.mark.parametrize(
    ("version", "status"), [("28.2.2", "ok"), ("20.10.24+dfsg1", "ok"), ("19.03.1", "warn"), ("dev", "warn")]
)
def test_versions(fakes: Fakes, version: str, status: str) -> None:
    fakes.daemon.told["version"] = version
    assert docker.version(fakes.scene).status == status


@pytest.mark.parametrize(("memory", "status"), [(16 * GIB, "ok"), (2 * GIB, "warn"), (GIB, "fail")])
def test_memory(fakes: Fakes, memory: int, status: str) -> None:
    fakes.daemon.told["memory"] = memory
    assert docker.memory(fakes.scene).status == status


def test_memory_of_a_desktop_is_given_in_its_settings(fakes: Fakes) -> None:
    fakes.daemon.told |= {"memory": GIB, "system": "Docker Desktop"}
    assert "Settings, Resources" in docker.memory(fakes.scene).cure


@pytest.mark.parametrize(("left", "status"), [(50, "ok"), (5, "warn"), (1, "fail")])
def test_disk(fakes: Fakes, left: int, status: str) -> None:
    fakes.files.left = left * GIB
    assert docker.disk(fakes.scene).status == status


def test_a_disk_in_dockers_own_machine_is_not_judged(fakes: Fakes) -> None:
    fakes.daemon.told["system"] = "Docker Desktop"
    assert docker.disk(fakes.scene).status == "skipped"


@pytest.mark.parametrize(("cache", "status"), [(1, "ok"), (40, "warn")])
def test_what_docker_keeps(fakes: Fakes, cache: int, status: str) -> None:
    fakes.daemon.used = DaemonUse(60 * GIB, cache * GIB)
    verdict = docker.usage(fakes.scene)
    assert (verdict.status, "60.0 GiB" in verdict.text) == (status, True)


def test_buildx(fakes: Fakes) -> None:
    assert docker.buildx(fakes.scene).text == "github.com/docker/buildx v0.30.1"
    fakes.commands.answers["docker buildx"] = (1, "unknown command")
    assert docker.buildx(fakes.scene).status == "skipped"
    fakes.commands.tools = ()
    assert docker.buildx(fakes.scene).status == "skipped"


@pytest.mark.parametrize(
    ("cgroup", "image", "status"),
    [
        (2, None, "ok"),
        (0, None, "ok"),
        (1, None, "warn"),
        (1, "kindest/node:v1.34.4", "ok"),
        (1, "x/node:v1.36", "warn"),
    ],
)
def test_cgroups(fakes: Fakes, cgroup: int, image: str | None, status: str) -> None:
    fakes.daemon.told["cgroup"], fakes.settings["node_image"] = cgroup, image
    assert docker.cgroup(fakes.scene).status == status


def test_a_running_node_shows_that_it_works(fakes: Fakes) -> None:
    fakes.daemon.told["cgroup"] = 1
    fakes.files.put("/proc/812/status", "CapBnd:\t000001fffeffffff\n")
    assert (docker.cgroup(fakes.scene).status, docker.capabilities(fakes.scene).status) == ("warn", "warn")
    fakes.nodes.add("devenv-control-plane")
    assert (docker.cgroup(fakes.scene).status, docker.capabilities(fakes.scene).status) == ("ok", "ok")


def test_capabilities(fakes: Fakes) -> None:
    assert docker.capabilities(fakes.scene).status == "ok"
    del fakes.files.texts[next(path for path in fakes.files.texts if path.name == "docker.pid")]
    assert docker.capabilities(fakes.scene).status == "skipped"


@pytest.mark.parametrize(
    ("files", "status", "text"),
    [
        ({}, "ok", "none seen"),
        ({"memory.max": "max", "pids.max": "max"}, "ok", "none seen"),
        ({"memory/memory.limit_in_bytes": "9223372036854771712"}, "ok", "none seen"),
        ({"memory.max": str(2 * GIB)}, "warn", "memory 2.0 GiB"),
        ({"pids.max": "512"}, "warn", "512 processes"),
        ({"pids.max": "30000", "memory.max": str(8 * GIB)}, "ok", "memory 8.0 GiB, 30000 processes"),
    ],
)
def test_limits_of_the_machine_itself(fakes: Fakes, files: dict[str, str], status: str, text: str) -> None:
    for name, content in files.items():
        fakes.files.put(f"/sys/fs/cgroup/{name}", content)
    verdict = docker.cgroup_limits(fakes.scene)
    assert (verdict.status, verdict.text) == (status, text)


def test_limits_are_not_seen_where_docker_has_a_machine_of_its_own(fakes: Fakes) -> None:
    fakes.machine.system = "darwin"
    assert docker.cgroup_limits(fakes.scene).status == "skipped"
