"""Reads a source's files for sending: what was read is what is acknowledged, whatever the index said before."""

from __future__ import annotations

import hashlib
import os
import stat

from devenv.sync.frames import Content
from devenv.sync.index import Index, kind_of


def load(index: Index, path: str) -> Content | None:
    """The file behind a path of the index, whole; None where it is no readable regular file any more."""
    try:
        # NONBLOCK: a pipe that took the file's place must not hang the reader.
        handle = os.open(index.locate(path), os.O_RDONLY | os.O_NONBLOCK)
        with open(handle, "rb") as file:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode):
                return None
            data = file.read()
    except OSError:
        return None
    return Content(data, status.st_mtime_ns, kind_of(status) + hashlib.sha256(data).hexdigest())
