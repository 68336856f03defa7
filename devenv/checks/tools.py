"""Programs: kind, which is needed, and those that are handy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from devenv import problems
from devenv.checks.check import Argv, Check, Scene, Verdict, fail, fail_as, of_error, ok, skipped, warn
from devenv.checks.docker import numbers
from devenv.errors import DevenvError

KIND_TO_INSTALL = "v0.33.0"
OLDEST_KIND = (0, 20)
OLDEST_GO = (1, 24)
"""No older Go was tried."""


def kind(scene: Scene) -> Verdict:
    """kind, where the settings ask for a kind cluster."""
    if scene.settings.provider != "kind":
        return skipped(f"the settings ask for {scene.settings.provider}")
    if scene.commands.find("kind") is None:
        return _missing(scene)
    code, output = scene.run("kind", "version")
    if code:
        cause = "The file is there, but does not do what kind does."
        return fail(f"kind version ends with code {code}", cause, "install it anew", fixes=_installing(scene))
    shown = " ".join(output.split()[1:2]) or "an unknown version"
    if numbers(shown) < OLDEST_KIND:
        oldest = ".".join(map(str, OLDEST_KIND))
        return warn(f"{shown} is old", f"devenv is tested with kind {oldest} and later.", "upgrade kind")
    return ok(f"{shown} at {scene.commands.find('kind')}")


def _missing(scene: Scene) -> Verdict:
    named = scene.settings.tools.get("kind")
    if named and not _will_be_installed_at(scene, Path(named)):
        cure = f"correct tools: in {scene.settings.file}; kind itself: go install sigs.k8s.io/kind@{KIND_TO_INSTALL}"
        return fail_as(problems.KIND_MISSING, cure=cure, text=f"the settings name {named}, where no program is")
    built = _go_bin(scene) / "kind"
    if not named and scene.files.look(built):
        cure = f'export PATH="$PATH:{built.parent}", or name it in the settings: tools: {{kind: {built}}}'
        return fail_as(problems.KIND_MISSING, cure=cure, text=f"{built} is there, but its folder is not on PATH")
    return fail_as(problems.KIND_MISSING, fixes=_installing(scene))


def _installing(scene: Scene) -> tuple[Argv, ...]:
    if _has_go(scene):
        return (("go", "install", f"sigs.k8s.io/kind@{KIND_TO_INSTALL}"),)
    return (("brew", "install", "kind"),) if scene.commands.find("brew") else ()


def _has_go(scene: Scene) -> bool:
    """Whether there is a Go to install kind with."""
    if scene.commands.find("go") is None:
        return False
    # Looking writes and fetches nothing: Go would count its runs in the user's folder, and may fetch another Go that
    # the folder's go.mod asks for.
    counts = "HOME" if scene.machine.system == "darwin" else "XDG_CONFIG_HOME"
    code, output = scene.run("go", "version", GOTOOLCHAIN="local", **{counts: "/dev/null"})
    return code == 0 and numbers(output) >= OLDEST_GO


def _go_bin(scene: Scene) -> Path:
    """Where `go install` puts programs."""
    environ = scene.machine.environ
    if environ.get("GOBIN"):
        return Path(environ["GOBIN"])
    return Path(environ.get("GOPATH", "").partition(":")[0] or scene.machine.home / "go") / "bin"


def _will_be_installed_at(scene: Scene, path: Path) -> bool:
    return path == _go_bin(scene) / "kind" and _has_go(scene)


def handy(tool: str, *arguments: str) -> Callable[[Scene], Verdict]:
    """A program that devenv does not need: its version where it is there."""

    def look(scene: Scene) -> Verdict:
        if scene.commands.find(tool) is None:
            return skipped("not installed; devenv does not need it")
        try:
            code, output = scene.run(tool, *arguments)
        except DevenvError as error:
            return of_error(error)
        first = next((line for line in output.splitlines() if line.strip()), "")
        if code:
            cause = f"{tool} is there, and ends with code {code} when asked for its version."
            return warn(first or f"ends with code {code}", cause, f"install {tool} anew, or leave it")
        return ok(first.removeprefix("Client Version: "))

    return look


CHECKS = (
    Check("kind", "kind is there, to make clusters with", "Programs", kind),
    Check("kubectl", "kubectl, to look around", "Programs", handy("kubectl", "version", "--client")),
    Check("helm", "helm", "Programs", handy("helm", "version", "--short")),
    Check("minikube", "minikube", "Programs", handy("minikube", "version", "--short")),
)
