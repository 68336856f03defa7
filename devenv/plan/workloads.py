"""Deployments, Services, volume claims and config maps as JSON values."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devenv import problems
from devenv.config.model import ContainerStep, Dependency, Real, Running, Service, Volume
from devenv.errors import ConfigError
from devenv.plan.marks import FILES, UNIT, Object, content_hash
from devenv.plan.resources import resources_of

CONFIG_MAP_LIMIT = 1024 * 1024
_SHOWN = 5


GRACE_SECONDS = 10
"""As with docker compose: a program that does not care about TERM holds nobody up for Kubernetes' half a minute."""


def deployment(
    name: str,
    pod: Object,
    *,
    recreate: bool = False,
    annotations: Mapping[str, str] | None = None,
    replicas: int | None = None,
) -> Object:
    """A Deployment (of one replica, unless told) whose pods carry the unit's label and end within GRACE_SECONDS."""
    strategy: Object = {"type": "Recreate"} if recreate else {"type": "RollingUpdate"}
    # Without the variables that Kubernetes makes of each Service: REDIS_PORT=tcp://... is taken for a setting.
    spec = {"terminationGracePeriodSeconds": GRACE_SECONDS, "enableServiceLinks": False, **pod}
    template: Object = {"metadata": {"labels": {UNIT: name}}, "spec": spec}
    if annotations:
        template["metadata"]["annotations"] = dict(annotations)
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas or 1,
            "strategy": strategy,
            "selector": {"matchLabels": {UNIT: name}},
            "template": template,
        },
    }


def service(name: str, ports: Mapping[str, int], *, unit: str | None = None, to: int | None = None) -> Object:
    """A Service in front of the pods of `unit` (default: those of its own name); `to` is their port if another."""
    listed = [{"name": label, "port": port, "targetPort": to or port} for label, port in ports.items()]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": {UNIT: unit or name}, "ports": listed},
    }


def claim(name: str, size: str) -> Object:
    """A volume claim of the cluster's default storage class."""
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": spec}


def config_map(name: str, files: Mapping[str, bytes]) -> Object:
    """A ConfigMap of files; ConfigError files-too-large beyond what the API takes."""
    size = sum(len(content) for content in files.values())
    if size > CONFIG_MAP_LIMIT:
        largest = sorted(files, key=lambda key: -len(files[key]))[:_SHOWN]
        details = [f"{key}: {len(files[key]) / 1048576:.2f} MiB" for key in largest]
        raise ConfigError(problems.FILES_TOO_LARGE, details=details, name=name, size=f"{size / 1048576:.1f} MiB")
    obj: Object = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}
    for key, content in sorted(files.items()):
        try:
            obj.setdefault("data", {})[key] = content.decode()
        except UnicodeDecodeError:
            obj.setdefault("binaryData", {})[key] = base64.b64encode(content).decode()
    return obj


def environment_list(env: Mapping[str, str]) -> list[dict[str, str]]:
    """Environment variables as a container lists them."""
    return [{"name": key, "value": value} for key, value in env.items()]


def port_list(ports: Mapping[str, int]) -> list[dict[str, Any]]:
    """Ports as a container lists them."""
    return [{"name": name, "containerPort": port} for name, port in ports.items()]


def readiness(ports: Mapping[str, int], command: Sequence[str] = ()) -> Object | None:
    """The readiness probe: the command if there is one, else the first port, else none."""
    timing = {"periodSeconds": 1, "timeoutSeconds": 3, "failureThreshold": 3}
    if command:
        return {"exec": {"command": list(command)}, **timing}
    if ports:
        return {"tcpSocket": {"port": next(iter(ports.values()))}, **timing}
    return None


def service_container(spec: Service, image: str, command: Sequence[str]) -> Object:
    """The container of a service that devenv deploys; `command` (may be empty) replaces what the image starts."""
    container: Object = {"name": spec.name, "image": image, "imagePullPolicy": "IfNotPresent"}
    if command:
        container["command"] = list(command)
    if spec.env:
        container["env"] = environment_list(spec.env)
    if spec.ports:
        container["ports"] = port_list(spec.ports)
        container["readinessProbe"] = readiness(spec.ports)
    return _with_resources(container, spec.running)


def real_container(name: str, real: Real) -> Object:
    """The container of a dependency that runs for real, without what is mounted into it."""
    container: Object = {"name": name, "image": real.image, "imagePullPolicy": "IfNotPresent"}
    container |= {"command": list(real.command)} if real.command else {}
    container |= {"args": list(real.args)} if real.args else {}
    container |= {"env": environment_list(real.env)} if real.env else {}
    container |= {"ports": port_list(real.ports)} if real.ports else {}
    probe = readiness(real.ports, real.ready)
    container |= {"readinessProbe": probe} if probe else {}
    return _with_resources(container, real.running)


def _with_resources(container: Object, running: Running) -> Object:
    resources = resources_of(running.resources)
    return {**container, "resources": resources} if resources else container


def step_container(step: ContainerStep, own: Object, mounts: Sequence[Object]) -> Object:
    """The container of an init step or a seed: that of its unit (`own`) with another command, and what it adds."""
    names = {entry["name"] for entry in own.get("env", []) if entry["name"] not in step.env}
    env = [entry for entry in own.get("env", []) if entry["name"] in names] + environment_list(step.env)
    container: Object = {"name": step.name, "image": step.image or own["image"], "imagePullPolicy": "IfNotPresent"}
    container |= {"command": list(step.command)}
    container |= {"env": env} if env else {}
    return {**container, "volumeMounts": list(mounts)} if mounts else container


def service_objects(spec: Service, container: Object) -> list[Object]:
    """A service without manifests of its own: claims, a Deployment, a Service."""
    storage = storage_of(spec.name, spec.volumes)
    pod = _pod(container, storage, spec.running)
    workload = deployment(spec.name, pod, recreate=bool(storage.claims), replicas=spec.running.replicas)
    objects = [*storage.claims, workload]
    return [*objects, service(spec.name, spec.ports)] if spec.ports else objects


def real_objects(dependency: Dependency, real: Real, files: Mapping[Path, bytes]) -> list[Object]:
    """Everything that a dependency needs to run for real: claims, config maps, a Deployment, a Service."""
    name = dependency.name
    storage = storage_of(name, real.volumes, real.files, files)
    pod = _pod(real_container(name, real), storage, real.running)
    marks = {FILES: content_hash(storage.maps)} if storage.maps else None
    workload = deployment(name, pod, recreate=bool(storage.claims), annotations=marks, replicas=real.running.replicas)
    objects = [*storage.claims, *storage.maps, workload]
    return [*objects, service(name, real.ports)] if real.ports else objects


def _pod(container: Object, storage: Storage, running: Running) -> Object:
    if storage.mounts:
        container = {**container, "volumeMounts": storage.mounts}
    steps = [step_container(step, container, storage.mounts) for step in running.init]
    pod: Object = {"initContainers": steps} if steps else {}
    return {**pod, "containers": [container], **({"volumes": storage.volumes} if storage.volumes else {})}


@dataclass(frozen=True, slots=True)
class Storage:
    """What a unit's pods mount: claims and config maps, and how a container and a pod refer to them."""

    claims: list[Object]
    maps: list[Object]
    mounts: list[Object]
    volumes: list[Object]


def storage_of(
    name: str,
    given: Mapping[str, Volume],
    files: Mapping[str, Sequence[Path]] | None = None,
    contents: Mapping[Path, bytes] | None = None,
) -> Storage:
    """The storage of a unit: its volumes, and local files by the folder that they are mounted at.

    ConfigError files-too-large.
    """
    storage = Storage([], [], [], [])
    for key, volume in given.items():
        storage.claims.append(claim(f"{name}-{key}", volume.size))
        storage.mounts.append({"name": key, "mountPath": volume.path})
        storage.volumes.append({"name": key, "persistentVolumeClaim": {"claimName": f"{name}-{key}"}})
    for index, (folder, paths) in enumerate((files or {}).items()):
        if not paths:
            continue
        label, keys, known = f"files-{index}", file_keys(paths), contents or {}
        mounted = {key: known[path] for key, path in zip(keys, paths, strict=True)}
        storage.maps.append(config_map(f"{name}-{label}", mounted))
        # One by one, so that the image's own files in that folder stay.
        places = {key: f"{folder.rstrip('/')}/{key}" for key in keys}
        storage.mounts.extend({"name": label, "mountPath": place, "subPath": key} for key, place in places.items())
        storage.volumes.append({"name": label, "configMap": {"name": f"{name}-{label}"}})
    return storage


def file_keys(paths: Sequence[Path]) -> list[str]:
    """The names of mounted files; a number in front where their names are not in order, as init folders run by name."""
    names = [path.name for path in paths]
    return names if names == sorted(set(names)) else [f"{index:02d}-{name}" for index, name in enumerate(names)]
