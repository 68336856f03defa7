"""A unit's secrets in the cluster: one Secret, named by the containers' variables.

Nothing outside that Secret tells of a value. What makes pods start anew when one changes is a token: random, and new
whenever the values in the cluster differ from those wanted. A digest of a value, even a salted one, could be guessed
against; a random token can't.
"""

from __future__ import annotations

import base64
from collections.abc import Collection, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from devenv.plan.marks import UNIT, Object

TOKEN = "dev.devenv/secrets"
"""An annotation of the Secret and of the pods that read it."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """The secrets of one unit by variable, and the token that stands for them."""

    values: Mapping[str, str] = field(repr=False)
    token: str


def secret_name(unit: str) -> str:
    """The name of a unit's Secret."""
    return f"{unit}-devenv-secrets"


def token_of(live: Object | None, values: Mapping[str, str]) -> str | None:
    """The token of the unit's Secret in the cluster, or None where it holds other values."""
    if live is None or live.get("data") != _data(values):
        return None
    found = live["metadata"].get("annotations", {}).get(TOKEN)
    return found if isinstance(found, str) else None


def seal(objects: list[Object], unit: str, sealed: Sealed, *, container: str | None = None) -> list[Object]:
    """The unit's objects with its Secret (still empty: `fill` comes after stamping) in front of them.

    The variables are given to `container` of the unit's workloads, or to all of their containers.
    """
    metadata = {"name": secret_name(unit), "annotations": {TOKEN: sealed.token}}
    secret: Object = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque"}
    changed = deepcopy(objects)
    for template in _templates(changed, unit):
        template["metadata"].setdefault("annotations", {})[TOKEN] = sealed.token
        for found in _containers(template, container):
            found.update(refer(found, unit, sealed.values))
    return [secret, *changed]


def fill(obj: Object, unit: str, sealed: Sealed) -> Object:
    """The unit's Secret with its values; every other object as it is."""
    if obj["kind"] != "Secret" or obj["metadata"]["name"] != secret_name(unit):
        return obj
    return {**obj, "data": _data(sealed.values)}


def _data(values: Mapping[str, str]) -> dict[str, str]:
    return {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}


def _templates(objects: list[Object], unit: str) -> Iterator[Any]:
    for obj in objects:
        template = obj.get("spec", {}).get("template")
        if isinstance(template, dict) and template.get("metadata", {}).get("labels", {}).get(UNIT) == unit:
            yield template


def _containers(template: Any, name: str | None) -> Iterator[Any]:
    pod = template["spec"]
    for found in [*pod.get("initContainers", []), *pod["containers"]]:
        if name is None or found.get("name") == name:
            yield found


def refer(container: Object, unit: str, keys: Collection[str]) -> Object:
    """A container with those variables taken from the unit's Secret."""
    if not keys:
        return container
    # In front, so that the value of another variable may name one: $(API_KEY).
    kept = [entry for entry in container.get("env", []) if entry.get("name") not in keys]
    return {**container, "env": [*(_reference(key, unit) for key in keys), *kept]}


def _reference(key: str, unit: str) -> Object:
    return {"name": key, "valueFrom": {"secretKeyRef": {"name": secret_name(unit), "key": key}}}
