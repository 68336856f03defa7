"""Log lines of many units on stdout."""

from __future__ import annotations

import json
import sys

from devenv.terminal.colors import prefix, without_codes


class LinePrinter:
    """Prints each line with its unit in front, or as one JSON object a line; programs' colours only on a terminal."""

    def __init__(self, *, as_json: bool, color: bool) -> None:
        self._json = as_json
        self._color = color and sys.stdout.isatty()
        self._width = 8

    def line(self, unit: str, text: str) -> None:
        """Print one line."""
        if not self._color:
            text = without_codes(text)
        if self._json:
            sys.stdout.write(json.dumps({"unit": unit, "line": text}) + "\n")
        else:
            self._width = max(self._width, len(unit))
            sys.stdout.write(prefix(unit, self._width, color=self._color) + text + "\n")
        sys.stdout.flush()
