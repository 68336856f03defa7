"""The real cluster for tests: its own name, registry, port and folders, so that it never meets a running demo."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.testbed.places import find_places

ROOT = Path(__file__).parent.parent
CLUSTER = "devenv-test"
REGISTRY = "devenv-test-registry"
REGISTRY_PORT = 5002


# A shell starts what runs in the background with Ctrl-C ignored, and all that is started from here would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--keep-cluster", action="store_true", help="leave the tests' cluster running at the end")


def pytest_report_header() -> str | None:
    """What the images of this run are: a report of tests on lookalikes says so."""
    if find_places(os.environ).settings.is_file():
        return "images: lookalikes made by tests/testbed from Debian's packages, under the public images' names"
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Fast tests first; those that take the cluster down and make it anew last."""

    def rank(item: pytest.Item) -> int:
        if item.get_closest_marker("last"):
            return 2
        return 1 if item.get_closest_marker("cluster") else 0

    items.sort(key=rank)
    for item in items:
        if item.get_closest_marker("cluster") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(300))


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err


@dataclass(frozen=True)
class Machine:
    """A user's machine for tests: its environment variables, and devenv on its PATH."""

    env: Mapping[str, str]
    settings: Path

    def run(self, *argv: str, cwd: Path = ROOT, timeout: float = 240, stdin: str | None = None) -> Done:
        done = subprocess.run(
            argv,
            cwd=cwd,
            env=dict(self.env),
            capture_output=True,
            text=True,
            timeout=timeout,
            input=stdin,
            stdin=None if stdin is not None else subprocess.DEVNULL,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def devenv(self, *arguments: str, cwd: Path = ROOT, timeout: float = 240) -> Done:
        return self.run(sys.executable, "-m", "devenv", *arguments, cwd=cwd, timeout=timeout)

    def popen(self, *arguments: str, cwd: Path) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "devenv", *arguments],
            cwd=cwd,
            env=dict(self.env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


def own_folders(base: Path) -> dict[str, str]:
    """Environment variables that keep everything a test writes below `base`."""
    folders = {"XDG_CONFIG_HOME": "config", "XDG_STATE_HOME": "state", "XDG_CACHE_HOME": "cache"}
    env = {name: str(base / part) for name, part in folders.items()}
    return {**env, "XDG_RUNTIME_DIR": str(base / "run"), "KUBECONFIG": str(base / "kubeconfig")}


def testbed_environment() -> dict[str, str]:
    """What the testbed exports once Docker, kind and images are there; it brings them up where they are not."""
    subprocess.run([sys.executable, "-m", "tests.testbed", "up"], cwd=ROOT, check=True)
    command = [sys.executable, "-m", "tests.testbed", "env"]
    text = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    pairs = (line.removeprefix("export ").partition("=") for line in text.splitlines() if line)
    return {name: value.strip("'\"") for name, _, value in pairs}


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """A machine on which Docker runs and images come from, with settings of the tests' own."""
    exported = testbed_environment()
    # Socket paths must be short, and pytest's temporary folders are not.
    base = Path("/tmp") / f"devenv-test-{os.getpid()}"
    base.mkdir(mode=0o700, exist_ok=True)
    given = exported.get("DEVENV_SETTINGS")
    values = (yaml.safe_load(Path(given).read_text()) if given else None) or {}
    values.setdefault("cluster", {})["name"] = CLUSTER
    values["registry"] = {**values.get("registry", {}), "name": REGISTRY, "port": REGISTRY_PORT}
    settings = base / "settings.yaml"
    settings.write_text(yaml.safe_dump(values))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = {**os.environ, **exported, **own_folders(base), "DEVENV_SETTINGS": str(settings), "PATH": path}
    return Machine({**env, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}, settings)


@pytest.fixture(scope="session")
def cluster(
    machine: Machine, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The context of the tests' cluster: made by `devenv up` of an empty environment, removed at the end."""
    with (Path(tempfile.gettempdir()) / f"{CLUSTER}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pytest.fail(f"another run of these tests has the cluster {CLUSTER}: wait for its end", pytrace=False)
        yield from _cluster(machine, request, tmp_path_factory)


def _cluster(
    machine: Machine, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    empty = tmp_path_factory.mktemp("empty")
    (empty / "devenv.yaml").write_text("name: empty\nservices: {}\n")
    done = machine.devenv("up", "-d", cwd=empty, timeout=280)
    assert done.code == 0, done.text
    yield f"kind-{CLUSTER}"
    if not request.config.getoption("--keep-cluster"):
        machine.devenv("down", "--volumes", "--cluster", "--yes", cwd=empty)
        shutil.rmtree(Path(machine.env["KUBECONFIG"]).parent, ignore_errors=True)
