"""Which file system a folder is on."""

from __future__ import annotations

import re
from pathlib import Path

# Their changes are made elsewhere, on a server or on the host of a virtual machine, and not told here.
_SILENT = frozenset(
    {"9p", "drvfs", "nfs", "nfs4", "cifs", "smb3", "smbfs", "vboxsf", "virtiofs", "prl_fs", "fakeowner", "ceph", "afs"}
)


def is_silent(folder: Path, mounts: Path = Path("/proc/self/mountinfo")) -> bool:
    """True where changes of a folder may come without an event."""
    kind = file_system(folder, mounts)
    return kind in _SILENT or kind.startswith("fuse")


def file_system(folder: Path, mounts: Path) -> str:
    """The kind of file system that a folder is on, by the system's list of mounts; "" where that does not tell."""
    try:
        lines = mounts.read_text(errors="surrogateescape").splitlines()
    except OSError:
        return ""
    real = str(folder.resolve())
    best, kind = "", ""
    for line in lines:
        left, _, right = line.partition(" - ")
        point = _unescaped(left.split(" ")[4])
        # A later mount at the same place hides the earlier.
        if (real == point or real.startswith(point.rstrip("/") + "/")) and len(point) >= len(best):
            best, kind = point, right.split(" ")[0]
    return kind


def _unescaped(point: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), point)
