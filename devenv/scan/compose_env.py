"""Env files of compose services: named in turn where devenv reads them as Compose does, else their values written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from devenv.config.dotenv import parse_dotenv
from devenv.config.source import Fault
from devenv.scan.compose_service import ComposeService
from devenv.scan.dotenv import as_map, read_variables
from devenv.scan.hosts import rename_hosts
from devenv.scan.project import Project
from devenv.scan.proposal import Note


def named_files(service: ComposeService, names: Mapping[str, str], project: Project) -> tuple[str, ...]:
    """The env files that can be named: all of them or none, as the later ones win over the earlier ones."""
    for file in service.env_files:
        reason = _reason(project.texts[file], file, names)
        if reason:
            text = f"the values of {', '.join(service.env_files)} are written under env, as {file} {reason}"
            service.notes.append(Note(service.place, f"{service.name}: {text}: look what of them is secret"))
            return ()
    return service.env_files


def _reason(text: str, file: str, names: Mapping[str, str]) -> str:
    values = as_map(read_variables(text, file))
    faults: list[Fault] = []
    if parse_dotenv(text, Path(file), "env_file", faults) != values or faults:
        return "has lines that are read in another way here"
    if any(rename_hosts(value, names) != value for value in values.values()):
        return "names a service that has another name here"
    return ""
