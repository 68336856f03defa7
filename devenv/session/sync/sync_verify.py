"""Compares what the containers have with the sources: both sides are hashed anew."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from devenv.session.sync.claims import claims_of
from devenv.session.sync.reached import Reached
from devenv.session.sync.target import Target
from devenv.sync.entries import Digest, digest_file
from devenv.sync.index import Index

What = Literal["missing", "extra", "content", "mode", "kind"]


@dataclass(frozen=True, slots=True)
class Difference:
    """A path that is not the same in a pod: `local` in the source, `place` in the container.

    `what`: missing or extra (in the container; extra only where devenv had synced it), or its content, mode or kind.
    """

    pod: str
    what: What
    local: str
    place: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What verify found: how many paths were compared in each pod, and those that differ.

    `fixed` are those that did, and were sent again or deleted.
    """

    service: str
    compared: int
    pods: tuple[str, ...]
    differences: tuple[Difference, ...]
    fixed: tuple[Difference, ...] = ()


def verify(reached: Reached, *, mark: bool = False) -> Verdict:
    """Hash both sides; `mark` what differs, so that it is sent. SyncError where a container can't be asked."""
    indexes = list(reached.sources.indexes)
    local = [hash_source(index) for index in indexes]
    claims = claims_of(reached.service, indexes)

    def stays(rule: int, path: str) -> bool:
        return claims[rule].keeps(path, reached.sources.is_kept)

    def step(target: Target) -> list[dict[str, What]]:
        return [_differing(target, rule, paths, stays, mark=mark) for rule, paths in enumerate(local)]

    found = reached.each(step)
    differences = [
        Difference(pod, what, str(indexes[rule].locate(path)), claims[rule].place(path))
        for pod, by_rule in found.items()
        for rule, paths in enumerate(by_rule)
        for path, what in paths.items()
    ]
    return Verdict(reached.service.name, sum(map(len, local)), tuple(found), tuple(differences))


def _differing(
    target: Target, rule: int, local: Mapping[str, Digest], stays: Callable[[int, str], bool], *, mark: bool
) -> dict[str, What]:
    """What of a rule differs in a container."""
    there = look(target, rule, local)
    differing = compare(local, there).items()
    found = {path: what for path, what in differing if what != "extra" or not stays(rule, path)}
    if mark and found:
        target.amend(rule, {path: there.get(path) for path in found})
    return found


def fix(reached: Reached, wait: Callable[[], object]) -> Verdict:
    """Have the session send what differs, `wait` until it has, and look again. SyncError."""
    before = verify(reached, mark=True)
    if not before.differences:
        return before
    wait()
    after = verify(reached)
    left = {(one.pod, one.place) for one in after.differences}
    return replace(after, fixed=tuple(one for one in before.differences if (one.pod, one.place) not in left))


def look(target: Target, rule: int, paths: Mapping[str, Digest]) -> dict[str, Digest]:
    """What a container has of these paths, and what it has that was synced before."""
    return target.recorded(rule) | target.have(rule, sorted(paths))


def hash_source(index: Index) -> dict[str, Digest]:
    """The digests of a source as it is, whatever was known of it."""
    found = {}
    for path, entry in dict(index.entries).items():
        try:
            place = str(index.locate(path))
            found[path] = digest_file(place, os.stat(place), None).digest if entry.kind == "file" else entry.digest
        except OSError:
            continue
    return found


def compare(local: Mapping[str, Digest], there: Mapping[str, Digest]) -> dict[str, What]:
    """The paths that differ, and how."""
    return {
        path: _what(local.get(path, ""), there.get(path, ""))
        for path in sorted(local.keys() | there.keys())
        if local.get(path) != there.get(path)
    }


def _what(here: Digest, there: Digest) -> What:
    if not there or not here:
        return "extra" if there else "missing"
    if here[0] in "fx" and there[0] in "fx":
        return "mode" if here[1:] == there[1:] else "content"
    return "content" if here[0] == there[0] else "kind"
