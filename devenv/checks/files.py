"""The user's files: settings, devenv.yaml, kubeconfig, Docker's logins."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import yaml

from devenv.checks.check import Check, Scene, Verdict, fail, of_error, ok, skipped, warn
from devenv.errors import DevenvError

LOCAL_FILE = "devenv.local.yaml"


def settings(scene: Scene) -> Verdict:
    """The settings of this machine can be read."""
    if scene.settings_error:
        return _unreadable(scene.settings_error, "")
    there = scene.files.look(scene.settings.file) is not None
    return ok(str(scene.settings.file) if there else f"no {scene.settings.file}; defaults")


def configuration(scene: Scene) -> Verdict:
    """devenv.yaml and its profile are valid."""
    error = scene.environment_error
    if scene.environment:
        return ok(f"{scene.environment.name}: {scene.environment.root / 'devenv.yaml'}")
    if error is None or (isinstance(error, DevenvError) and error.code == "config-missing"):
        return skipped("no devenv.yaml here or above")
    invalid = isinstance(error, DevenvError) and error.code == "config-invalid"
    return _unreadable(error, "devenv config validate lists every fault with its place" if invalid else "")


def _unreadable(error: Exception, cure: str) -> Verdict:
    if not isinstance(error, DevenvError):
        raise error
    verdict = of_error(error, cure=cure)
    first = f"; first: {error.details[0]}" if error.details else ""
    return Verdict("fail", f"{verdict.text}{first}", verdict.cause, verdict.cure, verdict.code)


def local_file(scene: Scene) -> Verdict:
    """devenv.local.yaml, one user's own, is not on its way into git."""
    if scene.files.look(scene.root / LOCAL_FILE) is None:
        return skipped(f"no {LOCAL_FILE}")
    if scene.commands.find("git") is None:
        return skipped("no git")
    in_folder = ("git", "-C", str(scene.root))
    tracked, _ = scene.run(*in_folder, "ls-files", "--error-unmatch", LOCAL_FILE)
    ignored, _ = scene.run(*in_folder, "check-ignore", "--quiet", LOCAL_FILE)
    cause = f"{LOCAL_FILE} is for one user's own choices; in git, they become everybody's."
    if tracked == 0:
        return warn(f"{LOCAL_FILE} is in git", cause, f"git rm --cached {LOCAL_FILE}, and add it to .gitignore")
    if ignored == 1:
        return warn(f"git would commit {LOCAL_FILE}", cause, f"echo {LOCAL_FILE} >> .gitignore")
    return ok("git leaves it alone")


# --- kubeconfig --------------------------------------------------------------------------------------------------
def kubeconfig(scene: Scene) -> Verdict:
    """The kubeconfig files can be read and written, are private, and their current context exists."""
    given = [Path(part) for part in scene.machine.environ.get("KUBECONFIG", "").split(os.pathsep) if part]
    paths = [path for path in given or [scene.machine.home / ".kube" / "config"] if scene.files.look(path)]
    if not paths:
        return ok("none yet; the cluster's creation writes it")
    documents = []
    for path in paths:
        verdict, document = _kubeconfig_file(scene, path)
        if verdict:
            return verdict
        documents.append(document)
    return _current_context(documents) or _permissions(scene, paths) or ok(", ".join(map(str, paths)))


def _kubeconfig_file(scene: Scene, path: Path) -> tuple[Verdict | None, dict[str, Any]]:
    facts = scene.files.look(path)
    if facts and not facts.writable:
        cause = "The cluster's access is written there; a file of another user often comes from a command with sudo."
        text = f"{path} can't be written; it belongs to user {facts.owner}"
        return fail(text, cause, f"sudo chown $(id -u):$(id -g) {path}"), {}
    try:
        document = yaml.safe_load(scene.files.read(path) or "") or {}
    except (OSError, ValueError, yaml.YAMLError) as error:
        document = f"is not valid: {str(error).splitlines()[0]}"
    if isinstance(document, dict):
        return None, document
    why = document if isinstance(document, str) and document.startswith("is not") else "is not a mapping"
    cause = "No program that talks to a cluster can read this file."
    return fail(f"{path} {why}", cause, "correct it, or move it away: the cluster's creation writes a new one"), {}


def _current_context(documents: list[dict[str, Any]]) -> Verdict | None:
    current = next((doc["current-context"] for doc in documents if doc.get("current-context")), None)
    lists = [doc["contexts"] for doc in documents if isinstance(doc.get("contexts"), list)]
    names = [entry.get("name") for entries in lists for entry in entries if isinstance(entry, dict)]
    if current is None or current in names:
        return None
    cause = "kubectl's current context is the name of a cluster that is gone. devenv itself never follows it."
    return warn(f"the current context {current} does not exist", cause, "kubectl config use-context NAME")


def _permissions(scene: Scene, paths: list[Path]) -> Verdict | None:
    facts = {path: scene.files.look(path) for path in paths}
    foreign = [path for path, found in facts.items() if found and found.owner != scene.machine.uid]
    open_ones = [path for path, found in facts.items() if found and found.mode & 0o077 and path not in foreign]
    if foreign and scene.machine.uid != 0:
        cause = "The file belongs to another user, who may change it under you."
        return warn(f"{foreign[0]} is another user's", cause, f"sudo chown $(id -u):$(id -g) {foreign[0]}")
    if not open_ones:
        return None
    cause = "A kubeconfig holds keys with which its clusters are administered; other users of this machine can read it."
    fixes = tuple(("chmod", "600", str(path)) for path in open_ones)
    return warn(f"others can read {open_ones[0]}", cause, f"chmod 600 {open_ones[0]}", fixes=fixes)


# --- logins ------------------------------------------------------------------------------------------------------
def registry_credentials(scene: Scene) -> Verdict:
    """Docker's configuration can be read, and the credential helpers it names are there."""
    folder = scene.machine.environ.get("DOCKER_CONFIG")
    path = (Path(folder) if folder else scene.machine.home / ".docker") / "config.json"
    why = "expected a mapping"
    try:
        text = scene.files.read(path)
        document = None if text is None else json.loads(text or "{}")
    except (OSError, ValueError) as error:
        text, document, why = "", None, str(error)
    if text is None:
        return ok(f"no {path}; images are pulled without a login")
    if isinstance(document, dict):
        return _credential_helpers(scene, path, document)
    cause = "Neither docker nor devenv can read its logins."
    return fail(f"{path} is not valid: {why}", cause, "correct that file, or move it away and log in again")


def _credential_helpers(scene: Scene, path: Path, document: dict[str, Any]) -> Verdict:
    per_registry = document.get("credHelpers")
    named = {document.get("credsStore"), *(per_registry.values() if isinstance(per_registry, dict) else ())}
    helpers = [f"docker-credential-{name}" for name in sorted(name for name in named if isinstance(name, str) and name)]
    missing = [helper for helper in helpers if scene.commands.find(helper) is None]
    if missing:
        cause = f"{path} says that logins are kept by a program, and it is not on PATH: every pull fails."
        cure = f"install {missing[0]}, or take credsStore and credHelpers out of {path}"
        return fail(f"{', '.join(missing)} not found", cause, cure)
    auths = document.get("auths")
    logins = len(auths) if isinstance(auths, dict) else 0
    text = "1 login" if logins == 1 else f"{logins} logins"
    return ok(f"{text}, kept by {', '.join(helpers)}" if helpers else text)


CHECKS = (
    Check("settings", "The settings of this machine are valid", "Files", settings),
    Check("configuration", "devenv.yaml and its profile are valid", "Files", configuration),
    Check("local-file", "devenv.local.yaml stays out of git", "Files", local_file),
    Check("kubeconfig", "The kubeconfig is sane", "Files", kubeconfig),
    Check("registry-credentials", "Docker's logins can be used", "Files", registry_credentials),
)
