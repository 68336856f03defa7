"""In which respects a deployed object differs from the one that is to take its place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from devenv.plan.agent import is_agents
from devenv.plan.engine import NAME as ENGINE
from devenv.plan.marks import FILES, UNIT, Object
from devenv.plan.resources import same_resources
from devenv.plan.secrets import TOKEN
from devenv.sync.places import AGENT, SEEDER


def changes(live: Object, obj: Object) -> list[str]:
    """A word or two for each respect in which an object changes: "image", "environment variables", "replicas" …"""
    if obj["kind"] == "ConfigMap":
        return ["files"]
    if obj["kind"] == "Service":
        return _changed_front(live, obj)
    found = [word for word, part in _PARTS.items() if part(live) != part(obj)]
    if not same_resources(_container(live).get("resources", {}), _container(obj).get("resources", {})):
        found.append("resources")
    return found or [obj["kind"].lower()]


def sentence(words: list[str]) -> str:
    """ "image changed", "image and replicas changed"; what ends a list with its own verb stands as it is."""
    whole = [word for word in words if word.startswith("now ")]
    parts = [word for word in words if word not in whole]
    *first, last = parts or [""]
    listed = f"{', '.join(first)} and {last}" if first else last
    return "; ".join([*whole, *([f"{listed} changed"] if parts else [])])


def _changed_front(live: Object, obj: Object) -> list[str]:
    old, new = (o.get("spec", {}).get("selector", {}).get(UNIT) for o in (live, obj))
    if old != new:
        return ["now a stub" if new == ENGINE else "now real"]
    return ["ports" if _front_ports(live) != _front_ports(obj) else "service"]


def _front_ports(obj: Object) -> list[object]:
    return [(port.get("name"), port.get("port")) for port in obj.get("spec", {}).get("ports", [])]


def _pod(obj: Object) -> Object:
    found = obj.get("spec", {}).get("template", {}).get("spec", {})
    return dict(found)


def _container(obj: Object) -> Object:
    containers = _pod(obj).get("containers") or [{}]
    return dict(containers[0])


def _env(container: Object) -> list[object]:
    # The server leaves an empty value out.
    return [{"value": "", **entry} if "valueFrom" not in entry else entry for entry in container.get("env", [])]


def _steps(obj: Object) -> list[object]:
    steps = [step for step in _pod(obj).get("initContainers", []) if step.get("name") != SEEDER]
    return [(step.get("name"), step.get("image"), step.get("command"), _env(step)) for step in steps]


def _mounts(obj: Object) -> list[object]:
    mounts = [mount for mount in _container(obj).get("volumeMounts", []) if not is_agents(mount.get("name", ""))]
    return [(mount.get("name"), mount.get("mountPath"), mount.get("subPath")) for mount in mounts]


def _agent(obj: Object) -> list[object]:
    volumes = [volume for volume in _pod(obj).get("volumes", []) if is_agents(volume["name"])]
    seeders = [step.get("command") for step in _pod(obj).get("initContainers", []) if step.get("name") == SEEDER]
    programs = [volume.get("configMap", {}).get("name") for volume in volumes]
    return [programs, seeders, _mark(obj, AGENT)]


def _program(obj: Object) -> list[object]:
    return [_container(obj).get("command") or [], _container(obj).get("args") or []]


def _mark(obj: Object, name: str) -> object:
    template = obj.get("spec", {}).get("template", {}).get("metadata", {})
    return template.get("annotations", {}).get(name)


_PARTS: dict[str, Callable[[Object], Any]] = {
    "image": lambda obj: _container(obj).get("image"),
    "environment variables": lambda obj: _env(_container(obj)),
    "command": _program,
    "replicas": lambda obj: obj.get("spec", {}).get("replicas", 1),
    "ports": lambda obj: [port.get("containerPort") for port in _container(obj).get("ports", [])],
    "init steps": _steps,
    "volumes": _mounts,
    "files": lambda obj: _mark(obj, FILES),
    "secret": lambda obj: _mark(obj, TOKEN),
    "agent": _agent,
}
