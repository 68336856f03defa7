"""Log lines of many units on stdout."""

from __future__ import annotations

import json
import re
import sys

from devenv.terminal.colors import prefix

_CODES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_])")
"""What programs send to colour a terminal or to name its window (ECMA-48: CSI, OSC and two-byte sequences)."""


class LinePrinter:
    """Prints each line with its unit in front, or as one JSON object a line; programs' colours only on a terminal."""

    def __init__(self, *, as_json: bool, color: bool) -> None:
        self._json = as_json
        self._color = color and sys.stdout.isatty()
        self._width = 8

    def line(self, unit: str, text: str) -> None:
        """Print one line."""
        if not self._color:
            text = _CODES.sub("", text)
        if self._json:
            sys.stdout.write(json.dumps({"unit": unit, "line": text}) + "\n")
        else:
            self._width = max(self._width, len(unit))
            sys.stdout.write(prefix(unit, self._width, color=self._color) + text + "\n")
        sys.stdout.flush()
