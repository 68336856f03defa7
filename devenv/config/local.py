"""devenv.local.yaml: what one user lays onto devenv.yaml and onto the profile."""

from __future__ import annotations

from pathlib import Path

from devenv.config.interpolate import take_numbers
from devenv.config.merge import merge, settle
from devenv.config.profiles import check_additions
from devenv.config.reading import Reader
from devenv.config.schema import EnvironmentFile, LocalFile
from devenv.config.shape import check
from devenv.config.source import Fault, Map


def local_file(file: Path) -> Path:
    """devenv.local.yaml beside devenv.yaml, x.local.yaml beside x.yaml."""
    return file.with_name(f"{file.stem}.local{file.suffix}")


def lay_local(tree: Map, file: Path, reader: Reader, faults: list[Fault], layers: list[Map]) -> tuple[Map, Map | None]:
    """devenv.yaml's checked tree with the local file laid onto it, and the dependencies that go onto the profile.

    Without a local file, the tree as it is and None. Each file must be right by itself; then both together are. The
    trees of both files are added to `layers`.
    """
    place = local_file(file)
    tree = take_numbers(EnvironmentFile, tree)
    layers.append(tree)
    local = reader.read(place) if place.exists() else None
    if local is None:
        check(EnvironmentFile, tree, faults)
        return tree, None
    before = len(faults)
    check(EnvironmentFile, tree, faults, partial=True)
    local = take_numbers(LocalFile, local)
    layers.append(local)
    check_additions(local, "", faults)
    check(LocalFile, _settled(local), faults, partial=True)
    dependencies = local.value("dependencies")
    own = {key: entry for key, entry in local.entries.items() if key != "dependencies"}
    merged = take_numbers(EnvironmentFile, _settled(merge(tree, Map(own, local.origin))))
    if len(faults) == before:
        check(EnvironmentFile, merged, faults)
    return merged, dependencies if isinstance(dependencies, Map) else None


def _settled(tree: Map) -> Map:
    settled = settle(tree)
    assert isinstance(settled, Map)
    return settled
