"""Kubernetes manifests of a project: which file is whose, and why one can't be a service's own as it stands."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from devenv.config.source import Map, plain_value
from devenv.scan.kinds import repository_of
from devenv.scan.project import Project
from devenv.scan.proposal import Note, Service
from devenv.scan.sources import goes_into_system
from devenv.scan.yamltext import Unreadable, read_documents

_WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")
_BESIDE = frozenset(
    {"Service", "ConfigMap", "Secret", "PersistentVolumeClaim", "ServiceAccount", "HorizontalPodAutoscaler",
     "PodDisruptionBudget", "NetworkPolicy", "Ingress"}
)  # fmt: skip
_NAMED_BY = {
    "configMap": ("ConfigMap", "name"), "configMapRef": ("ConfigMap", "name"), "configMapKeyRef": ("ConfigMap", "name"),
    "secretRef": ("Secret", "name"), "secretKeyRef": ("Secret", "name"), "secret": ("Secret", "secretName"),
    "persistentVolumeClaim": ("PersistentVolumeClaim", "claimName"),
}  # fmt: skip
_UNWRITABLE = re.compile(r"readOnlyRootFilesystem:\s*true|runAsNonRoot:\s*true|runAsUser:\s*[1-9]")


@dataclass(frozen=True, slots=True)
class Manifest:
    """A workload of a service in a file: `reason` says why the file can't be used as it stands ("": it can)."""

    service: str
    path: str
    line: int
    workload: str
    container: str
    reason: str

    @property
    def place(self) -> str:
        """Where it begins."""
        return f"{self.path}:{self.line}"


def chart_notes(project: Project) -> list[Note]:
    """The Helm charts of a project."""
    text = "Helm charts are not used yet: objects are generated instead"
    return [Note(posixpath.join(chart, "Chart.yaml"), text) for chart in sorted(_charts(project))]


def _charts(project: Project) -> set[str]:
    return {posixpath.dirname(path) for path in project.paths if posixpath.basename(path) == "Chart.yaml"}


def find_manifests(project: Project, services: Sequence[Service]) -> list[Manifest]:
    """The workloads of all files outside charts that are a service's: by name, or by the image of a container."""
    charts = _charts(project)
    found: list[Manifest] = []
    for path in sorted(project.texts):
        in_chart = any(not chart or path.startswith(f"{chart}/") for chart in charts)
        if path.endswith((".yaml", ".yml")) and not in_chart:
            objects = _objects(project.texts[path], path)
            found += [manifest for service in services for manifest in _of(service, project, path, objects)]
    return found


def _objects(text: str, path: str) -> list[tuple[int, dict[str, Any]]]:
    """The objects of a file with their lines; none where it is something else."""
    if "apiVersion" not in text or "kind" not in text:
        return []
    try:
        documents = read_documents(text, path)
    except Unreadable:
        return []
    plain = [(document.origin.line, plain_value(document)) for document in documents if isinstance(document, Map)]
    return [(line, value) for line, value in plain if isinstance(value, dict)]


def _of(service: Service, project: Project, path: str, objects: list[tuple[int, dict[str, Any]]]) -> Iterator[Manifest]:
    plain = [value for _, value in objects]
    for line, value in objects:
        if value.get("kind") not in _WORKLOADS:
            continue
        name = str(_at(value, "metadata", "name") or "")
        container = _container(service, name, value)
        if container is not None:
            workload = f"{str(value['kind']).lower()}/{name}"
            reason = _reason(service, project, path, plain)
            yield Manifest(service.name, path, line, workload, container, reason)


def _container(service: Service, name: str, workload: dict[str, Any]) -> str | None:
    """The name of the service's container: by image, else the only one, or the one named like it ("": unclear)."""
    containers = [c for c in _list(_at(workload, "spec", "template", "spec", "containers")) if isinstance(c, dict)]
    image = repository_of(service.image) if service.image else service.name
    same = [c for c in containers if repository_of(str(c.get("image", ""))) == image]
    if not same and name != service.name:
        return None
    chosen = same or [c for c in containers if len(containers) == 1 or c.get("name") == service.name]
    return str(chosen[0].get("name", "")) if len(chosen) == 1 else ""


def _reason(service: Service, project: Project, path: str, objects: list[dict[str, Any]]) -> str:
    text, folder = project.texts[path], posixpath.dirname(path)
    kinds = [str(value.get("kind")) for value in objects]
    named = [(kind, _at(value, "metadata", "name")) for kind, value in zip(kinds, objects, strict=True)]
    strange = [kind for kind in kinds if kind not in (*_WORKLOADS, *_BESIDE)]
    missing = [f"{kind}/{name}" for kind, name in _references(objects) if (kind, name) not in named]
    kustomized = [
        name for name in ("kustomization.yaml", "kustomization.yml") if posixpath.join(folder, name) in project.paths
    ]
    if "{{" in text or "${" in text:
        return "it is a template: write what it becomes into a file"
    if kustomized:
        return f"{kustomized[0]} beside it is not applied: write what kustomize build gives into a file"
    if any(_at(value, "metadata", "namespace") for value in objects):
        return "it sets metadata.namespace, which is the environment's to choose: take that out"
    if sum(kind in _WORKLOADS for kind in kinds) != 1 or strange:
        more = f" ({', '.join(sorted(set(strange)))})" if strange else ""
        return f"it has more than this service's objects{more}: put these into a file of their own"
    if missing:
        return f"it needs {', '.join(dict.fromkeys(missing))}, which is not in that file: add it"
    if service.ports and ("Service", service.name) not in named:
        return f"there is no Service {service.name} in that file, so nobody reaches it: add it"
    if any(goes_into_system(project, rule) for rule in service.sync) and _UNWRITABLE.search(text):
        return "sync can't write into system folders with that securityContext: leave it out locally"
    return ""


def _references(value: Any) -> Iterator[tuple[str, Any]]:
    """The kind and name of each object that pods need before they start."""
    if isinstance(value, list):
        for item in value:
            yield from _references(item)
    if not isinstance(value, dict):
        return
    for key, inner in value.items():
        kind, field = _NAMED_BY.get(str(key), ("", ""))
        if kind and isinstance(inner, dict) and inner.get(field) and inner.get("optional") is not True:
            yield kind, inner[field]
        elif key == "serviceAccountName" and inner != "default":
            yield "ServiceAccount", inner
        yield from _references(inner)


def _at(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
