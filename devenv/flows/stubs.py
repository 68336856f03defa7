"""The sources of stubs, each as the WireMock folder that it means."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from devenv.config.model import Environment
from devenv.config.model import Stub as Form
from devenv.stubs import routes
from devenv.stubs.mappings import Stub

Folder = Mapping[str, bytes]


def read_stubs(environment: Environment) -> dict[str, Folder]:
    """The files of each stubbed dependency by relative name. OSError where one can't be read."""
    return {name: _folder(d.stub) for name, d in environment.dependencies.items() if d.mode == "stub" and d.stub}


def _folder(stub: Form) -> Folder:
    if stub.wiremock is not None:
        return _read_folder(stub.wiremock)
    return folder_of("routes", routes.mappings(stub.routes))


def _read_folder(folder: Path) -> Folder:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def folder_of(source: str, mappings: Sequence[Stub]) -> Folder:
    """A WireMock folder with mappings that were made of a source."""
    return {f"mappings/{source}.json": json.dumps({"mappings": mappings}).encode()}
