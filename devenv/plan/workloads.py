"""Deployments, Services, volume claims and config maps as JSON values."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from devenv import problems
from devenv.config.model import Dependency, Real, Service
from devenv.errors import ConfigError
from devenv.plan.marks import UNIT, Object, content_hash

CONFIG_MAP_LIMIT = 1024 * 1024


GRACE_SECONDS = 10
"""As with docker compose: a program that does not care about TERM holds nobody up for Kubernetes' half a minute."""


def deployment(
    name: str, pod: Object, *, recreate: bool = False, annotations: Mapping[str, str] | None = None
) -> Object:
    """A Deployment of one replica whose pods carry the unit's label and end within GRACE_SECONDS."""
    strategy: Object = {"type": "Recreate"} if recreate else {"type": "RollingUpdate"}
    template: Object = {
        "metadata": {"labels": {UNIT: name}},
        "spec": {"terminationGracePeriodSeconds": GRACE_SECONDS, **pod},
    }
    if annotations:
        template["metadata"]["annotations"] = dict(annotations)
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": 1,
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
        raise ConfigError(problems.FILES_TOO_LARGE, name=name, size=f"{size / 1048576:.1f} MiB")
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
    return container


def real_objects(dependency: Dependency, real: Real, files: Mapping[Path, bytes]) -> list[Object]:
    """Everything that a dependency needs to run for real: claims, config maps, a Deployment, a Service."""
    name = dependency.name
    container: Object = {"name": name, "image": real.image, "imagePullPolicy": "IfNotPresent"}
    container |= {"command": list(real.command)} if real.command else {}
    container |= {"args": list(real.args)} if real.args else {}
    container |= {"env": environment_list(real.env)} if real.env else {}
    container |= {"ports": port_list(real.ports)} if real.ports else {}
    probe = readiness(real.ports, real.ready)
    container |= {"readinessProbe": probe} if probe else {}
    claims, maps, mounts, volumes = _storage(name, real, files)
    if mounts:
        container["volumeMounts"] = mounts
    pod: Object = {"containers": [container], **({"volumes": volumes} if volumes else {})}
    marks = {"dev.devenv/files": content_hash(maps)} if maps else None
    objects = [*claims, *maps, deployment(name, pod, recreate=bool(claims), annotations=marks)]
    return [*objects, service(name, real.ports)] if real.ports else objects


def _storage(
    name: str, real: Real, files: Mapping[Path, bytes]
) -> tuple[list[Object], list[Object], list[Object], list[Object]]:
    claims, maps, mounts, volumes = [], [], [], []
    for key, volume in real.volumes.items():
        claims.append(claim(f"{name}-{key}", volume.size))
        mounts.append({"name": key, "mountPath": volume.path})
        volumes.append({"name": key, "persistentVolumeClaim": {"claimName": f"{name}-{key}"}})
    for index, (folder, paths) in enumerate(real.files.items()):
        if not paths:
            continue
        label = f"files-{index}"
        maps.append(config_map(f"{name}-{label}", {file_key(n, p, len(paths)): files[p] for n, p in enumerate(paths)}))
        mounts.append({"name": label, "mountPath": folder})
        volumes.append({"name": label, "configMap": {"name": f"{name}-{label}"}})
    return claims, maps, mounts, volumes


def file_key(index: int, path: Path, count: int) -> str:
    """The name of a mounted file; several keep their order by a number in front, as init folders run by name."""
    return path.name if count == 1 else f"{index:02d}-{path.name}"
