"""Reads a folder into a value that can be compared, ignoring what sync ignores by design."""

from __future__ import annotations

import os
from pathlib import Path


def read_tree(root: Path) -> dict[str, object]:
    found: dict[str, object] = {}
    for folder, names, files in os.walk(root):
        for name in names + files:
            place = Path(folder) / name
            key = str(place.relative_to(root))
            if place.is_symlink():
                found[key] = ("link", os.readlink(place))
            elif place.is_dir():
                found[key] = "dir"
            else:
                found[key] = (place.read_bytes(), bool(place.stat().st_mode & 0o100))
    return found
