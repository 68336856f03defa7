"""The end of everything, and a creation that is cut off. These take the tests' cluster away, so they come last."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import pytest
import yaml

from tests.cluster.conftest import Project
from tests.conftest import CLUSTER, REGISTRY

pytestmark = [pytest.mark.cluster, pytest.mark.last]


def docker(*arguments: str) -> list[str]:
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True)
    return done.stdout.split()


def processes() -> list[str]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            found.append((folder / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found


def contexts(project: Project) -> list[str]:
    file = Path(project.machine.env["KUBECONFIG"])
    document = yaml.safe_load(file.read_text()) if file.exists() else None
    return [entry["name"] for entry in (document or {}).get("contexts") or []]


def files(project: Project) -> set[str]:
    """What devenv keeps on this machine, outside of the user's project and settings."""
    folders = [
        Path(project.machine.env[f"XDG_{kind}"]) / "devenv" for kind in ("STATE_HOME", "CACHE_HOME", "RUNTIME_DIR")
    ]
    found = {path.relative_to(f).as_posix() for f in folders for path in f.rglob("*") if not path.is_dir()}
    # What completion keeps of other projects is theirs, and what the user said yes to stays said.
    kept = {path for path in found if path.startswith("names/") and project.folder.parent.name not in path}
    return found - kept - {"trust.json", "trust.lock"}


def test_down_with_everything_leaves_nothing(project: Project) -> None:
    assert project.devenv("up", "-d").code == 0
    assert any(f"--file {project.folder}" in line for line in processes())
    done = project.devenv("down", "--volumes", "--cluster", "--yes")
    assert done.code == 0, done.text
    assert docker("ps", "-aq", "--filter", f"label=io.x-k8s.kind.cluster={CLUSTER}") == []
    assert docker("ps", "-aq", "--filter", f"name={REGISTRY}") == []
    assert contexts(project) == []
    assert not any(f"--file {project.folder}" in line for line in processes())
    assert files(project) == {"log/last.log"}
    again = project.devenv("down", "--volumes", "--cluster", "--yes")
    assert (again.code, "was not up" in again.err) == (0, True), again.text


def test_a_creation_that_is_cut_off_leaves_no_half_cluster(project: Project) -> None:
    process = project.machine.popen("up", "-d", cwd=project.folder)
    deadline = time.monotonic() + 60
    while not docker("ps", "-q", "--filter", f"label=io.x-k8s.kind.cluster={CLUSTER}"):
        assert time.monotonic() < deadline
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 130, said
    assert docker("ps", "-aq", "--filter", f"label=io.x-k8s.kind.cluster={CLUSTER}") == []
    done = project.devenv("up", "-d")
    assert done.code == 0, done.text
    assert project.ask()["greeting"] == "hello"
