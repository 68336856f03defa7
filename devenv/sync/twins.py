"""Names in git's index that differ by case only: where a file system folds case, one of them can't be there."""

from __future__ import annotations

import os
import struct
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from devenv.sync.git import find_repository

_HEAD = struct.Struct(">4sII")
# Ten numbers of lstat and a SHA-1, then the flags: gitformat-index(5).
_STAT = 60
_EXTENDED = 0x4000


def twins(source: Path) -> Mapping[str, tuple[str, ...]]:
    """The paths of a source, and folders above them, that git has in another case too: each with the others."""
    source = Path(os.path.realpath(source))
    repository = find_repository(source)
    if repository is None:
        return {}
    try:
        status = os.stat(repository.git_dir / "index")
    except OSError:
        return {}
    below = os.path.relpath(source, repository.root)
    return _twins(repository.git_dir / "index", "" if below == "." else f"{below}/", status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=8)
def _twins(index: Path, below: str, _changed: int, _size: int) -> Mapping[str, tuple[str, ...]]:
    try:
        names = [os.fsdecode(name) for name in names_in(index.read_bytes())]
    except (OSError, ValueError, IndexError, struct.error):
        return {}
    alike: dict[str, set[str]] = defaultdict(set)
    for name in names:
        parts = name[len(below) :].split("/") if name.startswith(below) else []
        for count in range(1, len(parts) + 1):
            path = "/".join(parts[:count])
            alike[path.lower()].add(path)
    return {path: tuple(sorted(same - {path})) for same in alike.values() if len(same) > 1 for path in same}


def names_in(data: bytes) -> Iterator[bytes]:
    """The paths in an index of git's, of version 2, 3 or 4. ValueError, IndexError, struct.error for anything else."""
    magic, version, count = _HEAD.unpack_from(data)
    if magic != b"DIRC" or version not in (2, 3, 4):
        raise ValueError(magic)
    at, name = _HEAD.size, b""
    for _ in range(count):
        [flags] = struct.unpack_from(">H", data, at + _STAT)
        begin = at + _STAT + (4 if flags & _EXTENDED else 2)
        kept = 0
        if version == 4:
            cut, begin = _number(data, begin)
            kept = len(name) - cut
        end = data.index(0, begin)
        name = name[:kept] + data[begin:end]
        yield name
        # In older versions an entry is filled up with 1 to 8 NULs.
        at = end + 1 if version == 4 else at + (end - at + 8) // 8 * 8


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A number of variable length, and where what follows it begins."""
    value = data[at] & 127
    while data[at] & 128:
        at += 1
        value = ((value + 1) << 7) | (data[at] & 127)
    return value, at + 1
