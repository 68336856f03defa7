"""Questions to the file system that no path can break: one too long, or a circle of links, is not there."""

from __future__ import annotations

import os
from pathlib import Path


def resolved(path: Path) -> Path:
    """The path without links and dots, as far as it exists."""
    return Path(os.path.realpath(path))


def is_file(path: Path) -> bool:
    """Whether a file stands there."""
    return os.path.isfile(path)  # noqa: PTH113 - Path.is_file raises for a name that is too long


def is_folder(path: Path) -> bool:
    """Whether a folder stands there."""
    return os.path.isdir(path)  # noqa: PTH112 - as above


def exists(path: Path) -> bool:
    """Whether anything stands there."""
    return os.path.exists(path)  # noqa: PTH110 - as above
