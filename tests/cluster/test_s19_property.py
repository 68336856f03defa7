"""S19 on the real cluster: random edits while agent, stream, pod and session are killed at random."""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from devenv.ports import Change
from devenv.session.control import ControlClient, checked, find_session
from tests import scale
from tests.cluster.conftest import Project, make_project
from tests.conftest import Machine
from tests.unit.session.machine import SyncMachine, remove

pytestmark = pytest.mark.cluster

RUNS = scale.scaled(5, full=200)
PATIENCE = 120.0
EACH = 3
"""Of the slow faults every third is done: a new pod or session takes seconds."""

LOOK = """
import base64, json, os, sys
found = {}
for folder, names, files in os.walk("/app/extra"):
    for name in names + files:
        place = os.path.join(folder, name)
        key = os.path.relpath(place, "/app/extra")
        if os.path.islink(place): found[key] = ["link", os.readlink(place)]
        elif os.path.isdir(place): found[key] = "dir"
        else: found[key] = [base64.b64encode(open(place, "rb").read()).decode(), bool(os.stat(place).st_mode & 0o100)]
print(json.dumps(found))
"""
KILL = """
import glob, os, sys
for place in glob.glob("/proc/[0-9]*/cmdline"):
    try:
        if b"\\0serve" in open(place, "rb").read():
            os.kill(int(place.split("/")[2]), int(sys.argv[1]))
    except (OSError, ValueError):
        pass
"""
FOREIGN = """
import os, sys
os.makedirs(os.path.dirname(sys.argv[1]), exist_ok=True)
open(sys.argv[1], "w").write("foreign")
"""


class Scene:
    """A folder that the image knows nothing of, though up builds it anew, and what the pod has of it."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.folder = project.folder.parent
        self.source = project.folder / "extra"
        self.watcher = self
        self.loop = contextlib.nullcontext()
        self.foreign: set[str] = set()

    def tell(self, change: Change) -> None:
        """The session watches by itself."""

    def session(self) -> ControlClient | None:
        (folder,) = Path(self.project.machine.env["XDG_RUNTIME_DIR"]).glob("devenv")
        found = [find_session(path) for path in folder.glob(f"*-{self.project.name}.sock")]
        return next(filter(None, found), None)

    def ask(self, op: str, **parameters: Any) -> Any:
        client = self.session()
        if client is None:
            done = self.project.devenv("up", "-d")
            assert done.code == 0, done.text
            client = self.session()
        assert client
        with contextlib.closing(client):
            return checked(client.ask(op, timeout=PATIENCE + 5, **parameters))

    def wait_synced(self) -> None:
        self.ask("wait-synced", service="web")

    def pod(self) -> str:
        """The one that runs and stays."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            found = json.loads(self.project.kubectl("get", "pods", "-l", "dev.devenv/unit=web", "-o", "json"))["items"]
            there = [each for each in found if not each["metadata"].get("deletionTimestamp") and is_running(each)]
            if there:
                return str(there[0]["metadata"]["name"])
            time.sleep(0.2)
        raise AssertionError("no pod")

    def run(self, script: str, *arguments: str) -> str:
        return self.project.kubectl("exec", self.pod(), "-c", "web", "--", "python", "-c", script, *arguments)

    def there(self) -> dict[str, object]:
        found = json.loads(self.run(LOOK))
        return {path: value(what) for path, what in found.items()}


def is_running(pod: Any) -> bool:
    return any(
        each["name"] == "web" and each["state"].get("running") for each in pod["status"].get("containerStatuses", [])
    )


def value(what: Any) -> object:
    if isinstance(what, list):
        return ("link", what[1]) if what[0] == "link" else (base64.b64decode(what[0]), what[1])
    return what


class ClusterWorld:
    """Faults with signals, kubectl and the session's own process."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.counts: dict[str, int] = {"agents": 0, "stalls": 0, "pods": 0, "sessions": 0}
        self._numbers = itertools.count()

    def cut(self, after: int) -> None:
        self.kill_agent()

    def stall(self) -> None:
        self.counts["stalls"] += 1
        self.scene.run(KILL, str(int(signal.SIGSTOP)))

    def resume(self) -> None:
        self.scene.run(KILL, str(int(signal.SIGCONT)))

    def kill_agent(self) -> None:
        self.counts["agents"] += 1
        self.scene.run(KILL, str(int(signal.SIGKILL)))

    def restart_container(self) -> None:
        self.kill_agent()

    def replace_pod(self) -> None:
        if next(self._numbers) % EACH:
            return
        self.counts["pods"] += 1
        self.scene.foreign.clear()
        self.scene.project.kubectl("delete", "pod", self.scene.pod(), "--force", "--grace-period=0")
        time.sleep(0.5)  # the session hears of it

    def kill_session(self) -> None:
        if next(self._numbers) % EACH:
            return
        self.counts["sessions"] += 1
        client = self.scene.session()
        if client:
            with contextlib.closing(client):
                os.kill(int(client.ask("status")["pid"]), signal.SIGKILL)

    def close(self) -> None:
        pass


class ClusterMachine(SyncMachine):
    """The machine's rules on a session of its own process; `world` is shared by all runs."""

    shared: ClusterWorld

    def prepare(self) -> None:
        self.world = self.shared  # type: ignore[assignment]
        self.scene = self.shared.scene  # type: ignore[assignment]
        self.folder = self.shared.scene.folder
        for place in self.scene.source.iterdir():
            remove(place)
        self.scene.wait_synced()

    def teardown(self) -> None:
        self.settle()

    def restart(self) -> None:
        self.shared.kill_session()

    def add_foreign(self, path: str) -> None:
        self.shared.scene.run(FOREIGN, f"/app/extra/{path}")
        self.shared.scene.foreign.add(path)

    def trees(self) -> tuple[dict[str, object], set[str]]:
        there = self.shared.scene.there()
        return there, self.shared.scene.foreign & there.keys()


@pytest.fixture(scope="module")
def scene(machine: Machine, cluster: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    project = make_project(machine, tmp_path_factory.mktemp("s19") / "p", "s19")
    rule = "- {from: web/tests, to: /app/tests}"
    project.edit("devenv.yaml", rule, f"{rule}\n      - {{from: extra, to: /app/extra}}")
    (project.folder / "extra").mkdir()
    done = project.devenv("up", "-d")
    assert done.code == 0, done.text
    yield Scene(project)
    project.remove()


@pytest.mark.timeout(scale.seconds(240))
def test_s19_nothing_diverges_on_the_cluster(scene: Scene, record_property: Callable[[str, object], None]) -> None:
    world = ClusterWorld(scene)

    class Machine(ClusterMachine):
        shared = world

    runs = settings(
        max_examples=RUNS,
        stateful_step_count=12,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.generate),
    )
    run_state_machine_as_test(Machine, settings=runs)
    record_property("killed", world.counts)
    assert sum(world.counts.values()) >= RUNS / 2, world.counts
