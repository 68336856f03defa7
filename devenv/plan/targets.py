"""Which folders of a container become volumes, so that what is synced into them can be written and stays."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterable, Sequence

from devenv.config.model import SyncRule
from devenv.config.system_folders import is_inside, is_system


def folder_of(rule: SyncRule) -> str:
    """The folder in the container that a rule writes into."""
    return posixpath.dirname(rule.target) if rule.is_file else rule.target


def roots_of(rules: Iterable[SyncRule], mounted: Collection[str] = ()) -> tuple[str, ...]:
    """The folders that become volumes: the topmost that rules write into, none inside another.

    Left out are system folders, and those that already are in something `mounted`.
    """
    volumes = [posixpath.normpath(path) for path in mounted]
    folders = {folder_of(rule) for rule in rules}
    wanted = [path for path in folders if not is_system(path) and not is_inside(path, volumes)]
    return tuple(sorted(path for path in wanted if not is_inside(path, [other for other in wanted if other != path])))


def in_layer(rules: Iterable[SyncRule], volumes: Sequence[str]) -> bool:
    """Whether a rule writes into the container's own layer, which is new with each container."""
    paths = [posixpath.normpath(path) for path in volumes]
    return any(not is_inside(folder_of(rule), paths) for rule in rules)
