"""The command line: `python -m tests.testbed up|status|down|env`."""

import argparse
import fcntl
import os
import shlex
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tests.testbed.base import plan_base
from tests.testbed.commands import TestbedError, read, run
from tests.testbed.daemon import stop_daemon
from tests.testbed.docker import (
    can_pull_from_hub,
    find_test_clusters,
    plan_docker,
    read_info,
    remove_containers,
    restart_docker,
    start_stopped_nodes,
    uses_mirror,
)
from tests.testbed.machine import plan_packages
from tests.testbed.mirror import mend_mirror, plan_mirror
from tests.testbed.node import plan_node
from tests.testbed.places import MIRROR_NAME, Places, find_places
from tests.testbed.programs import plan_programs
from tests.testbed.settings import render_settings
from tests.testbed.steps import Step, carry_out_all, is_there, say, write_file


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command; gives back the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.testbed", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("up", help="make or mend what is missing")
    commands.add_parser("status", help="tell what is there; exit code 1 if something is not")
    commands.add_parser("env", help="print the shell lines that point devenv at the testbed")
    down = commands.add_parser("down", help="remove the mirror and the clusters that tests left behind")
    down.add_argument(
        "--all", action="store_true", help="also stop the daemon started here and remove the state folder"
    )
    options = parser.parse_args(arguments)
    places = find_places(os.environ)
    actions = {
        "up": up,
        "status": status,
        "env": print_environment,
        "down": down_all if getattr(options, "all", 0) else clean,
    }
    try:
        return actions[options.command](places)
    except TestbedError as error:
        say(f"error: {error}")
        return 1
    except KeyboardInterrupt:
        say("interrupted: `up` goes on from here")
        return 130


def up(places: Places) -> int:
    """Bring the machine to the state in which devenv's tests run; does nothing where that needs no testbed."""
    if not needs_testbed(places):
        say("Docker runs here, pulls from Docker Hub, and kind is on PATH: nothing to do")
        return 0
    start = time.monotonic()
    with locked(places):
        steps = plan_steps(places)
        mend(places)
        carry_out_all(steps, places)
        write_file(places.settings, render_settings(_own_kind(places)))
    say(f"total {time.monotonic() - start:.1f} s")
    return 0


def needs_testbed(places: Places) -> bool:
    """Whether this machine is one that the testbed looks after, or one that can not do without it."""
    info = read_info()
    if places.settings.is_file() or info is None or uses_mirror(info):
        return True
    if not can_pull_from_hub():
        return True
    if shutil.which("kind") is None:
        raise TestbedError("Docker is fine here, but kind is not on PATH\nhint: install kind, https://kind.sigs.k8s.io")
    return False


def plan_steps(places: Places) -> list[Step]:
    """All steps; of those in a lane that can run, the first runs."""
    base_files, base_image = plan_base(places)
    docker = plan_docker(places)
    mirror = plan_mirror(places)
    return [plan_packages(), *plan_programs(places), base_files, *docker, base_image, plan_node(places), *mirror]


def mend(places: Places) -> None:
    """Start again what is there and was stopped: dockerd, the mirror's container, the nodes of devenv's clusters."""
    if restart_docker(places):
        say("✓ dockerd started again")
    if read_info() is None:
        return
    if mend_mirror():
        say("✓ mirror started again")
    for name in start_stopped_nodes():
        say(f"✓ {name} started again")


@contextmanager
def locked(places: Places) -> Iterator[None]:
    """Hold the state folder for this process alone; waits while another `up` or `down` runs."""
    for folder in (places.logs, places.stamps, places.bin, places.build):
        folder.mkdir(parents=True, exist_ok=True)
    with (places.home / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another testbed command runs: waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _own_kind(places: Places) -> str | None:
    return None if shutil.which("kind") else str(places.bin / "kind")


def status(places: Places) -> int:
    """Print a line per part; 0 if all of them are there."""
    if not needs_testbed(places):
        say("- this machine needs no testbed")
        return 0
    parts = [(step.name, is_there(step, places)) for step in plan_steps(places)]
    for name, there in parts:
        say(f"{'✓' if there else '✗'} {name}")
    return 0 if all(there for _, there in parts) and places.settings.is_file() else 1


def print_environment(places: Places) -> int:
    """Print `export` lines for a shell's eval; nothing where `up` had nothing to do."""
    if places.settings.is_file():
        print(f"export DEVENV_SETTINGS={shlex.quote(str(places.settings))}")
    return 0


def clean(places: Places) -> int:
    """Remove the clusters that tests left behind, and the mirror's container; images and programs stay."""
    with locked(places):
        if read_info() is None:
            return 0
        kind = shutil.which("kind") or str(places.bin / "kind")
        for cluster in find_test_clusters():
            run(
                [kind, "delete", "cluster", "--name", cluster, "--kubeconfig", places.build / "kubeconfig"],
                places.logs / "down.log",
            )
            say(f"✓ cluster {cluster} removed")
        for name in remove_containers(places.logs / "down.log"):
            say(f"✓ {name} removed")
    return 0


def down_all(places: Places) -> int:
    """Also remove the mirror's images, stop the daemon that `up` started, and remove the state folder."""
    clean(places)
    read(["docker", "volume", "rm", MIRROR_NAME])
    if stop_daemon(places):
        say("✓ dockerd stopped")
    shutil.rmtree(places.home)
    say(f"✓ {places.home} removed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
