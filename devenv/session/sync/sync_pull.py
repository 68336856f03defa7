"""Brings files that a program made in its container back to the source."""

from __future__ import annotations

import errno
import glob
import os
import re
import tempfile
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Literal

from devenv.errors import SyncError
from devenv.problems import SYNC_FAILED
from devenv.session.sync.claims import Claim, claims_of
from devenv.session.sync.reached import Reached
from devenv.session.sync.target import Target
from devenv.sync import replies
from devenv.sync.entries import digest_file
from devenv.sync.index import Index

Result = Literal["pulled", "same", "differs", "refused"]
_MAGIC = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class Pulled:
    """What became of one file: `differs` means that the local one is another and was left alone."""

    place: str
    local: str
    result: Result
    why: str = ""


def pull(reached: Reached, pattern: str, *, force: bool) -> list[Pulled]:
    """Bring back the file, the folder or what matches; from the first pod. SyncError where there is nothing.

    `pattern` is absolute: a path in the container, or a local one of a source. With `force`, local files that differ
    are replaced.
    """
    indexes = list(reached.sources.indexes)
    claims = claims_of(reached.service, indexes)
    work = partial(_pull, indexes=indexes, claims=claims, pattern=_in_container(pattern, indexes, claims), force=force)
    done: list[list[Pulled]] = []

    turn = threading.Lock()

    def once(target: Target) -> None:
        with turn:
            if not done:
                done.append(work(target))

    reached.each(once)
    if not done or not done[0]:
        reason = f"its container has nothing at {pattern}"
        raise SyncError(SYNC_FAILED, service=reached.service.name, reason=reason, hint="devenv sync explain PATH")
    return done[0]


def _in_container(pattern: str, indexes: list[Index], claims: list[Claim]) -> str:
    for index, claim in zip(indexes, claims, strict=True):
        source = str(index.source)
        if index.name and pattern == source:
            return claim.place(index.name)
        if not index.name and (pattern == source or pattern.startswith(source + "/")):
            below = pattern[len(source) + 1 :]
            return glob.escape(claim.folder) + "/" + below if _MAGIC.search(below) else claim.place(below)
    return pattern


def _pull(target: Target, *, indexes: list[Index], claims: list[Claim], pattern: str, force: bool) -> list[Pulled]:
    results = []
    waiting = [pattern] if not _MAGIC.search(pattern) else target.glob(pattern)
    for place in waiting:
        aim = _aim(place.rstrip("/"), indexes, claims)
        if isinstance(aim, Pulled):
            results.append(aim)
            continue
        rule, path, local = aim
        result = _fetch(target, place.rstrip("/"), local, force=force)
        if result is None:
            waiting += target.glob(f"{glob.escape(place)}/**") if place == pattern else []
            continue
        if result.result in ("pulled", "same"):
            target.acknowledge(rule, path, digest_file(str(local), os.stat(local)).digest)
        results.append(result)
    return results


def _aim(place: str, indexes: list[Index], claims: list[Claim]) -> tuple[int, str, Path] | Pulled:
    """The rule and path that a place in the container belongs to, and the local file."""
    candidates = [
        (len(claim.folder), rule)
        for rule, claim in enumerate(claims)
        if place.startswith(claim.folder.rstrip("/") + "/")
        and (not indexes[rule].name or place == claim.place(indexes[rule].name))
    ]
    if not candidates:
        return Pulled(place, "", "refused", "no sync rule leads there")
    _, rule = max(candidates)
    path = place[len(claims[rule].folder.rstrip("/")) + 1 :]
    local = indexes[rule].locate(path)
    if not set(path.split("/")).isdisjoint({"", ".", ".."}):
        return Pulled(place, str(local), "refused", "the path leads out of its folder")
    if ".git" in path.casefold().split("/"):
        return Pulled(place, str(local), "refused", "what is git's runs commands here")
    if any(parent.is_symlink() for parent in local.parents if indexes[rule].source in parent.parents):
        return Pulled(place, str(local), "refused", "a folder above it is a link here")
    if local.is_symlink():
        return Pulled(place, str(local), "refused", "it is a link here")
    return rule, path, local


def _fetch(target: Target, place: str, local: Path, *, force: bool) -> Pulled | None:
    """Bring one file; None for a folder."""
    frames = target.get(place)
    first = next(frames)
    try:
        if isinstance(first, replies.Done):
            reason = os.strerror(first.status)
            return None if first.status == errno.EISDIR else Pulled(place, str(local), "refused", reason)
        if not isinstance(first, replies.File) or chr(first.kind) != "f":
            return Pulled(place, str(local), "refused", "it is no regular file")
        return _receive(first, frames, place, local, force=force)
    except OSError as error:
        return Pulled(place, str(local), "refused", error.strerror or str(error))
    finally:
        # What was not wanted must not be taken for the answer to the next request.
        deque(frames, maxlen=0)


def _receive(first: replies.File, frames: Iterator[object], place: str, local: Path, *, force: bool) -> Pulled:
    local.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=local.parent, prefix=".#devenv-pull-", delete=False) as young:
        try:
            _write(frames, young)
            young.flush()
            os.chmod(young.name, 0o755 if first.mode & 0o100 else 0o644)
            os.utime(young.name, ns=(first.mtime_ns, first.mtime_ns))
            return _put(Path(young.name), place, local, force=force)
        finally:
            Path(young.name).unlink(missing_ok=True)


def _write(frames: Iterator[object], file: IO[bytes]) -> None:
    for frame in frames:
        if isinstance(frame, replies.Content):
            file.write(frame.data)
        elif isinstance(frame, replies.Done) and frame.status:
            raise OSError(frame.status, frame.text)


def _put(young: Path, place: str, local: Path, *, force: bool) -> Pulled:
    try:
        there = os.stat(local)
    except FileNotFoundError:
        there = None
    if there is not None:
        new, old = (digest_file(str(path), os.stat(path)).digest for path in (young, local))
        if new == old:
            return Pulled(place, str(local), "same")
        if not force:
            newer = there.st_mtime_ns > os.stat(young).st_mtime_ns
            return Pulled(
                place, str(local), "differs", "the local file is newer" if newer else "the local file differs"
            )
    os.replace(young, local)
    return Pulled(place, str(local), "pulled")
