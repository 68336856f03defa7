"""The names of a project: kept by each command that loads an environment, read at a tab while its files are the same.

One text file per project in the cache folder, a line for each thing, fields between tabs (why: see `table.py`):

    names  VERSION  FILE                        first: whose names these are
    stamp  FILE  MTIME_NS  SIZE                 a file that was read
    service | dependency | group  PROFILE  NAME  FORMS

PROFILE is "" for what is used without -p, FORMS says how a dependency can be provided. Nothing here raises for what is
or is not on the disk.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    Stamp = list[str]
    Names = list[tuple[str, str, str]]

FILE = "devenv.yaml"
VERSION = "1"
LONGEST_NAME = 200


def find_file(start: str) -> str:
    """devenv.yaml in a folder or the nearest above it; "" where there is none."""
    folder = os.path.abspath(start)
    while not os.path.isfile(os.path.join(folder, FILE)):
        if folder == os.path.dirname(folder):
            return ""
        folder = os.path.dirname(folder)
    return os.path.join(folder, FILE)


def own_profiles(root: str) -> list[str]:
    """The names of the profiles beside devenv.yaml."""
    try:
        return sorted(name[:-5] for name in os.listdir(os.path.join(root, "profiles")) if name.endswith(".yaml"))
    except OSError:
        return []


def take_stamp(file: str) -> Stamp:
    """Lines with time and size of devenv.yaml, and of devenv.local.yaml and the profiles beside it if there are any."""
    root = os.path.dirname(file)
    local = os.path.join(root, "devenv.local.yaml")
    profiles = [os.path.join(root, "profiles", f"{name}.yaml") for name in own_profiles(root)]
    stamp = []
    for path in (file, local, *profiles):
        try:
            seen = os.stat(path)
        except OSError:
            continue
        stamp.append(f"stamp\t{path}\t{seen.st_mtime_ns}\t{seen.st_size}")
    return stamp


def cache_file(file: str) -> str:
    """Where the names of the project with that devenv.yaml are kept; two with very long paths may share it in turns."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(base, "devenv", "names", file.replace("%", "%%").replace(os.sep, "%")[-LONGEST_NAME:])


def recall(file: str, profile: str) -> Names | None:
    """The kept names of a profile as (kind, name, forms), or None where nothing is kept or a file changed since."""
    kept = [line.split("\t") for line in _kept_lines(file, take_stamp(file))]
    found = [(kind, name, forms) for kind, chosen, name, forms in kept if chosen == profile]
    return found or None


def remember(file: str, profile: str, stamp: Stamp, names: Names) -> None:
    """Keep the names that files of that stamp (taken before they were read) hold; written only where they are new."""
    kept = _kept_lines(file, stamp)
    own = [f"{kind}\t{profile}\t{name}\t{forms}" for kind, name, forms in names]
    others = [line for line in kept if line.split("\t")[1] != profile]
    if sorted([*own, *others]) != sorted(kept) or not kept:
        _write(cache_file(file), [_first_line(file), *stamp, *own, *others])


def forget(file: str) -> None:
    """Keep no names of a project any more; a tab reads its files again."""
    try:
        os.unlink(cache_file(file))
    except OSError:
        return


def _first_line(file: str) -> str:
    return f"names\t{VERSION}\t{file}"


def _kept_lines(file: str, stamp: Stamp) -> list[str]:
    """The lines with names, where those were read from files of that very stamp."""
    try:
        with open(cache_file(file), encoding="utf-8", errors="surrogateescape") as opened:
            lines = opened.read().split("\n")[:-1]
    except OSError:
        return []
    head = [_first_line(file), *stamp]
    rest = lines[len(head) :]
    right = lines[: len(head)] == head and all(line.count("\t") == 3 and line[:6] != "stamp\t" for line in rest)
    return rest if right else []


def _write(place: str, lines: list[str]) -> None:
    fresh = f"{place}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(place), exist_ok=True)
        with open(fresh, "w", encoding="utf-8", errors="surrogateescape") as opened:
            opened.write("".join(f"{line}\n" for line in lines))
        os.replace(fresh, place)
    except OSError:
        # A full or read-only disk makes tabs slower, nothing else.
        return
