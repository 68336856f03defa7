"""One path of a source: what it is, and a digest of its content, made where something speaks for a change."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from dataclasses import dataclass
from typing import Literal

Kind = Literal["file", "dir", "link"]
Digest = str
"""What a path is, compared as a whole: "d", "l" + link text, "f" (or "x" where executable) + SHA-256 in hex."""

# A file written again within the resolution of its time stamps looks unchanged (git calls such an entry racily clean).
RACY_NS = 2_000_000_000

# Up to this size a file is read in one go; hashlib's own loop begins with a buffer of this size for each file.
_SMALL = 256 * 1024


@dataclass(frozen=True, slots=True)
class Entry:
    """One path: what it is, its digest, and what lstat said (`stamp`) when the digest was made."""

    kind: Kind
    digest: Digest
    mtime_ns: int = 0
    size: int = 0
    stamp: tuple[int, ...] = ()
    racy: bool = False


def stamp_of(status: os.stat_result) -> tuple[int, ...]:
    """What differs after any change of a file, but for one within the resolution of the clock."""
    return (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_mode)


def digest_file(place: str, status: os.stat_result, known: Entry | None = None) -> Entry:
    """The entry of a regular file; its content is only read where `known` can't vouch for it. OSError.

    `status` is older than what is read: a file that changes meanwhile differs from its stamp at the next look.
    """
    stamp = stamp_of(status)
    if known and known.stamp == stamp and not known.racy:
        return known
    # As old as it is when the reading begins: a long reading makes no write after its begin any older.
    racy = time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) < RACY_NS
    handle = open_to_read(place)
    try:
        content = _hash(handle, status.st_size)
    finally:
        os.close(handle)
    return Entry("file", kind_of(status) + content, status.st_mtime_ns, status.st_size, stamp, racy)


def open_to_read(place: str | os.PathLike[str]) -> int:
    """A handle on a file. OSError."""
    # NONBLOCK: a pipe that took the file's place must not hang the reader.
    return os.open(place, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)


def _hash(handle: int, size: int) -> str:
    if size < _SMALL:
        content = os.read(handle, size + 1)
        if len(content) == size:
            return hashlib.sha256(content).hexdigest()
        os.lseek(handle, 0, os.SEEK_SET)
    with open(handle, "rb", closefd=False) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def kind_of(status: os.stat_result) -> str:
    """The first letter of a regular file's digest: "x" where its owner may execute it, else "f"."""
    return "x" if status.st_mode & stat.S_IXUSR else "f"
