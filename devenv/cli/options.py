"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

Output = Literal["text", "json"]

FileOption = Annotated[
    Path | None, typer.Option("--file", "-f", help="devenv.yaml to use (default: here or in a folder above).")
]
LongFileOption = Annotated[
    Path | None, typer.Option("--file", help="devenv.yaml to use (default: here or in a folder above).")
]
"""For the commands where -f means --follow, as everywhere."""
ProfileOption = Annotated[
    list[str] | None,
    typer.Option("--profile", "-p", metavar="NAME", help="Profile to use; several are merged, the later wins."),
]
RealOption = Annotated[list[str] | None, typer.Option("--real", metavar="NAME", help="Run this dependency for real.")]
StubOption = Annotated[list[str] | None, typer.Option("--stub", metavar="NAME", help="Stub this dependency.")]
OffOption = Annotated[list[str] | None, typer.Option("--off", metavar="NAME", help="Leave this dependency out.")]
OnlyOption = Annotated[
    list[str] | None, typer.Option("--only", metavar="GROUP", help="Only this group, with what it needs.")
]
OutputOption = Annotated[Output, typer.Option("--output", "-o", help="Print for people or as JSON.")]
VerboseOption = Annotated[bool, typer.Option("--verbose", "-v", help="Show the trace of an error.")]
NoColorOption = Annotated[bool, typer.Option("--no-color", help="No colours (NO_COLOR does the same).")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Answer every question with yes.")]
TimeoutOption = Annotated[float, typer.Option("--timeout", metavar="SECONDS", help="How long to wait.")]
TrustOption = Annotated[
    bool, typer.Option("--trust", help="Let the commands of hooks and secrets run, now and from now on.")
]
NoHooksOption = Annotated[bool, typer.Option("--no-hooks", help="Leave the hooks out.")]
TakeOverOption = Annotated[
    bool, typer.Option("--take-over", help="End a session of this environment that lives in another terminal.")
]
