"""`devenv doctor`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from devenv.cli.app import app
from devenv.cli.load import load_machine, wants_color
from devenv.cli.options import FileOption, NoColorOption, OutputOption, ProfileOption, VerboseOption, YesOption
from devenv.errors import ConfigError, Finding

if TYPE_CHECKING:
    from devenv.checks.check import Scene
    from devenv.flows.doctor import Repair


@app.command()
def doctor(
    checks: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Only these checks.")] = None,
    fix: Annotated[bool, typer.Option("--fix", help="Mend what commands can; shows each and asks.")] = False,
    online: Annotated[bool, typer.Option("--online", help="Also check what needs the network.")] = False,
    file: FileOption = None,
    profile: ProfileOption = None,
    yes: YesOption = False,
    output: OutputOption = "text",
    no_color: NoColorOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Check what devenv needs of this machine; changes nothing without --fix. Exits with 16 where something fails."""
    from devenv.flows.doctor import examine_some, fixable
    from devenv.terminal.checks import command_lines
    from devenv.terminal.progress import make_progress
    from devenv.terminal.prompts import is_interactive
    from devenv.terminal.render import print_json

    for name in checks or ():
        _require_check(name)
    scene = _scene(file, profile or ())
    findings = examine_some(scene, checks or (), online=online)
    show = _printer(color=wants_color(no_color=no_color), verbose=verbose)
    if output == "text":
        show(findings, findings)
    to_fix = fixable(findings) if fix else []
    unasked = bool(to_fix) and not yes and (output == "json" or not is_interactive())
    repairs = _mend(scene, findings, yes=yes) if to_fix and not unasked else []
    if repairs:
        findings = examine_some(scene, checks or (), online=online)
    if output == "json":
        print_json({"checks": [asdict(f) for f in findings], "repairs": [asdict(repair) for repair in repairs]})
    elif repairs:
        show([finding for finding in findings if finding.status in ("warn", "fail")], findings)
    if unasked:
        progress = make_progress(color=False)
        progress.note("not run, for nobody can be asked here; --yes runs these:")
        for finding in to_fix:
            progress.note("\n".join(command_lines(finding)))
    if unasked or any(finding.status == "fail" for finding in findings):
        raise typer.Exit(16)


def _require_check(name: str) -> None:
    """UsageError check-unknown for a word that is no check's id."""
    from devenv import problems
    from devenv.checks.catalogue import CHECKS
    from devenv.cli.words import did_you_mean
    from devenv.errors import UsageError

    known = [check.id for check in CHECKS]
    if name not in known:
        raise UsageError(problems.CHECK_UNKNOWN, name=name, nearest=did_you_mean(name, known))


def _printer(*, color: bool, verbose: bool) -> Callable[[Sequence[Finding], Sequence[Finding]], None]:
    """Prints some findings, and the summary of all."""
    from devenv.checks.catalogue import CHECKS
    from devenv.terminal.checks import report_lines
    from devenv.terminal.render import print_lines

    groups = {check.id: check.group for check in CHECKS}
    colored = color and sys.stdout.isatty()

    def show(shown: Sequence[Finding], all_of_them: Sequence[Finding]) -> None:
        print_lines(report_lines(shown, all_of_them, groups, color=colored, verbose=verbose))

    return show


def _scene(file: Path | None, profiles: Sequence[str]) -> Scene:
    """What checks look at; settings and an environment that can't be read are theirs to tell."""
    from devenv.config.load import load
    from devenv.config.model import Settings
    from devenv.wiring import make_scene

    settings, settings_error = Settings(Path("settings.yaml")), None
    environment, environment_error = None, None
    try:
        settings = load_machine()
    except ConfigError as error:
        settings_error = error
    try:
        # Not as other commands do: those keep the names for completion, and nothing is written here.
        environment = load(file, start=Path.cwd(), profiles=profiles)
    except Exception as error:  # noqa: BLE001 - the check tells of it, and the others go on
        environment_error = error
    return make_scene(settings, environment, settings_error=settings_error, environment_error=environment_error)


def _mend(scene: Scene, findings: Sequence[Finding], *, yes: bool) -> list[Repair]:
    from devenv.flows.doctor import mend
    from devenv.terminal.checks import command_lines
    from devenv.terminal.progress import make_progress
    from devenv.terminal.prompts import ask
    from devenv.wiring import make_hands

    progress = make_progress(color=False)

    def consent(finding: Finding) -> bool:
        progress.note("\n".join(command_lines(finding)))
        return yes or ask("run this?")

    repairs = []
    for repair in mend(scene, findings, consent=consent, run=make_hands(scene.settings)):
        progress.note(f"  {repair.outcome}: {repair.before} → {repair.after}  {repair.text}")
        repairs.append(repair)
    return repairs
