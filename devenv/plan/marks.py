"""Labels and annotations that tell what devenv made, for which environment, and from which content."""

from __future__ import annotations

import hashlib
import json
from copy import deepcopy
from typing import Any

from devenv.health.verdict import SEED_ROLE

MANAGED_BY = "app.kubernetes.io/managed-by"
ENVIRONMENT = "dev.devenv/environment"
UNIT = "dev.devenv/unit"
ROLE, SEED = SEED_ROLE
"""The label of the jobs that seed a unit, and of their pods."""
DATA = "dev.devenv/data"
"""A label of seeds: whether what they wrote is `kept` or `lost` with the unit's pods."""
FILES = "dev.devenv/files"
"""An annotation of pods: the hash of the files mounted into them, so that changed files make new pods."""
HASH = "dev.devenv/hash"
REVISION = "dev.devenv/revision"
"""A label of pods: stands for the template they were made from, so that those of an older one are told apart."""

Object = dict[str, Any]


def selector(environment: str, unit: str | None = None) -> str:
    """The label selector of everything that belongs to an environment, or to one unit of it."""
    parts = [f"{MANAGED_BY}=devenv", f"{ENVIRONMENT}={environment}"]
    return ",".join([*parts, f"{UNIT}={unit}"] if unit else parts)


def content_hash(value: object) -> str:
    """16 hex characters that stand for a JSON value."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def stamp(obj: Object, *, environment: str, unit: str) -> Object:
    """A copy that carries devenv's labels, and the hash of its content as an annotation."""
    labels = {MANAGED_BY: "devenv", ENVIRONMENT: environment, UNIT: unit}
    stamped = deepcopy(obj)
    metadata = stamped.setdefault("metadata", {})
    metadata["labels"] = {**metadata.get("labels", {}), **labels}
    template = stamped.get("spec", {}).get("template")
    if isinstance(template, dict) and "spec" in template:
        inner = template.setdefault("metadata", {})
        inner["labels"] = {**inner.get("labels", {}), **labels}
        inner["labels"][REVISION] = content_hash(template)
    metadata["annotations"] = {**metadata.get("annotations", {}), HASH: content_hash(stamped)}
    return stamped


def hash_of(obj: Object) -> str | None:
    """The content hash that an object was applied with, or None where devenv did not apply it."""
    found = obj.get("metadata", {}).get("annotations", {}).get(HASH)
    return found if isinstance(found, str) else None
