"""Reads a source's files for sending: what was read is what is acknowledged, whatever the index said before."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator

from devenv.sync.entries import open_to_read, stamp_of
from devenv.sync.frames import Content
from devenv.sync.index import Digest, Entry, Index, kind_of
from devenv.sync.protocol import CONTENT


def load(index: Index, path: str) -> Content | None:
    """The file behind a path of the index, whole; None where it is no readable regular file any more."""
    try:
        with open(open_to_read(index.locate(path)), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                return None
            data = file.read()
    except OSError:
        return None
    return Content(data, status.st_mtime_ns, kind_of(status) + hashlib.sha256(data).hexdigest())


def unchanged(place: str | os.PathLike[str], known: Entry) -> bytes | None:
    """The content of a small file that is still the one that `known` has the digest of; None where that can't be said.

    Any write after the digest was made shows in the stamp, as long as that is not racy. OSError.
    """
    if known.racy or known.size > CONTENT:
        return None
    handle = open_to_read(place)
    try:
        data = os.read(handle, known.size + 1)
        same = known.stamp == stamp_of(os.fstat(handle))
    finally:
        os.close(handle)
    return data if same and len(data) == known.size else None


class Reading:
    """One file, read in pieces while it may change: `size` and `digest` are those of what `pieces` gives.

    `whole` is False where it did not give `size` bytes because the file was written to meanwhile; `changed` says that
    it differs by now. OSError where it is no readable regular file.
    """

    def __init__(self, place: str | os.PathLike[str], known: Entry | None) -> None:
        self._handle = open_to_read(place)
        self._status = os.fstat(self._handle)
        self._known = known
        self._hash = hashlib.sha256()
        self._vouched = known is not None and known.stamp == stamp_of(self._status) and not known.racy
        self.whole = self.changed = False
        if not stat.S_ISREG(self._status.st_mode):
            self.close()
            raise FileNotFoundError(place)

    @property
    def size(self) -> int:
        """How many bytes there are to be."""
        return self._status.st_size

    @property
    def kind(self) -> str:
        """The first letter of its digest."""
        return kind_of(self._status)

    @property
    def mtime_ns(self) -> int:
        """When it was written."""
        return self._status.st_mtime_ns

    @property
    def digest(self) -> Digest:
        """The digest of what was read."""
        if self._vouched and self._known:
            return self._known.digest
        return self.kind + self._hash.hexdigest()

    def pieces(self) -> Iterator[bytes]:
        """The content. A file that was changed midway is never given to its end, so that it fails as a whole."""
        left = self.size
        while True:
            data = os.read(self._handle, min(CONTENT, left))
            left -= len(data)
            if left and data:
                yield self._note(data)
                continue
            now = os.fstat(self._handle)
            self.changed = stamp_of(now) != stamp_of(self._status)
            # A log that only grew is whole as far as it went.
            self.whole = not left and (not self.changed or now.st_size > self.size)
            if self.whole:
                yield self._note(data)
            return

    def _note(self, data: bytes) -> bytes:
        if not self._vouched:
            self._hash.update(data)
        return data

    def close(self) -> None:
        """Done with it."""
        os.close(self._handle)
