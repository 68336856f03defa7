"""WireMock mapping files of many dependencies, made fit for one shared engine.

Format: WireMock 3 stub mappings, one mapping per file or {"mappings": [...]}; bodies in `__files`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from devenv import problems
from devenv.errors import ConfigError

Stub = dict[str, Any]

EMPTY = "no mappings/*.json in its stub folder, so it would answer nothing"


@dataclass(frozen=True, slots=True, order=True)
class Told:
    """What is wrong in a file: its name, a 1-based line and column, and the sentence."""

    name: str
    line: int
    column: int
    text: str


def read_mappings(dependency: str, files: Mapping[str, bytes]) -> list[Stub]:
    """The mappings of one dependency from its files (relative name to content), bound to its host.

    Raises ConfigError config-invalid with a line for each file that is not a mapping.
    """
    found, told = parse_mappings(files)
    faults = [f"{one.name}:{one.line}:{one.column}  {one.text}" for one in told]
    if not found and not faults:
        faults.append(f"{dependency}: {EMPTY}")
    if faults:
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        raise ConfigError(problems.CONFIG_INVALID, count=count, details=faults)
    return [bind(stub, dependency) for stub in found]


def parse_mappings(files: Mapping[str, bytes]) -> tuple[list[Stub], list[Told]]:
    """The mappings in the files of a WireMock folder, and what is wrong with them."""
    faults: list[Told] = []
    found: list[Stub] = []
    for name, content in sorted(files.items()):
        if name.startswith("mappings/") and name.endswith(".json"):
            found.extend(_parse(name, content, faults))
    return found, faults


def _parse(name: str, content: bytes, faults: list[Told]) -> list[Stub]:
    try:
        document = json.loads(content)
    except json.JSONDecodeError as error:
        faults.append(Told(name, error.lineno, error.colno, f"not valid JSON: {error.msg}"))
        return []
    except (ValueError, RecursionError):
        faults.append(Told(name, 1, 1, "not JSON that can be read: no UTF-8, nested too deep, or a number too long"))
        return []
    stubs = document.get("mappings", [document]) if isinstance(document, dict) else None
    if not isinstance(stubs, list) or not all(_is_mapping(stub) for stub in stubs):
        faults.append(Told(name, 1, 1, "expected a WireMock mapping with request and response"))
        return []
    return stubs


def _is_mapping(stub: object) -> bool:
    if not isinstance(stub, dict) or not isinstance(stub.get("response"), dict):
        return False
    texts = (stub.get("scenarioName", ""), stub["response"].get("bodyFileName", ""))
    maps = (stub.get("request", {}), stub.get("metadata", {}))
    return all(isinstance(text, str) for text in texts) and all(isinstance(one, dict) for one in maps)


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
