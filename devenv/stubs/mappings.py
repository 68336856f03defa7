"""WireMock mapping files of many dependencies, made fit for one shared engine.

Format: WireMock 3 stub mappings, one mapping per file or {"mappings": [...]}; bodies in `__files`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from devenv import problems
from devenv.errors import ConfigError

Stub = dict[str, Any]


def read_mappings(dependency: str, files: Mapping[str, bytes]) -> list[Stub]:
    """The mappings of one dependency from its files (relative name to content), bound to its host.

    Raises ConfigError config-invalid with a line for each file that is not a mapping.
    """
    faults: list[str] = []
    found: list[Stub] = []
    for name, content in sorted(files.items()):
        if name.startswith("mappings/") and name.endswith(".json"):
            found.extend(_parse(name, content, faults))
    if not found and not faults:
        faults.append(f"{dependency}: no mappings/*.json in its stub folder, so it would answer nothing")
    if faults:
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        raise ConfigError(problems.CONFIG_INVALID, count=count, details=faults)
    return [bind(stub, dependency) for stub in found]


def _parse(name: str, content: bytes, faults: list[str]) -> list[Stub]:
    try:
        document = json.loads(content)
    except ValueError as error:
        line = getattr(error, "lineno", 1)
        faults.append(f"{name}:{line}:{getattr(error, 'colno', 1)}  not valid JSON: {getattr(error, 'msg', error)}")
        return []
    stubs = document.get("mappings", [document]) if isinstance(document, dict) else None
    if not isinstance(stubs, list) or not all(isinstance(s, dict) and "response" in s for s in stubs):
        faults.append(f"{name}:1:1  expected a WireMock mapping with request and response")
        return []
    return stubs


def host_pattern(dependency: str) -> str:
    """A regular expression for all names a pod reaches a Service by: short, with namespace, full."""
    return rf"{re.escape(dependency)}(\..+)?"


def bind(stub: Stub, dependency: str) -> Stub:
    """The mapping, answering only its dependency's host; scenario and body file get the dependency's name in front."""
    bound = json.loads(json.dumps(stub))
    bound.setdefault("request", {})["host"] = {"matches": host_pattern(dependency)}
    bound.setdefault("metadata", {})["dependency"] = dependency
    if "scenarioName" in bound:
        bound["scenarioName"] = f"{dependency}: {bound['scenarioName']}"
    response = bound["response"]
    if "bodyFileName" in response:
        response["bodyFileName"] = f"{dependency}__{response['bodyFileName'].replace('/', '__')}"
    return dict(bound)


def body_files(dependency: str, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The `__files` of one dependency, flattened to the names that `bind` refers to."""
    prefix = "__files/"
    return {
        f"{dependency}__{name[len(prefix) :].replace('/', '__')}": content
        for name, content in files.items()
        if name.startswith(prefix)
    }
