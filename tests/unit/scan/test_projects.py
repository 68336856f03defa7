"""Whole projects: what is proposed of them, compared with what is kept, and loaded as devenv loads it.

UPDATE_SNAPSHOTS=1 writes what is kept anew.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from devenv.config.load import load
from devenv.flows.init import InitRequest, propose
from devenv.host.project_files import LocalProjectFiles
from devenv.scan.write import write
from tests.conftest import ROOT

PROJECTS = ROOT / "tests/fixtures/projects"
EXPECTED = ROOT / "tests/fixtures/expected"
NAMES = sorted(path.name for path in PROJECTS.iterdir())


@pytest.mark.parametrize("name", NAMES)
def test_what_is_proposed_is_what_is_kept_and_loads(name: str, tmp_path: Path) -> None:
    folder = tmp_path / name
    shutil.copytree(PROJECTS / name, folder)
    files = LocalProjectFiles()
    proposal = propose(InitRequest(folder), files.read(folder), files)
    found = {**write(proposal), "notes.txt": "".join(f"{note}\n" for note in proposal.notes)}
    if "UPDATE_SNAPSHOTS" in os.environ:
        files.write({EXPECTED / name / path: text for path, text in found.items()})
    kept = {path.relative_to(EXPECTED / name).as_posix(): path for path in (EXPECTED / name).rglob("*.*")}
    assert {path: text.read_text() for path, text in kept.items()} == found
    files.write({folder / path: text for path, text in found.items()})
    environment = load(folder / "devenv.yaml", start=folder)
    assert set(environment.services) == {service.name for service in proposal.services}
    assert set(environment.dependencies) == {dependency.name for dependency in proposal.dependencies}


def test_there_is_a_compose_file_of_many_services() -> None:
    folder = PROJECTS / "compose-shop"
    files = LocalProjectFiles()
    proposal = propose(InitRequest(folder), files.read(folder), files)
    assert len(proposal.services) + len(proposal.dependencies) >= 8


def test_a_secret_of_this_machine_is_never_written_down() -> None:
    for path in EXPECTED.rglob("*.*"):
        assert "only-this-machine-knows" not in path.read_text()
