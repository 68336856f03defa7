"""`devenv doctor`."""

from __future__ import annotations

from dataclasses import asdict

import typer

from devenv.cli.app import app
from devenv.cli.load import load_machine
from devenv.cli.options import OutputOption, VerboseOption


@app.command()
def doctor(output: OutputOption = "text", verbose: VerboseOption = False) -> None:
    """Check what devenv needs of this machine. Exits with 16 where something is missing."""
    from devenv.flows.doctor import examine
    from devenv.terminal.progress import make_progress
    from devenv.terminal.render import print_json, print_lines
    from devenv.wiring import make_world

    findings = examine(make_world(load_machine(), make_progress(color=False)))
    if output == "json":
        print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            mark = "✓" if finding.ok else "✗"
            lines = [f"{mark} {finding.name:<16} {finding.text}"]
            print_lines(lines if finding.ok else [*lines, f"  what to do: {finding.cure} [{finding.code}]"])
    if not all(finding.ok for finding in findings):
        raise typer.Exit(16)
