"""The dockerd process where no init system looks after it: started by hand, cleared up after a crash, stopped."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from tests.testbed.commands import TestbedError
from tests.testbed.places import Places
from tests.testbed.steps import write_file

PID_FILES = (Path("/var/run/docker.pid"), Path("/var/run/docker/containerd/containerd.pid"))
SYSTEM_FOLDERS = "/usr/local/sbin:/usr/sbin:/sbin"
STOP_SECONDS = 60


def start_daemon(places: Places) -> None:
    """Start dockerd in the background, its output in the logs folder; raises TestbedError if it is not installed."""
    program = shutil.which("dockerd", path=f"{os.environ.get('PATH', '')}:{SYSTEM_FOLDERS}")
    if program is None:
        raise TestbedError("dockerd is not on PATH\nhint: install Docker's daemon (Debian: docker.io)")
    clear_remains()
    with (places.logs / "dockerd.log").open("ab") as output:
        process = subprocess.Popen(
            [program], stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    write_file(places.home / "dockerd.pid", f"{process.pid}\n")


def clear_remains() -> None:
    """Clear up after a dockerd that was killed: its port forwarders, and pid files that now mean nothing or another."""
    if any(name == "dockerd" for _, name, _ in _list_processes()):
        return
    for pid, name, parent in _list_processes():
        if name == "docker-proxy" and parent == 1:
            os.kill(pid, signal.SIGTERM)
    alive = {pid for pid, name, _ in _list_processes() if name in ("dockerd", "containerd")}
    for path in PID_FILES:
        if path.is_file() and int(path.read_text().strip() or 0) not in alive:
            path.unlink()


def _list_processes() -> Iterator[tuple[int, str, int]]:
    """The processes that run, zombies left out: number, name, parent's number. Format: proc(5), `status`."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            lines = (folder / "status").read_text().splitlines()
        except OSError:
            continue
        values = {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if not values["State"].startswith("Z"):
            yield int(folder.name), values["Name"], int(values["PPid"])


def stop_daemon(places: Places) -> bool:
    """Stop the dockerd that `start_daemon` started; False if it does not run."""
    pid_file = places.home / "dockerd.pid"
    pid = int(pid_file.read_text()) if pid_file.is_file() else 0
    if not _is_dockerd(pid):
        return False
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while _is_dockerd(pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    pid_file.unlink()
    return True


def _is_dockerd(pid: int) -> bool:
    return any((number, name) == (pid, "dockerd") for number, name, _ in _list_processes())
