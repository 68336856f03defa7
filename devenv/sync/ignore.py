"""Which paths of a source are never sent: built-in names, `.gitignore`, `.devenvignore`, and what git ignores besides.

Git's rule is followed: a folder that is ignored is not looked into, so nothing below it can be re-included; the file
nearest to a path decides, then `.git/info/exclude`, then the user's own `core.excludesFile`. Format: gitignore(5).
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase, translate
from pathlib import Path

from devenv.sync.entries import RACY_NS, stamp_of
from devenv.sync.git import Repository, find_repository, ignore_settings
from devenv.sync.places import STAGE
from devenv.sync.rules import Rule, Rules
from devenv.sync.script import STAGE_PREFIX

# From the weakest to the strongest of a folder.
IGNORE_FILES = (".gitignore", ".devenvignore")

_NEVER = frozenset({".git", ".hg", ".svn", STAGE})
_NAMES = frozenset(
    {
        "__pycache__", ".venv", "node_modules", ".DS_Store", "Thumbs.db", "4913",
        ".mypy_cache", ".pytest_cache", ".ruff_cache", ".hypothesis", ".tox", ".nox",
    }
)  # fmt: skip
_PATTERNS = ("*.pyc", "*.pyo", "*.sw[a-p]", "*~", ".#*", "#*#", "*___jb_tmp___", "*___jb_old___", ".goutputstream-*")
_FITS_BUILT_IN = re.compile("|".join(translate(pattern) for pattern in _PATTERNS)).match


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a path is not sent: the path or folder that is ignored, and the rule; without one it is built in."""

    path: str
    rule: Rule | None = None

    def __str__(self) -> str:
        return str(self.rule) if self.rule else f"built-in: {_built_in(self.path.rpartition('/')[2])}"


@dataclass(frozen=True, slots=True)
class _Link:
    """Rules that may decide about a path: they see `before` + the path from `cut` on."""

    rules: Rules
    cut: int = 0
    before: bytes = b""


class Ignore:
    """The ignore rules of one source, as they stand now.

    Above the source, the ignore files up to the root of its git repository count too, but the source itself is never
    ignored: it was named.
    """

    def __init__(self, source: Path) -> None:
        source = Path(os.path.realpath(source))
        self._source = source
        self._stamps: dict[str, object] = {}
        self._folders: dict[str, bool] = {}
        repository = find_repository(source)
        settings = ignore_settings(repository) if repository else None
        self._fold = bool(settings and settings.fold)
        self._above: tuple[_Link, ...] = tuple(self._links_above(repository)) if repository else ()
        if repository:
            before = _prefix(source, repository.root)
            outer = (repository.common_dir / "info/exclude", settings.excludes if settings else None)
            links = (_Link(rules, before=before) for file in outer if file and (rules := self._read(str(file))))
            self._above += tuple(links)
        self._chains: dict[str, tuple[_Link, ...]] = {"": self._links_of("") + self._above}

    def current(self) -> Ignore:
        """These rules where no ignore file has changed since they were read, else the rules of now."""
        same = all(_stamp(file) == stamp for file, stamp in self._stamps.items())
        return self if same else Ignore(self._source)

    def matches(self, path: str, *, is_dir: bool) -> bool:
        """True where `path` (relative, with `/`) or a folder above it is ignored."""
        return self._is_below_ignored(path) or self.prunes(path, is_dir=is_dir)

    def prunes(self, path: str, *, is_dir: bool) -> bool:
        """True where `path` itself is ignored; the folders above it are taken not to be."""
        if not is_dir:
            return self._judge(path, is_dir=False) is not None
        known = self._folders.get(path)
        if known is None:
            known = self._folders[path] = self._judge(path, is_dir=True) is not None
        return known

    def why(self, path: str, *, is_dir: bool) -> Reason | None:
        """What ignores `path`, or the topmost folder above it that is ignored; None where nothing does."""
        parts = path.split("/")
        above = ("/".join(parts[:count]) for count in range(1, len(parts)))
        folder = next((folder for folder in above if self.prunes(folder, is_dir=True)), None)
        return self._judge(path, is_dir=is_dir) if folder is None else self._judge(folder, is_dir=True)

    def _is_below_ignored(self, path: str) -> bool:
        cut = path.find("/")
        while cut >= 0:
            if self.prunes(path[:cut], is_dir=True):
                return True
            cut = path.find("/", cut + 1)
        return False

    def _judge(self, path: str, *, is_dir: bool) -> Reason | None:
        folder, _, name = path.rpartition("/")
        if name in _NEVER or name.startswith(STAGE_PREFIX):
            return Reason(path)
        chain = self._chains.get(folder)
        rule = _decide(self._chain(folder) if chain is None else chain, path, name, is_dir=is_dir)
        if rule is not None:
            return None if rule.negative else Reason(path, rule)
        return Reason(path) if name in _NAMES or _FITS_BUILT_IN(name) else None

    def _chain(self, folder: str) -> tuple[_Link, ...]:
        """The rules for what is in a folder, the strongest first."""
        if folder not in self._chains:
            self._chains[folder] = self._links_of(folder) + self._chain(folder.rpartition("/")[0])
        return self._chains[folder]

    def _links_of(self, folder: str) -> tuple[_Link, ...]:
        place = f"{self._source}/{folder}" if folder else str(self._source)
        cut = len(os.fsencode(folder)) + 1 if folder else 0
        rules = [self._read(f"{place}/{name}", follow=False) for name in reversed(IGNORE_FILES)]
        return tuple(_Link(each, cut) for each in rules if each)

    def _links_above(self, repository: Repository) -> Iterator[_Link]:
        for folder in self._source.parents if repository.root != self._source else ():
            for name in reversed(IGNORE_FILES):
                rules = self._read(str(folder / name), follow=False)
                if rules:
                    yield _Link(rules, before=_prefix(self._source, folder))
            if folder == repository.root:
                return

    def _read(self, file: str, *, follow: bool = True) -> Rules | None:
        """The rules of a file, if it has any. Git does not follow an ignore file of a tree that is a link."""
        self._stamps[file] = stamp = _stamp(file)
        if stamp is None:
            return None
        try:
            handle = os.open(file, os.O_RDONLY | os.O_NONBLOCK | (0 if follow else os.O_NOFOLLOW))
            with open(handle, "rb") as opened:
                return Rules(self._called(file), opened.read(), fold=self._fold) or None
        except OSError:
            return None

    def _called(self, file: str) -> str:
        """A file's name from the source where it is in it or near, else whole."""
        name = os.path.relpath(file, self._source)
        return file if name.startswith("../../../") else name


def _decide(chain: tuple[_Link, ...], path: str, name: str, *, is_dir: bool) -> Rule | None:
    if not chain:
        return None
    whole, last = os.fsencode(path), os.fsencode(name)
    for link in chain:
        rule = link.rules.decide(link.before + whole[link.cut :], last, is_dir=is_dir)
        if rule is not None:
            return rule
    return None


def _built_in(name: str) -> str:
    return next((pattern for pattern in _PATTERNS if fnmatchcase(name, pattern)), name)


def _stamp(file: str) -> object:
    """What differs once the file is another; None where there is none."""
    try:
        status = os.stat(file)
    except OSError:
        return None
    racy = time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) < RACY_NS
    return object() if racy else stamp_of(status)


def _prefix(source: Path, folder: Path) -> bytes:
    return os.fsencode(os.path.relpath(source, folder).replace(os.sep, "/") + "/") if source != folder else b""
