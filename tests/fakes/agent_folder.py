"""What the fake agent does to one target folder: staging, commit, record. Semantics: docs/explanation/sync.md."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
from collections.abc import Iterable
from pathlib import Path

from devenv.sync.protocol import ChangeMode, Delete, Frame, Link, MakeDir, Put
from devenv.sync.replies import Row

STAGE = ".devenv-stage"
Failure = tuple[int, str]
"""An errno, and the path it is about."""


class Folder:
    """One target: `record` is what was synced into it, `refusals` are scripted errnos by path."""

    def __init__(self, root: str, record: set[str], refusals: dict[str, int]) -> None:
        self._root = root
        self._record = record
        self._refusals = refusals
        self._steps: list[Frame] = []
        self._staged: dict[str, Path] = {}
        self._early: list[Failure] = []
        self._number = 0
        self.clean()

    def clean(self) -> None:
        """Remove what is staged, by this agent or by one that was killed."""
        shutil.rmtree(os.path.join(self._root, STAGE), ignore_errors=True)
        self._steps, self._staged, self._early = [], {}, []

    def rows(self, paths: Iterable[str]) -> list[Row]:
        return [self._row(path) for path in paths]

    def recorded(self) -> list[Row]:
        return self.rows(sorted(self._record))

    def stage(self, step: Frame) -> None:
        """Note a step for the commit; a file's content goes into a file of its own."""
        path: str = step.path  # type: ignore[attr-defined]
        if not is_allowed(path):
            self._early.append((errno.EPERM, path))
            return
        self._steps.append(step)
        if isinstance(step, Put):
            os.makedirs(os.path.join(self._root, STAGE), mode=0o700, exist_ok=True)
            self._number += 1
            self._staged[path] = Path(self._root, STAGE, str(self._number))
            self._staged[path].write_bytes(step.data)

    def append(self, put: Put, data: bytes) -> None:
        """More of a file's content."""
        if is_allowed(put.path):
            with self._staged[put.path].open("ab") as file:
                file.write(data)

    def commit(self) -> list[Failure]:
        """Carry out what is staged; gives what failed."""
        failed = list(self._early)
        steps = {step.path: step for step in self._steps}  # type: ignore[attr-defined]
        come = {path: step for path, step in steps.items() if isinstance(step, MakeDir | Put | Link)}
        gone = {path: step for path, step in steps.items() if isinstance(step, Delete)}
        failed += self._each(sorted(come), lambda path: self._clear(path, come[path], gone.keys()))
        given_up = {path for _, path in failed}
        for kind in (MakeDir, Put, Link, ChangeMode):
            paths = sorted(p for p, step in steps.items() if isinstance(step, kind) and p not in given_up)
            failed += self._each(paths, lambda path: self._apply(steps[path]))
        # What was below a path that is a file or link now went with what it was.
        leaves = {path for path, step in come.items() if not isinstance(step, MakeDir) and path not in given_up}
        left = [path for path in sorted(gone, reverse=True) if leaves.isdisjoint(_parents(path))]
        failed += self._each(left, lambda path: self._delete(gone[path]))
        self.clean()
        return failed

    def _each(self, paths: Iterable[str], step: object) -> list[Failure]:
        failed = []
        for path in paths:
            try:
                if path in self._refusals:
                    raise OSError(self._refusals[path], "scripted")
                step(path)  # type: ignore[operator]
            except OSError as error:
                failed.append((error.errno or errno.EIO, path))
        return failed

    def _clear(self, path: str, step: Frame, gone: Iterable[str]) -> None:
        """What is of another kind goes, a folder only with what was synced into it."""
        place = self.place(path)
        there = _kind(place)
        if there in ("-", _coming(step)):
            return
        if there != "d":
            os.unlink(place)
        else:
            ours = self._record | set(gone)
            for below in sorted((p for p in ours if p.startswith(path + "/")), reverse=True):
                self._remove(below)
            os.rmdir(place)
        self._record.discard(path)

    def _apply(self, step: Frame) -> None:
        match step:
            case MakeDir(path=path, mode=mode):
                place = self.place(path)
                os.makedirs(place, exist_ok=True)
                os.chmod(place, mode)
            case Put(path=path):
                self._put(step)
            case Link(path=path, text=text):
                place = self.place(path)
                os.makedirs(os.path.dirname(place), exist_ok=True)
                if _kind(place) == "l":
                    os.unlink(place)
                os.symlink(text, place)
            case ChangeMode(path=path, mode=mode, mtime_ns=mtime_ns):
                place = self.place(path)
                if _kind(place) not in ("f", "d"):
                    raise OSError(errno.ENOENT, "no file")
                os.chmod(place, mode)
                os.utime(place, ns=(mtime_ns, mtime_ns))
        self._record.add(path)

    def _put(self, step: Put) -> None:
        staged, place = self._staged[step.path], self.place(step.path)
        if staged.stat().st_size != step.size:
            raise OSError(errno.EIO, "not whole")
        os.makedirs(os.path.dirname(place), exist_ok=True)
        os.chmod(staged, step.mode)
        os.utime(staged, ns=(step.mtime_ns, step.mtime_ns))
        os.rename(staged, place)

    def _delete(self, step: Delete) -> None:
        if _kind(self.place(step.path)) == chr(step.kind):
            self._remove(step.path)
        self._record.discard(step.path)

    def _remove(self, path: str) -> None:
        place = self.place(path)
        kind = _kind(place)
        if kind == "d":
            os.rmdir(place)
        elif kind != "-":
            os.unlink(place)
        self._record.discard(path)

    def place(self, path: str) -> str:
        """The path's place; OSError EPERM where it leads through a link."""
        parts = path.split("/")
        for count in range(1, len(parts)):
            if os.path.islink(os.path.join(self._root, *parts[:count])):
                raise OSError(errno.EPERM, "through a link")
        return os.path.join(self._root, path)

    def _row(self, path: str) -> Row:
        try:
            place = self.place(path) if is_allowed(path) else ""
            kind = _kind(place) if place else "!"
            return Row(path, kind) if kind in "-!" else _describe(path, place, kind)
        except OSError:
            return Row(path, "!")


def is_allowed(path: str) -> bool:
    """True for a path that stays in its target."""
    parts = path.split("/")
    return "\0" not in path and not {"", ".", ".."} & set(parts) and parts[0] != STAGE


def _parents(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]


def _describe(path: str, place: str, kind: str) -> Row:
    status = os.lstat(place)
    digest = hashlib.sha256(Path(place).read_bytes()).digest() if kind == "f" else b""
    text = os.readlink(place) if kind == "l" else ""
    return Row(path, kind, status.st_mode & 0o7777, status.st_size, status.st_mtime_ns, digest, text)


def _coming(step: Frame) -> str:
    return {MakeDir: "d", Put: "f", Link: "l"}[type(step)]


def _kind(place: str) -> str:
    try:
        mode = os.lstat(place).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return "-"
    kinds = ((stat.S_ISREG, "f"), (stat.S_ISDIR, "d"), (stat.S_ISLNK, "l"))
    return next((letter for test, letter in kinds if test(mode)), "o")
