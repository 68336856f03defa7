"""Which paths of a source are never sent: built-in names, `.gitignore` and `.devenvignore`.

Git's rule is followed: a folder that is ignored is not looked into, so nothing below it can be re-included; the file
nearest to a path decides. Format: gitignore(5).
"""

from __future__ import annotations

import os
from fnmatch import fnmatchcase
from pathlib import Path

from pathspec import GitIgnoreSpec

from devenv.sync.places import STAGE
from devenv.sync.script import STAGE_PREFIX

IGNORE_FILES = (".gitignore", ".devenvignore")

_NEVER = frozenset({".git", ".hg", ".svn", STAGE})
_NAMES = frozenset(
    {
        "__pycache__", ".venv", "node_modules", ".DS_Store", "Thumbs.db", "4913",
        ".mypy_cache", ".pytest_cache", ".ruff_cache", ".hypothesis", ".tox", ".nox",
    }
)  # fmt: skip
_PATTERNS = ("*.pyc", "*.pyo", "*.sw[a-p]", "*~", ".#*", "#*#", "*___jb_tmp___", "*___jb_old___", ".goutputstream-*")


class Ignore:
    """The ignore rules of one source, as they stand now; make a new one when an ignore file changes.

    Above the source, the ignore files up to the root of its git repository count too, but the source itself is never
    ignored: it was named.
    """

    def __init__(self, source: Path) -> None:
        self._source = source
        self._above = [(_prefix(source, folder), spec) for folder in _parents(source) if (spec := _read(folder))]
        self._specs: dict[str, GitIgnoreSpec | None] = {}
        self._verdicts: dict[tuple[str, bool], bool] = {}

    def matches(self, path: str, *, is_dir: bool) -> bool:
        """True where `path` (relative, with `/`) or a folder above it is ignored."""
        parts = path.split("/")
        above = ("/".join(parts[:count]) for count in range(1, len(parts)))
        return any(self.prunes(folder, is_dir=True) for folder in above) or self.prunes(path, is_dir=is_dir)

    def prunes(self, path: str, *, is_dir: bool) -> bool:
        """True where `path` itself is ignored; the folders above it are taken not to be."""
        key = (path, is_dir)
        if key not in self._verdicts:
            self._verdicts[key] = self._judge(path, is_dir=is_dir)
        return self._verdicts[key]

    def _judge(self, path: str, *, is_dir: bool) -> bool:
        name = path.rpartition("/")[2]
        if name in _NEVER or name.startswith(STAGE_PREFIX):
            return True
        asked = self._ask(path + "/" if is_dir else path)
        return _is_built_in(name) if asked is None else asked

    def _ask(self, path: str) -> bool | None:
        folder = path.rstrip("/").rpartition("/")[0]
        while True:
            spec = self._spec(folder)
            verdict = spec.check_file(path[len(folder) + 1 :] if folder else path).include if spec else None
            if verdict is not None or not folder:
                break
            folder = folder.rpartition("/")[0]
        if verdict is not None:
            return verdict
        answers = (spec.check_file(prefix + path).include for prefix, spec in self._above)
        return next((answer for answer in answers if answer is not None), None)

    def _spec(self, folder: str) -> GitIgnoreSpec | None:
        if folder not in self._specs:
            self._specs[folder] = _read(self._source / folder)
        return self._specs[folder]


def _is_built_in(name: str) -> bool:
    return name in _NAMES or any(fnmatchcase(name, pattern) for pattern in _PATTERNS)


def _read(folder: Path) -> GitIgnoreSpec | None:
    lines: list[str] = []
    for name in IGNORE_FILES:
        try:
            lines += (folder / name).read_text(encoding="utf-8", errors="surrogateescape").splitlines()
        except OSError:
            continue
    return GitIgnoreSpec.from_lines(lines) if lines else None


def _parents(source: Path) -> list[Path]:
    """The folders above `source` up to the root of its git repository, nearest first; none outside a repository."""
    if (source / ".git").exists():
        return []
    parents = list(source.parents)
    root = next((place for place, folder in enumerate(parents) if (folder / ".git").exists()), -1)
    return parents[: root + 1]


def _prefix(source: Path, folder: Path) -> str:
    return os.path.relpath(source, folder).replace(os.sep, "/") + "/"
