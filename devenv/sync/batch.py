"""What has to be done to a container's folder so that it becomes what the source is."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from devenv.errors import SyncError
from devenv.problems import SYNC_FAILED, SYNC_LOSS
from devenv.sync.index import Digest, Entry, Index

# Losing most of a tree is far more often an accident (a mount that went away, a wrong folder) than a wish.
GUARDED_FILES = 20
GUARDED_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Batch:
    """Steps in the order in which they are taken; folders to remove come deepest first, to make topmost first.

    `clear_files` and `clear_dirs` stand in the way of what comes; `files` and `dirs` to delete go last, so that a
    renamed file is never missing under both names. `forget` are paths that are no longer ours to touch.
    """

    clear_files: tuple[str, ...] = ()
    clear_dirs: tuple[str, ...] = ()
    make: tuple[str, ...] = ()
    puts: tuple[str, ...] = ()
    links: Mapping[str, str] | None = None
    delete_files: tuple[str, ...] = ()
    delete_dirs: tuple[str, ...] = ()
    forget: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.make or self.puts or self.links or self.removed)

    @property
    def paths(self) -> tuple[str, ...]:
        """Everything that comes or goes, files first."""
        return (*self.puts, *(self.links or ()), *self.removed, *self.make)

    @property
    def removed(self) -> tuple[str, ...]:
        """Everything that goes away."""
        return self.clear_files + self.clear_dirs + self.delete_files + self.delete_dirs

    @property
    def gone(self) -> tuple[str, ...]:
        """What goes away and does not come back as another kind."""
        back = {*self.make, *self.puts, *(self.links or ())}
        return tuple(path for path in self.removed if path not in back)


def snapshot(index: Index, within: Collection[str] | None) -> Index:
    """The index as it is now, some paths of it or all, for a thread other than the one that looks."""
    entries = index.entries
    if within is None:
        return Index(index.source, index.name, dict(entries), index.notes)
    found = {path: entry for path in within if (entry := entries.get(path))}
    return Index(index.source, index.name, found, index.notes)


def diff(
    local: Mapping[str, Entry],
    acked: Mapping[str, Digest],
    *,
    within: Collection[str] | None = None,
    kept: Callable[[str], bool] = lambda path: False,
) -> Batch:
    """The batch that makes `acked` (what the container has, as far as it concerns us) into `local`.

    Only paths of `acked` are ever deleted, and none that `kept` says yes to (ignored by now, or unreadable). `within`
    limits the work to some paths: those that changed.
    """
    paths = local.keys() | acked.keys() if within is None else within
    differing = sorted(path for path in paths if _digest(local, path) != acked.get(path))
    gone = [path for path in differing if path not in local]
    forget = {path for path in gone if kept(path)}
    come = [path for path in differing if path in local]
    swapped = {path for path in come if path in acked and _is_in_the_way(acked[path], local[path])}
    in_the_way = swapped | {p for p in gone if p not in forget and not swapped.isdisjoint(_parents(p))}
    rest = [path for path in gone if path not in forget and path not in in_the_way]
    clear_files, clear_dirs = _split(in_the_way, acked)
    delete_files, delete_dirs = _split(rest, acked)
    return Batch(
        clear_files=clear_files,
        clear_dirs=clear_dirs,
        make=tuple(path for path in come if local[path].kind == "dir"),
        puts=tuple(path for path in come if local[path].kind == "file"),
        links={path: local[path].digest[1:] for path in come if local[path].kind == "link"},
        delete_files=delete_files,
        delete_dirs=delete_dirs,
        forget=tuple(sorted(forget)),
    )


def _digest(local: Mapping[str, Entry], path: str) -> Digest | None:
    entry = local.get(path)
    return entry.digest if entry else None


def _is_in_the_way(there: Digest, coming: Entry) -> bool:
    """True where a rename can't replace what is there; of links that is so for busybox, whose `mv` follows them."""
    return (there == "d") != (coming.kind == "dir") or there.startswith("l")


def _split(paths: Collection[str], acked: Mapping[str, Digest]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    files = sorted(path for path in paths if acked[path] != "d")
    folders = sorted((path for path in paths if acked[path] == "d"), reverse=True)
    return tuple(files), tuple(folders)


def _parents(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]


def refuse_wipe(batch: Batch, acked: Mapping[str, Digest], *, service: str) -> None:
    """Raise SyncError sync-loss where the batch deletes more than half of more than 20 files.

    Files that come as others go are no loss: a folder was renamed, or git changed to another branch.
    """
    come = {*batch.puts, *(batch.links or ())}
    gone = len(batch.delete_files) + len({*batch.clear_files} - come)
    removed = gone - sum(path not in acked for path in come) if gone > GUARDED_FILES * GUARDED_SHARE else 0
    if removed <= GUARDED_FILES * GUARDED_SHARE:
        return
    files = sum(digest != "d" for digest in acked.values())
    if files > GUARDED_FILES and removed > files * GUARDED_SHARE:
        raise SyncError(SYNC_LOSS, service=service, gone=gone, files=files)


def refuse_missing(source: object, *, service: str) -> SyncError:
    """The error for a source that is not there: nothing is deleted because of it."""
    return SyncError(
        SYNC_FAILED,
        service=service,
        reason=f"{source} is not there, and nothing was deleted in the container",
        hint="bring it back, or correct sync: in devenv.yaml",
    )


def acknowledge(acked: dict[str, Digest], batch: Batch, sent: Mapping[str, Digest]) -> None:
    """Note in `acked` that the container has carried out the batch; `sent` are the digests of what was really sent."""
    for path in (*batch.removed, *batch.forget):
        acked.pop(path, None)
    acked.update((path, "d") for path in batch.make)
    acked.update((path, "l" + text) for path, text in (batch.links or {}).items())
    acked.update(sent)
