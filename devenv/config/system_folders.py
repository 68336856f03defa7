"""Folders of a container that are the system's: sync never makes a volume of them."""

from __future__ import annotations

from collections.abc import Iterable

_WHOLE = "boot dev etc home lib lib32 lib64 libx32 media mnt opt proc root run sbin bin sys tmp usr var"
_PARTS = "usr/bin usr/lib usr/lib64 usr/local usr/sbin usr/share var/lib"
SYSTEM = frozenset({"/", *(f"/{name}" for name in f"{_WHOLE} {_PARTS}".split())})
"""They hold much that has nothing to do with a service."""
KERNEL = ("/dev", "/proc", "/sys")


def is_system(path: str) -> bool:
    """Whether an absolute path is one of them (not: is below one), or the kernel's."""
    return path in SYSTEM or is_inside(path, KERNEL)


def is_inside(path: str, folders: Iterable[str]) -> bool:
    """Whether a path is one of the folders or below one."""
    return any(path == folder or path.startswith(f"{folder.rstrip('/')}/") for folder in folders)
