"""What containers ask for and may use at most."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from devenv.config.model import Resources
from devenv.config.quantities import amount
from devenv.plan.marks import Object

TRIMMED = {"cpu": "10m", "memory": "32Mi"}
"""What a container asks for under `requests: trim`: so little that hundreds fit on a laptop; limits stay."""


def resources_of(wanted: Resources, given: Object | None = None) -> Object:
    """A container's resources: `given` with what is wanted put in; empty where nothing is said.

    A trimmed request is never more than the limit.
    """
    given = given or {}
    limits = dict(wanted.limits) or dict(given.get("limits", {}))
    requests = dict(wanted.requests) or dict(given.get("requests", {}))
    if wanted.trim:
        requests = {key: _smaller(text, limits.get(key)) for key, text in TRIMMED.items()}
    found = {"requests": requests, "limits": limits}
    rest = {key: value for key, value in given.items() if key not in found}
    return {**{key: value for key, value in found.items() if value}, **rest}


def _smaller(text: str, limit: object) -> str:
    most = amount(str(limit)) if limit is not None else None
    return text if most is None or (amount(text) or Decimal(0)) <= most else str(limit)


def same_resources(one: Mapping[str, Mapping[str, object]], other: Mapping[str, Mapping[str, object]]) -> bool:
    """Whether two containers' resources mean the same, however the server writes them ("1024Mi" is "1Gi")."""
    return _amounts(one) == _amounts(other)


def _amounts(resources: Mapping[str, Mapping[str, object]]) -> dict[tuple[str, str], object]:
    kinds = ("requests", "limits")
    return {(kind, key): amount(str(text)) for kind in kinds for key, text in resources.get(kind, {}).items()}
