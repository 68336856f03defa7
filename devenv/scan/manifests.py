"""Kubernetes manifests and Helm charts of a project: said to be there, as own manifests are chosen by hand."""

from __future__ import annotations

import posixpath

from devenv.scan.project import Project
from devenv.scan.proposal import Note
from devenv.scan.yamltext import Unreadable, child, items_of, read_documents, text_at

_WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")


def cluster_notes(project: Project, services: tuple[str, ...]) -> list[Note]:
    """What a project has for Kubernetes, with how a service would use it."""
    charts = {posixpath.dirname(path) for path in project.paths if posixpath.basename(path) == "Chart.yaml"}
    notes = [
        Note(posixpath.join(chart, "Chart.yaml"), "Helm charts are not used yet: objects are generated instead")
        for chart in sorted(charts)
    ]
    for path in sorted(project.texts):
        if path.endswith((".yaml", ".yml")) and not any(_is_below(path, chart) for chart in charts):
            notes += _workload_notes(project, path, services)
    return notes


def _is_below(path: str, folder: str) -> bool:
    return not folder or path.startswith(f"{folder}/")


def _workload_notes(project: Project, path: str, services: tuple[str, ...]) -> list[Note]:
    text = project.texts[path]
    if "apiVersion" not in text or "kind" not in text:
        return []
    try:
        documents = read_documents(text, path)
    except Unreadable:
        return []
    notes = []
    for document in documents:
        kind, name = text_at(child(document, "kind")), text_at(child(document, "metadata", "name"))
        images = [
            text_at(child(container, "image")).rpartition("/")[2].partition(":")[0]
            for container in items_of(child(document, "spec", "template", "spec", "containers"))
        ]
        owner = next((service for service in services if service == name or service in images), "")
        if kind in _WORKLOADS and owner:
            said = f"{owner} can use {kind.lower()}/{name} instead of generated objects: deploy: {{path: {path}}}"
            notes.append(Note(f"{path}:{document.origin.line}", said))
    return notes
