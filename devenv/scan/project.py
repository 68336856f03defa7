"""A project as `devenv init` sees it: which files there are, and the texts of those that tell something."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

SKIPPED = frozenset(
    {
        ".git", ".hg", ".svn", ".devenv", ".idea", ".vscode", "node_modules", "bower_components", "vendor",
        ".venv", "venv", "env", "site-packages", "__pycache__", ".tox", ".nox", ".mypy_cache", ".pytest_cache",
        ".ruff_cache", "build", "dist", "target", "out", "bin", "obj", ".gradle", ".next", ".nuxt", "coverage",
        ".terraform", ".cache", "tmp",
    }
)  # fmt: skip
"""Folders that are not looked into: version control, what package managers fetched, what builds left."""

_TOLD_BY_NAME = re.compile(
    r"""(.*\.)?dockerfile(\..+)? | containerfile | .*\.ya?ml | \.env(\..+)? | .*\.env | \.gitignore | \.dockerignore
    | pyproject\.toml | requirements.*\.txt | setup\.(py|cfg) | pipfile | package\.json | go\.mod | pom\.xml
    | build\.gradle(\.kts)? | gemfile | cargo\.toml | composer\.json""",
    re.VERBOSE | re.IGNORECASE,
)
_ENVIRONMENT_FILE = re.compile(r"\.env(\..+)?|.*\.env", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Project:
    """Files by their path from the project's folder, with `/`: all of them, and the texts of those that were read.

    `folders` has those too that were not looked into; `left` says what was not looked at for its size, and why.
    """

    paths: frozenset[str] = frozenset()
    texts: Mapping[str, str] = field(default_factory=dict)
    folders: frozenset[str] = frozenset()
    left: tuple[str, ...] = ()

    def below(self, folder: str) -> list[str]:
        """The paths in a folder and those below it."""
        prefix = "" if folder in ("", ".") else f"{folder}/"
        return sorted(path for path in self.paths if path.startswith(prefix))

    def is_folder(self, path: str) -> bool:
        """Whether there is a folder of that path."""
        return path in ("", ".") or path in self.folders or any(known.startswith(f"{path}/") for known in self.paths)

    def has(self, path: str) -> bool:
        """Whether there is a file or folder of that path."""
        return path in self.paths or self.is_folder(path)


def tells(path: str) -> bool:
    """Whether the text of a file may say something about services, by its name."""
    return _TOLD_BY_NAME.fullmatch(posixpath.basename(path)) is not None


def is_environment_file(path: str) -> bool:
    """Whether a file's name says that it holds environment variables."""
    return _ENVIRONMENT_FILE.fullmatch(posixpath.basename(path)) is not None


def join(folder: str, path: str) -> str:
    """A path written in a file of `folder`, seen from the project's folder; "." is that folder itself."""
    return posixpath.normpath(posixpath.join(folder or ".", path.replace("\\", "/") if "\\" in path else path))


def relative(path: str, folder: str) -> str:
    """A path from the project's folder as a file in `folder` writes it."""
    return posixpath.relpath(path or ".", folder or ".")
