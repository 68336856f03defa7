"""Paths that a container refused, as errors for people."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from dataclasses import dataclass

from devenv.errors import Problem, SyncError
from devenv.printable import printable
from devenv.problems import SYNC_DISK_FULL, SYNC_FAILED, SYNC_NOT_WRITABLE

SHOWN = 5
_FULL = (errno.ENOSPC, errno.EDQUOT)
_DENIED = (errno.EACCES, errno.EPERM, errno.EROFS)


@dataclass(frozen=True, slots=True)
class Failure:
    """A path in the container, and the errno with which it was refused (Linux's, as the container has it)."""

    place: str
    number: int


def is_foreign(number: int) -> bool:
    """True for a delete that failed because of what devenv did not bring: that is not ours to touch."""
    return number in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENOENT)


def describe(failures: Sequence[Failure], *, service: str, uid: int) -> SyncError:
    """The error that tells of all of them, by the worst."""
    order = sorted(failures, key=lambda failure: (failure.number not in _FULL, failure.number not in _DENIED))
    first, place = order[0], printable(order[0].place)
    details = [f"{printable(failure.place)}: {os.strerror(failure.number)}" for failure in order[:SHOWN]]
    details += [f"and {len(order) - SHOWN} more"] if len(order) > SHOWN else []
    if first.number in _FULL:
        return _error(SYNC_DISK_FULL, details, service=service, target=place)
    if first.number in _DENIED:
        return _error(SYNC_NOT_WRITABLE, details, hint=_advice(first, uid), service=service, target=place)
    return _error(SYNC_FAILED, details, service=service, reason=f"{place}: {os.strerror(first.number)}")


def _advice(failure: Failure, uid: int) -> str:
    place = printable(failure.place)
    if failure.number == errno.EROFS:
        return f"{place} is on a read-only file system: take it out of the sync rule, or mount it writable"
    return f"the container runs as uid {uid}: let that own {place} (COPY --chown={uid}), or run as its owner"


def _error(problem: Problem, details: Sequence[str], *, hint: str | None = None, **facts: str) -> SyncError:
    return SyncError(problem, details=details, hint=hint, **facts)
