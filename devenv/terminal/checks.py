"""Findings as people read them: a short line where all is well, and what to do where it is not."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence

from devenv.errors import Finding, Status

MARKS: Mapping[Status, str] = {"ok": "✓", "warn": "!", "fail": "✗", "skipped": "-"}
COLORS: Mapping[Status, int] = {"ok": 32, "warn": 33, "fail": 31, "skipped": 90}


def finding_lines(finding: Finding, *, width: int, color: bool = False, verbose: bool = False) -> list[str]:
    """One finding: its line, and cause, cure and commands below it where it is not well."""
    mark = MARKS[finding.status]
    mark = f"\x1b[{COLORS[finding.status]}m{mark}\x1b[0m" if color else mark
    code = f" [{finding.code}]" if finding.code else ""
    lines = [f"{mark} {finding.id:<{width}}  {finding.text}{code}"]
    if finding.status in ("ok", "skipped"):
        return lines
    lines += [f"    why: {finding.cause}"] if finding.cause else []
    lines += [f"    what to do: {finding.cure}"] if finding.cure else []
    lines += [f"    $ {shlex.join(command)}" for command in finding.fixes]
    return [*lines, *(f"    {line}" for line in finding.detail.splitlines() if verbose)]


def report_lines(
    shown: Sequence[Finding],
    findings: Sequence[Finding],
    groups: Mapping[str, str],
    *,
    color: bool = False,
    verbose: bool = False,
) -> list[str]:
    """Some findings under the names of their groups, and a line that sums all of them up."""
    width = max((len(finding.id) for finding in shown), default=0)
    lines: list[str] = []
    for group in dict.fromkeys(groups[finding.id] for finding in shown):
        lines.append(group)
        for finding in shown:
            if groups[finding.id] == group:
                lines += [f"  {line}" for line in finding_lines(finding, width=width, color=color, verbose=verbose)]
    return [*lines, "", _summary(findings)]


def _summary(findings: Sequence[Finding]) -> str:
    counted = Counter(finding.status for finding in findings)
    words: Mapping[Status, str] = {"ok": "fine", "warn": "to look at", "fail": "failed", "skipped": "skipped"}
    text = ", ".join(f"{counted[status]} {word}" for status, word in words.items() if counted[status])
    able = sum(bool(finding.fixes) for finding in findings)
    return f"{text}; devenv doctor --fix mends {able} after asking" if able else text


def command_lines(finding: Finding) -> list[str]:
    """What `--fix` is about to run for a finding."""
    return [f"{finding.id}: {finding.text}", *(f"  $ {shlex.join(command)}" for command in finding.fixes)]
