"""Results as text for people or JSON for programs, on stdout; errors as text on stderr or as a JSON envelope."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from devenv.errors import DevenvError
from devenv.terminal.checks import finding_lines
from devenv.terminal.colors import without_codes


def print_json(value: object) -> None:
    """One JSON document on stdout."""
    sys.stdout.write(json.dumps(value, indent=2, default=str) + "\n")
    sys.stdout.flush()


def print_lines(lines: Sequence[str]) -> None:
    """Lines on stdout."""
    for line in lines:
        sys.stdout.write(line + "\n")
    sys.stdout.flush()


def print_bytes(data: bytes, *, to_stderr: bool = False) -> None:
    """What a remote program wrote, as it came."""
    stream = sys.stderr if to_stderr else sys.stdout
    stream.buffer.write(data)
    stream.buffer.flush()


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of aligned columns."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))] if rows else []
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def error_lines(error: DevenvError) -> list[str]:
    """An error as people read it: what, details, checks that may explain it, a blank line, the hint."""
    lines = [f"error: {error.message} [{error.code}]", *(f"  {without_codes(line)}" for line in error.details)]
    width = max((len(finding.id) for finding in error.checks), default=0)
    lines += [f"  {line}" for finding in error.checks for line in finding_lines(finding, width=width)]
    return [*lines, "", f"hint: {error.hint}"] if error.hint else lines


def error_envelope(error: DevenvError) -> Mapping[str, Any]:
    """An error as programs read it."""
    return {
        "error": {
            "code": error.code,
            "message": error.message,
            "details": [without_codes(line) for line in error.details],
            "hint": error.hint,
        },
        "checks": [asdict(finding) for finding in error.checks],
        "exit": {"code": error.exit_code, "origin": "devenv"},
    }


def print_error(error: DevenvError, *, as_json: bool, color: bool) -> None:
    """Tell an error: text on stderr, or the envelope on stdout."""
    if as_json:
        print_json(error_envelope(error))
        return
    lines = error_lines(error)
    if color and sys.stderr.isatty():
        lines[0] = lines[0].replace("error:", "\x1b[31merror:\x1b[0m", 1)
    sys.stderr.write("\n".join(lines) + "\n")
    sys.stderr.flush()
