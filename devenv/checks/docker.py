"""Docker: there, running, allowed, and with enough of everything."""

from __future__ import annotations

import re
from pathlib import Path

from devenv.checks.check import GIB, MIB, Argv, Check, Scene, Verdict, fail, of_error, ok, size, skipped, warn
from devenv.checks.facts import DaemonInfo
from devenv.errors import ToolError

USUAL_ADDRESS = "unix:///var/run/docker.sock"
OLDEST = (20, 10)
FIRST_KUBERNETES_WITHOUT_CGROUP_1 = (1, 35)
CAP_SYS_RESOURCE = 24
NODE_MEMORY = 700 * MIB
"""An idle kind node, the registry and some air."""


def docker(scene: Scene) -> Verdict:
    """Whether the daemon answers; where not, why."""
    try:
        info = scene.daemon.info()
    except ToolError as error:
        return _silent(scene, error)
    return ok(f"{info.version} at {scene.daemon.address()}")


def _silent(scene: Scene, error: ToolError) -> Verdict:
    if error.code == "docker-missing":
        installing = _installing(scene) if scene.daemon.address() == USUAL_ADDRESS else ()
        return of_error(error, cure="" if installing else _how_to_install(scene), fixes=installing)
    address = scene.daemon.address()
    socket = scene.files.look(Path(address.removeprefix("unix://"))) if address.startswith("unix://") else None
    if socket and socket.kind == "socket" and not socket.writable:
        return Verdict(
            "fail",
            f"this user may not use Docker's socket {address.removeprefix('unix://')}",
            "The socket belongs to root and the group docker; a user of that group may do with Docker as root may.",
            "sudo usermod -aG docker $USER, then log out and in",
            error.code,
        )
    start = _starting(scene) if address == USUAL_ADDRESS else None
    if address != USUAL_ADDRESS:
        return of_error(error, cure="start the daemon there, or see DOCKER_HOST and docker context ls")
    return of_error(error, cure="" if start else "start it: open Docker Desktop, or run dockerd", fixes=start or ())


def _installing(scene: Scene) -> tuple[Argv, ...]:
    """How Debian, Ubuntu and what is made of them install their own docker.io, where this user may."""
    if not _has_docker_io(scene) or not scene.may_be_root():
        return ()
    return scene.as_root("apt-get", "update"), scene.as_root("apt-get", "install", "-y", "docker.io")


def _has_docker_io(scene: Scene) -> bool:
    """Others have apt-get, too, but no such package."""
    release = scene.files.read(Path("/etc/os-release")) or ""
    kin = re.search(r"^ID(_LIKE)?=.*\b(debian|ubuntu)\b", release, re.MULTILINE)
    return bool(kin and scene.commands.find("apt-get"))


def _how_to_install(scene: Scene) -> str:
    if scene.machine.system == "darwin":
        return "install Docker Desktop, or colima: brew install colima docker && colima start"
    if _has_docker_io(scene):
        return "as root: apt-get update && apt-get install -y docker.io"
    return "install Docker Engine (https://docs.docker.com/engine/install), or your distribution's docker.io"


def _starting(scene: Scene) -> tuple[Argv, ...]:
    if scene.machine.system == "darwin":
        return (("open", "-a", "Docker"),)
    if scene.commands.find("systemctl") and scene.files.look(Path("/run/systemd/system")):
        return (scene.as_root("systemctl", "enable", "--now", "docker"),)
    if scene.commands.find("service") and scene.files.look(Path("/etc/init.d/docker")):
        return (scene.as_root("service", "docker", "start"),)
    return ()


def version(scene: Scene) -> Verdict:
    """Whether the daemon is new enough."""
    found = scene.daemon.info().version
    if numbers(found) >= OLDEST:
        return ok(found)
    oldest = ".".join(map(str, OLDEST))
    return warn(f"{found} is old", f"devenv is tested with Docker {oldest} and later.", "upgrade Docker")


def memory(scene: Scene) -> Verdict:
    """Whether Docker has memory for a cluster at all."""
    info = scene.daemon.info()
    text = f"{size(info.memory)}, {info.cpus} CPUs"
    if info.memory >= 3.5 * GIB:
        return ok(text)
    cause = f"A cluster alone takes {size(NODE_MEMORY)}; services and dependencies come on top."
    return (warn if info.memory >= 1.8 * GIB else fail)(text, cause, _more_memory(info))


def _more_memory(info: DaemonInfo) -> str:
    if "Docker Desktop" in info.system:
        return "give it more: Docker Desktop, Settings, Resources, Memory"
    return "give this machine (or the virtual machine that Docker runs in) more memory"


def disk(scene: Scene) -> Verdict:
    """Whether Docker's disk has room."""
    info = scene.daemon.info()
    left = None if "Docker Desktop" in info.system else scene.files.space(Path(info.root))
    if left is None:
        return skipped(f"{info.root} is inside Docker's own machine")
    text = f"{size(left)} left at {info.root}"
    if left >= 10 * GIB:
        return ok(text)
    cause = "Node image, images and volumes of an environment take several GiB; on a full disk pods are evicted."
    cure = "docker system df shows what takes it; docker builder prune and docker image prune free some"
    return (warn if left >= 3 * GIB else fail)(text, cause, cure)


def usage(scene: Scene) -> Verdict:
    """What Docker itself keeps."""
    used = scene.daemon.usage()
    text = f"{size(used.total)}, of that {size(used.cache)} build cache"
    if used.cache < 20 * GIB:
        return ok(text)
    cause = "Docker keeps every build step; builds stay right, only slower once, without them."
    return warn(text, cause, "docker builder prune")


def buildx(scene: Scene) -> Verdict:
    """Which builder images are built with."""
    if scene.commands.find("docker") is None:
        return skipped("no docker command; the daemon's classic builder is used")
    code, output = scene.run("docker", "buildx", "version")
    if code:
        return skipped("not installed; the daemon's classic builder is used")
    return ok(" ".join(output.split()[:2]))


def cgroup(scene: Scene) -> Verdict:
    """Whether the node's Kubernetes takes this cgroup version."""
    found = scene.daemon.info().cgroup
    if found != 1:
        return ok(f"version {found}" if found else "not told")
    image = scene.settings.node_image or ""
    if image and numbers(image.rpartition(":")[2]) < FIRST_KUBERNETES_WITHOUT_CGROUP_1:
        return ok(f"version 1; the node image {image} still takes it")
    if scene.node_runs():
        return ok("version 1; the node that is there runs on it")
    return warn(
        "version 1",
        "From Kubernetes 1.35 on, a node does not start on cgroup version 1.",
        'switch the machine to version 2, or choose an older node: cluster: {node_image: "kindest/node:v1.34.0"} in '
        "the settings",
    )


def cgroup_limits(scene: Scene) -> Verdict:
    """Limits of memory and processes that this machine (a container itself, perhaps) was given."""
    if scene.machine.system != "linux":
        return skipped("Docker runs in its own machine")
    memory_limit = _limit(scene, "memory.max", "memory/memory.limit_in_bytes")
    pids_limit = _limit(scene, "pids.max", "pids/pids.max")
    told = [f"memory {size(memory_limit)}"] if memory_limit and memory_limit < 2**60 else []
    told += [f"{pids_limit} processes"] if pids_limit else []
    text = ", ".join(told) or "none seen"
    if (memory_limit or 4 * GIB) >= 3.5 * GIB and (pids_limit or 4096) >= 4096:
        return ok(text)
    cause = "This machine's own cgroup is limited below what a cluster takes: 4 GiB, 4096 processes."
    return warn(text, cause, "raise the limits of the container or slice that Docker runs in")


def _limit(scene: Scene, new: str, old: str) -> int | None:
    text = scene.files.read(Path("/sys/fs/cgroup") / new) or scene.files.read(Path("/sys/fs/cgroup") / old) or ""
    return int(text) if text.strip().isdecimal() else None


def capabilities(scene: Scene) -> Verdict:
    """Whether the daemon has CAP_SYS_RESOURCE, as far as its process can be seen."""
    daemon = (scene.files.read(Path("/var/run/docker.pid")) or "").strip()
    status = scene.files.read(Path("/proc") / daemon / "status") if daemon.isdecimal() else None
    bounding = re.search(r"^CapBnd:\s*([0-9a-f]+)$", status or "", re.MULTILINE)
    if bounding is None:
        return skipped("the daemon's process can't be seen")
    if int(bounding[1], 16) >> CAP_SYS_RESOURCE & 1:
        return ok("the daemon has CAP_SYS_RESOURCE")
    if scene.node_runs():
        return ok("the daemon lacks CAP_SYS_RESOURCE; a node runs all the same")
    return warn(
        "the daemon lacks CAP_SYS_RESOURCE",
        "Cluster nodes are privileged containers, which runc refuses to start without that capability.",
        "run Docker outside of the container or sandbox that takes it away",
    )


def numbers(text: str) -> tuple[int, ...]:
    """The first two numbers of a version: "v1.34.4" is (1, 34); (0, 0) where there is none."""
    found = re.search(r"(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else (0, 0)


CHECKS = (
    Check("docker", "The Docker daemon answers, and this user may use it", "Docker", docker),
    Check("docker-version", "Docker is new enough", "Docker", version, needs="docker"),
    Check("docker-memory", "Docker has memory for a cluster", "Docker", memory, needs="docker"),
    Check("docker-disk", "Docker's disk has room", "Docker", disk, needs="docker"),
    Check("docker-usage", "What Docker keeps on its disk", "Docker", usage, needs="docker", seconds=10.0),
    Check("buildx", "Which builder images are built with", "Docker", buildx),
    Check("cgroup", "The cgroup version suits the node's Kubernetes", "Docker", cgroup, needs="docker"),
    Check("cgroup-limits", "This machine's own limits leave room", "Docker", cgroup_limits),
    Check("capabilities", "The daemon has CAP_SYS_RESOURCE", "Docker", capabilities),
)
