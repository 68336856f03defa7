"""The Docker daemon: whether one runs and whose it is, starting our own, and its settings."""

import json
import shutil
import time
from functools import partial
from pathlib import Path
from typing import Any

from tests.testbed.commands import TestbedError, read, read_json, run
from tests.testbed.daemon import start_daemon
from tests.testbed.fingerprints import fingerprint
from tests.testbed.places import MIRROR_ADDRESS, NETWORK, Places
from tests.testbed.steps import Step, write_file

DAEMON_SETTINGS = Path("/etc/docker/daemon.json")
MIRROR_URL = f"http://{MIRROR_ADDRESS}"
START_SECONDS = 60
CAP_SYS_RESOURCE = 24
# Debian's Docker has no buildx, and a newer client would ask for it.
BUILD_ENV = {"DOCKER_BUILDKIT": "0"}


def read_info() -> dict[str, Any] | None:
    """What the Docker daemon says of itself, or None if none answers. Format: `docker info`."""
    info: dict[str, Any] | None = read_json(["docker", "info", "--format", "{{json .}}"])
    return info if info and info.get("ServerVersion") else None


def uses_mirror(info: dict[str, Any]) -> bool:
    """Whether a daemon has our mirror in its settings: then it is one that the testbed looks after."""
    mirrors = (info.get("RegistryConfig") or {}).get("Mirrors") or []
    return any(str(mirror).rstrip("/") == MIRROR_URL for mirror in mirrors)


def can_pull_from_hub() -> bool:
    """Whether a small public image can be pulled; leaves that image behind."""
    return read(["docker", "pull", "--quiet", "busybox:latest"]) is not None


def plan_docker(places: Places) -> list[Step]:
    """The steps that give a running daemon which knows our mirror, and the network that kind's nodes live in."""
    wrap = lacks_resource_capability()
    return [
        Step(
            name="docker",
            lane="images",
            key=lambda: fingerprint(describe_settings(places, {})),
            present=lambda: (info := read_info()) is not None and uses_mirror(info),
            carry_out=partial(start_docker, places),
            needs=("packages", "small programs") if wrap else ("packages",),
        ),
        Step(
            name="network",
            lane="images",
            key=lambda: NETWORK,
            present=lambda: read(["docker", "network", "inspect", NETWORK]) is not None,
            carry_out=create_network,
            needs=("docker",),
        ),
    ]


def lacks_resource_capability() -> bool:
    """Whether this machine's root lacks CAP_SYS_RESOURCE, which runc needs for privileged containers."""
    status = Path("/proc/self/status").read_text()
    bounding = next(line.split()[1] for line in status.splitlines() if line.startswith("CapBnd"))
    return not int(bounding, 16) >> CAP_SYS_RESOURCE & 1


def describe_settings(places: Places, existing: dict[str, Any]) -> str:
    """The text of daemon.json: what was there, our mirror, and our runtime where the machine needs it."""
    wanted: dict[str, Any] = {"registry-mirrors": [MIRROR_URL]}
    if lacks_resource_capability():
        wanted["runtimes"] = {"oci-wrap": {"path": str(places.bin / "oci-wrap")}}
        wanted["default-runtime"] = "oci-wrap"
    return json.dumps({**existing, **wanted}, indent=2) + "\n"


def start_docker(places: Places, log: Path) -> None:
    """Write daemon.json and start the daemon, by the init system or by hand; raises TestbedError."""
    info = read_info()
    if info is not None and uses_mirror(info):
        return
    if info is not None:
        raise TestbedError(
            "a Docker daemon runs here that cannot pull from Docker Hub and does not know the testbed's mirror\n"
            f'hint: add "registry-mirrors": ["{MIRROR_URL}"] to its settings, or stop it and run `up` again'
        )
    existing = json.loads(DAEMON_SETTINGS.read_text()) if DAEMON_SETTINGS.is_file() else {}
    write_file(DAEMON_SETTINGS, describe_settings(places, existing))
    if Path("/run/systemd/system").is_dir():
        run(["systemctl", "enable", "--now", "docker"], log)
    else:
        start_daemon(places)
    _await_daemon(places)


def _await_daemon(places: Places) -> None:
    deadline = time.monotonic() + START_SECONDS
    while read_info() is None:
        if time.monotonic() > deadline:
            raise TestbedError(f"dockerd did not answer within {START_SECONDS} s\nlog: {places.logs / 'dockerd.log'}")
        time.sleep(0.2)


def restart_docker(places: Places) -> bool:
    """Start the daemon again if it is one that the testbed set up, and does not run; raises TestbedError."""
    known = DAEMON_SETTINGS.is_file() and MIRROR_URL in DAEMON_SETTINGS.read_text()
    if read_info() is not None or not known or shutil.which("docker") is None:
        return False
    start_docker(places, places.logs / "docker.log")
    return True


def create_network(log: Path) -> None:
    """Make the network that kind would make at its first cluster, IPv4 only; raises TestbedError."""
    if read(["docker", "network", "inspect", NETWORK]) is not None:
        return
    options = ["-o", "com.docker.network.bridge.enable_ip_masquerade=true"]
    run(["docker", "network", "create", "--driver", "bridge", *options, NETWORK], log)


def start_stopped_nodes() -> list[str]:
    """Start the stopped node containers of devenv's own clusters; gives back their names. Label: kind's."""
    label = "io.x-k8s.kind.cluster"
    listed = read(
        ["docker", "ps", "-a", "--filter", f"label={label}", "--filter", "status=exited", "--format", "{{.Names}}"]
    )
    stopped = [name for name in (listed or "").split() if name.startswith("devenv")]
    return [name for name in stopped if read(["docker", "start", name]) is not None]


def find_test_clusters() -> list[str]:
    """The kind clusters that tests left behind."""
    listed = read(["docker", "ps", "-a", "--format", '{{.Label "io.x-k8s.kind.cluster"}}']) or ""
    return sorted({name for name in listed.split() if name.startswith("devenv-test")})


def remove_containers(log: Path) -> list[str]:
    """Remove the mirror's container and those that tests left; the mirror's images stay in their volume."""
    listed = read(["docker", "ps", "--all", "--filter", "name=^/devenv-test", "--format", "{{.Names}}"]) or ""
    if listed:
        run(["docker", "rm", "--force", "--volumes", *listed.split()], log)
    return sorted(listed.split())
