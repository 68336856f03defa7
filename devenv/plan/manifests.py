"""A service's own manifests: its workload found, its image, environment and command put in, nothing else touched."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import yaml

from devenv import problems
from devenv.config.model import Deploy, Service
from devenv.errors import ConfigError
from devenv.plan.marks import UNIT, Object
from devenv.plan.resources import resources_of

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")


def own_objects(spec: Service, deploy: Deploy, content: bytes, container: Object) -> list[Object]:
    """The objects of a manifest file, the service's container merged with what devenv sets.

    Raises ConfigError manifest-invalid: not YAML, another namespace, no or several workloads that may be meant.
    """
    objects = _parse(spec, deploy, content)
    _refuse_namespaces(spec, objects)
    workload, found = _own_container(spec, deploy, objects)
    _put_image_into_steps(workload, found, container["image"])
    _merge_container(found, container)
    resources = resources_of(spec.running.resources, found.get("resources"))
    found |= {"resources": resources} if resources else {}
    if spec.running.replicas and workload["kind"] != "DaemonSet":
        workload["spec"]["replicas"] = spec.running.replicas
    labels = workload["spec"]["template"].setdefault("metadata", {}).setdefault("labels", {})
    labels[UNIT] = spec.name
    return objects


def container_name(spec: Service, deploy: Deploy, content: bytes) -> str:
    """The name of the service's container in its own manifests. ConfigError manifest-invalid."""
    return str(_own_container(spec, deploy, _parse(spec, deploy, content))[1]["name"])


def _fail(spec: Service, *details: str) -> ConfigError:
    return ConfigError(problems.MANIFEST_INVALID, service=spec.name, details=details)


def _parse(spec: Service, deploy: Deploy, content: bytes) -> list[Object]:
    try:
        documents = [d for d in yaml.safe_load_all(content) if d is not None]
    except yaml.YAMLError as error:
        raise _fail(spec, f"{deploy.path}: {str(error).splitlines()[0]}") from error
    objects: list[Object] = []
    for document in documents:
        items = document.get("items", [document]) if isinstance(document, dict) else [document]
        objects.extend(items if isinstance(items, list) else [items])
    for obj in objects:
        if not (
            isinstance(obj, dict) and obj.get("kind") and obj.get("apiVersion") and obj.get("metadata", {}).get("name")
        ):
            raise _fail(spec, f"{deploy.path}: expected Kubernetes objects with apiVersion, kind and metadata.name")
    return deepcopy(objects)


def _refuse_namespaces(spec: Service, objects: list[Object]) -> None:
    named = [f"{o['kind'].lower()}/{o['metadata']['name']}" for o in objects if o["metadata"].get("namespace")]
    if named:
        raise _fail(spec, f"these objects name a namespace of their own: {', '.join(named)}")


def _containers(objects: list[Object]) -> Iterator[tuple[Object, Object]]:
    for obj in objects:
        if obj["kind"] in WORKLOADS:
            for container in obj.get("spec", {}).get("template", {}).get("spec", {}).get("containers", []):
                yield obj, container


def repository(image: str) -> str:
    """The repository of an image name: without tag and digest ("a:5000/b/c:1@sha256:x" gives "a:5000/b/c")."""
    name = image.split("@", 1)[0]
    head, _, last = name.rpartition("/")
    return f"{head}/{last.split(':', 1)[0]}" if head else last.split(":", 1)[0]


def _own_container(spec: Service, deploy: Deploy, objects: list[Object]) -> tuple[Object, Object]:
    pairs = list(_containers(objects))
    chosen = _narrow(spec, deploy, pairs)
    if len(chosen) == 1:
        return chosen[0]
    names = [f"{w['kind'].lower()}/{w['metadata']['name']} container {c.get('name')}" for w, c in chosen or pairs]
    what = "several workloads may be meant" if chosen else "no workload is the service's"
    raise _fail(spec, f"{what}; candidates: {', '.join(names) or 'none'}")


def _narrow(spec: Service, deploy: Deploy, pairs: list[tuple[Object, Object]]) -> list[tuple[Object, Object]]:
    if deploy.workload:
        kind, _, name = deploy.workload.rpartition("/")
        pairs = [(w, c) for w, c in pairs if w["metadata"]["name"] == name and kind.lower() in ("", w["kind"].lower())]
    else:
        image = repository(spec.image) if spec.image else spec.name
        by_image = [(w, c) for w, c in pairs if repository(str(c.get("image", ""))) == image]
        pairs = by_image or [(w, c) for w, c in pairs if w["metadata"]["name"] == spec.name]
    if deploy.container:
        return [(w, c) for w, c in pairs if c.get("name") == deploy.container]
    return pairs


def _put_image_into_steps(workload: Object, found: Object, image: str) -> None:
    """The service's image for the init containers that name the same one, such as migrations."""
    own = repository(str(found.get("image", "")))
    for step in workload["spec"]["template"]["spec"].get("initContainers", []):
        if repository(str(step.get("image", ""))) == own:
            step["image"] = image


def _merge_container(found: Object, container: Object) -> None:
    found["image"] = container["image"]
    for key in ("command",):
        if key in container:
            found[key] = container[key]
            found.pop("args", None)
    ours: list[dict[str, Any]] = container.get("env", [])
    names = {entry["name"] for entry in ours}
    merged = [entry for entry in found.get("env", []) if entry.get("name") not in names] + ours
    if merged:
        found["env"] = merged
