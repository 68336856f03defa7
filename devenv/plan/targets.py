"""Which folders of a container become volumes, so that what is synced into them can be written and stays."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterable, Sequence

from devenv.config.model import SyncRule

_WHOLE = "boot dev etc home lib lib32 lib64 libx32 media mnt opt proc root run sbin bin sys tmp usr var"
_PARTS = "usr/bin usr/lib usr/lib64 usr/local usr/sbin usr/share var/lib"
SYSTEM = frozenset({"/", *(f"/{name}" for name in f"{_WHOLE} {_PARTS}".split())})
"""Folders that images have much in which has nothing to do with the service: never volumes themselves."""
_KERNEL = ("/dev", "/proc", "/sys")


def folder_of(rule: SyncRule) -> str:
    """The folder in the container that a rule writes into."""
    return posixpath.dirname(rule.target) if rule.is_file else rule.target


def roots_of(rules: Iterable[SyncRule], mounted: Collection[str] = ()) -> tuple[str, ...]:
    """The folders that become volumes: the topmost that rules write into, none inside another.

    Left out are system folders, and those that already are in something `mounted`.
    """
    volumes = [posixpath.normpath(path) for path in mounted]
    folders = {folder_of(rule) for rule in rules}
    wanted = [path for path in folders if _may_be_volume(path) and not is_inside(path, volumes)]
    return tuple(sorted(path for path in wanted if not is_inside(path, [other for other in wanted if other != path])))


def in_layer(rules: Iterable[SyncRule], volumes: Sequence[str]) -> bool:
    """Whether a rule writes into the container's own layer, which is new with each container."""
    paths = [posixpath.normpath(path) for path in volumes]
    return any(not is_inside(folder_of(rule), paths) for rule in rules)


def is_inside(path: str, folders: Iterable[str]) -> bool:
    """Whether a path is one of the folders or below one."""
    return any(path == folder or path.startswith(f"{folder.rstrip('/')}/") for folder in folders)


def _may_be_volume(path: str) -> bool:
    return path not in SYSTEM and not is_inside(path, _KERNEL)
