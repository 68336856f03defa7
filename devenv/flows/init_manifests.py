"""Manifests that a project has, proposed as a service's own where `devenv up` takes them as they stand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from devenv.config.model import Deploy, Origin
from devenv.config.model import Service as Spec
from devenv.errors import ConfigError
from devenv.plan.manifests import own_objects
from devenv.scan.manifests import Manifest, chart_notes, find_manifests
from devenv.scan.project import Project
from devenv.scan.proposal import Note, Proposal, Service


def with_manifests(proposal: Proposal, project: Project) -> Proposal:
    """The proposal with `deploy` for services with one file that can be used; the others are told with what to do."""
    found = find_manifests(project, proposal.services)
    notes = [*proposal.notes, *chart_notes(project)]
    services = []
    for service in proposal.services:
        mine = [manifest for manifest in found if manifest.service == service.name]
        others = {manifest.path for manifest in found if manifest.service != service.name}
        services.append(_deployed(service, mine, others, project, notes))
    return replace(proposal, services=tuple(services), notes=tuple(notes))


def _deployed(service: Service, mine: list[Manifest], others: set[str], project: Project, notes: list[Note]) -> Service:
    if len(mine) > 1:
        files = ", ".join(manifest.place for manifest in mine)
        text = f"{service.name} has several manifests ({files}), so objects are generated: name one under deploy: path"
        notes.append(Note(mine[0].place, text))
        return service
    for manifest in mine:
        shared = "other services use it too: give each a file of its own" if manifest.path in others else ""
        deploy = {} if manifest.reason or shared else _accepted(service, manifest, project.texts[manifest.path])
        if deploy:
            return _without_volumes(replace(service, deploy=deploy), manifest, notes)
        reason = manifest.reason or shared or "which container is the service's is unclear: name it under deploy"
        text = f"{manifest.workload} could be {service.name}'s own (deploy: {{path: {manifest.path}}}), but {reason}"
        notes.append(Note(manifest.place, text))
    return service


def _without_volumes(service: Service, manifest: Manifest, notes: list[Note]) -> Service:
    if service.volumes:
        text = f"{service.name}: the volumes {', '.join(service.volumes)} are not carried over"
        notes.append(Note(manifest.place, f"{text}: they belong into {manifest.path}"))
    return replace(service, volumes={})


def _accepted(service: Service, manifest: Manifest, text: str) -> dict[str, str]:
    """The shortest `deploy` with which the plan finds just that container; none where it refuses the file."""
    given = {"path": manifest.path, "workload": manifest.workload, "container": manifest.container}
    for count in (1, 2, 3):
        deploy = dict(list(given.items())[:count])
        if manifest.container and _takes(service, deploy, manifest.container, text):
            return deploy
    return {}


def _takes(service: Service, deploy: dict[str, str], container: str, text: str) -> bool:
    origin = Origin(Path(deploy["path"]), 1, 1)
    image = service.image or None
    spec = Spec(service.name, None, image, {}, {}, None, (), None, (), (), origin)
    own = Deploy(Path(deploy["path"]), deploy.get("workload"), deploy.get("container"))
    marked = {"image": "devenv/chosen:1", "env": []}
    try:
        objects = own_objects(spec, own, text.encode(), marked)
        chosen = [
            found["name"]
            for value in objects
            for found in value.get("spec", {}).get("template", {}).get("spec", {}).get("containers", [])
            if found.get("image") == marked["image"]
        ]
    except (ConfigError, AttributeError, KeyError, TypeError, ValueError, RecursionError):
        # A shape that is not Kubernetes' own.
        return False
    return chosen == [container]
