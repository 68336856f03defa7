"""Debian's packages that the machine itself needs."""

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

from tests.testbed.commands import TestbedError, run
from tests.testbed.daemon import SYSTEM_FOLDERS
from tests.testbed.steps import Step

# program → the package that brings it
WANTED = {
    "busybox": "busybox",
    "debootstrap": "debootstrap",
    "docker": "docker.io",
    "dockerd": "docker.io",
    "iptables": "iptables",
    "mvn": "maven",
    "qemu-aarch64-static": "qemu-user-static",
    "runc": "runc",
}


def plan_packages() -> Step:
    """The step that installs what is missing."""
    return Step(
        name="packages",
        lane="images",
        key=lambda: " ".join(sorted(WANTED.values())),
        present=lambda: not list_missing(),
        carry_out=install_packages,
    )


def list_missing() -> list[str]:
    """The packages whose programs are not on this machine."""
    path = f"{os.environ.get('PATH', '')}:{SYSTEM_FOLDERS}"
    missing = {package for program, package in WANTED.items() if shutil.which(program, path=path) is None}
    if shutil.which("go") is None and find_spec("ensurepip") is None:
        missing.add("python3-venv")
    return sorted(missing)


def install_packages(log: Path) -> None:
    """Install the missing packages with apt-get; raises TestbedError."""
    missing = list_missing()
    if not missing:
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise TestbedError(f"missing: {', '.join(missing)}\nhint: run as root on Debian, or install them by hand")
    run(["apt-get", "update"], log)
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    run(["apt-get", "install", "-y", "--no-install-recommends", "ca-certificates", *missing], log, env=quiet)
