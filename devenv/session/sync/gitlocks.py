"""Whether git is at work in a source: then everything waits, so that a checkout is one batch and one reload."""

from __future__ import annotations

import math
import os
import time
from pathlib import Path

from devenv.sync.debounce import LONGEST_LOCK, QUIET
from devenv.sync.git import find_repository

# A stash or a rebase locks more than once, and is not done in between.
BETWEEN = 0.03
# How long after git let go the events of what it did may still be on their way.
LONGEST_ECHO = 1.0
# A rebase writes down each of its steps; one that waits for the user does not.
STEP = 0.3
# A checkout may take longer than a lock that was left behind is waited for: as long as files keep changing.
BUSY = 1.0
LONGEST_CHECKOUT = 60.0

_STEPS = ("rebase-merge", "rebase-apply", "sequencer")


class GitLocks:
    """The index locks of some git folders."""

    def __init__(self) -> None:
        self.folders: frozenset[Path] = frozenset()
        self._first: dict[Path, tuple[int, float]] = {}
        self._stale: dict[Path, tuple[int, int]] = {}
        self._seen = -math.inf
        self._heard = -math.inf

    def hear(self) -> None:
        """A file changed."""
        self._heard = time.monotonic()

    def age(self) -> float | None:
        """For how long git has been at work, in seconds, 5 or more where that lock was left behind; None: it is not."""
        now = time.monotonic()
        ages = [age for folder in self.folders if (age := self._age(folder / "index.lock", now)) is not None]
        if any(age < LONGEST_LOCK for age in ages):
            self._seen = now
            return min(ages)
        since = now - self._seen
        echo = since < LONGEST_ECHO and now - self._heard < QUIET
        if since < BETWEEN or echo or any(map(_is_stepping, self.folders)):
            return 0.0
        return min(ages, default=None)

    def state(self) -> object:
        """What differs once git did something meanwhile, however fast."""
        return [_identity(folder / "index") for folder in sorted(self.folders)]

    def _age(self, lock: Path, now: float) -> float | None:
        try:
            status = lock.stat()
        except OSError:
            self._first.pop(lock, None)
            self._stale.pop(lock, None)
            return None
        stale = self._stale.pop(lock, None)
        if stale == (status.st_ino, status.st_ctime_ns):
            self._stale[lock] = stale
            return math.inf
        inode, first = self._first.get(lock, (0, 0.0))
        if inode != status.st_ino or stale:
            first = now - max(time.time() - status.st_mtime, 0.0)
            self._first[lock] = (status.st_ino, first)
            busy = False
        else:
            busy = now - self._heard < BUSY and now - first < LONGEST_CHECKOUT
        age = now - first
        if age >= LONGEST_LOCK and not busy:
            self._stale[lock] = (status.st_ino, status.st_ctime_ns)
        return min(age, LONGEST_LOCK / 2) if busy else age


def _is_stepping(folder: Path) -> bool:
    """Whether git took a step of a rebase just now."""
    for name in _STEPS:
        try:
            age = time.time() - (folder / name).stat().st_mtime
        except OSError:
            continue
        if 0 <= age < STEP:
            return True
    return False


def _identity(file: Path) -> tuple[int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return (status.st_ino, status.st_mtime_ns)


def git_folder(folder: Path) -> Path | None:
    """Where git keeps what belongs to the work tree that a folder is in: `git rev-parse --git-dir`."""
    repository = find_repository(Path(os.path.realpath(folder)))
    return Path(os.path.realpath(repository.git_dir)) if repository else None


def named_git_folder() -> Path | None:
    """The one that git takes for any folder where it is run as devenv is run."""
    named = os.environ.get("GIT_DIR")
    return Path(named).resolve() if named else None
