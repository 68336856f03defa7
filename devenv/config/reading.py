"""Files of one project to trees of the current version, with environment variables put in."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from devenv.config.interpolate import Interpolation
from devenv.config.source import Fault, Map, read_file
from devenv.config.versions import upgrade


class Reader:
    """Reads the files of a project; faults gather in `faults`, those of variables alone in `unset`."""

    def __init__(self, faults: list[Fault], environ: Mapping[str, str] | None = None) -> None:
        self._faults = faults
        self._environ = os.environ if environ is None else environ
        self.unset: list[Fault] = []

    def read(self, file: Path, *, profile: bool = False) -> Map | None:
        """The tree of a file; in a `profile`, and under `dependencies`, uses of parameters stay as they are.

        None with a fault where it is not readable or of another version.
        """
        written = read_file(file, self._faults)
        tree = upgrade(written, self._faults) if written else None
        return self._filled(tree, profile=profile) if tree else None

    def _filled(self, tree: Map, *, profile: bool) -> Map:
        own = {key: entry for key, entry in tree.entries.items() if profile or key != "dependencies"}
        filled = self._put(Map(own, tree.origin), parameters=profile)
        rest = {key: entry for key, entry in tree.entries.items() if key not in own}
        filled_rest = self._put(Map(rest, tree.origin), parameters=True)
        both = {**filled.entries, **filled_rest.entries}
        return Map({key: both[key] for key in tree.entries}, tree.origin)

    def _put(self, tree: Map, *, parameters: bool) -> Map:
        interpolation = Interpolation(self._environ, parameters=parameters)
        filled = interpolation.put_into(tree)
        self.unset += interpolation.faults
        return filled
