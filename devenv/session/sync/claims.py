"""Which folders in a container the sync rules of a service write to."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from devenv.config.model import Service, SyncRule
from devenv.sync.index import Index


def target_folder(rule: SyncRule, *, is_file: bool) -> str:
    """The folder in the container that a rule writes to."""
    return posixpath.dirname(rule.target) or "/" if is_file else rule.target


def file_name(rule: SyncRule, *, is_file: bool) -> str:
    """The name a single-file rule gives its file in the container; "" for a folder."""
    return PurePosixPath(rule.target).name if is_file else ""


@dataclass(frozen=True, slots=True)
class Claim:
    """The folder of one rule; `target` is its number, which rules of the same folder share.

    One rule `leads` where several share a folder: what was synced there and is no rule's now is its to delete.
    `others` are the folders of other rules further down. `keepers` are the rules whose ignore files say what stays in
    the folder: the rule itself, and each other one that brings a tree into it.
    """

    folder: str
    target: int
    leads: bool
    others: tuple[str, ...]
    keepers: tuple[int, ...]

    def keeps(self, path: str, kept: Callable[[int, str], bool]) -> bool:
        """True for a path that stays in the container; `kept` says it of a single rule."""
        return any(kept(rule, path) for rule in self.keepers)

    def place(self, path: str) -> str:
        """A path of the rule as an absolute one in the container."""
        return posixpath.join(self.folder, path)

    def is_elsewhere(self, path: str) -> bool:
        """True for a path that another rule's folder is at or above."""
        place = self.place(path)
        return any(place == other or place.startswith(other + "/") for other in self.others)


def claims_of(service: Service, indexes: Sequence[Index]) -> list[Claim]:
    """The claims of a service's rules, in their order."""
    folders = [
        posixpath.normpath(target_folder(rule, is_file=bool(index.name)))
        for rule, index in zip(service.sync, indexes, strict=True)
    ]
    unique = list(dict.fromkeys(folders))
    trees = {folder: rule for rule, folder in reversed(list(enumerate(folders))) if not indexes[rule].name}
    return [
        Claim(
            folder,
            unique.index(folder),
            leads=trees.get(folder, folders.index(folder)) == rule,
            others=tuple(other for other in unique if other.startswith(folder.rstrip("/") + "/")),
            keepers=tuple(
                each
                for each, other in enumerate(folders)
                if each == rule or (other == folder and not indexes[each].name)
            ),
        )
        for rule, folder in enumerate(folders)
    ]
