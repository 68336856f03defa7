"""`devenv completion`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from devenv.cli.app import app
from devenv.cli.options import VerboseOption, YesOption
from devenv.completion.install import Edit, Shell

completion = typer.Typer(help="Offer commands, options and names at the tab key.", no_args_is_help=True)
app.add_typer(completion, name="completion")


@completion.command()
def bash() -> None:
    """Print the completion script for bash."""
    _print("bash")


@completion.command()
def zsh() -> None:
    """Print the completion script for zsh."""
    _print("zsh")


@completion.command()
def fish() -> None:
    """Print the completion script for fish."""
    _print("fish")


@completion.command()
def install(
    shell: Annotated[Shell | None, typer.Option("--shell", help="The shell (default: the one you use).")] = None,
    yes: YesOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Write the script where the shell looks for it; each file is shown, and asked for, before it is changed."""
    from devenv import problems
    from devenv.completion.install import edits, has_bash_completion, shell_of
    from devenv.errors import UsageError
    from devenv.terminal.render import print_lines

    chosen = shell or shell_of(os.environ)
    if chosen is None:
        raise UsageError(problems.SHELL_UNKNOWN, shell=os.environ.get("SHELL", ""))
    wanted = edits(chosen, os.environ, home=Path.home(), loads_scripts=has_bash_completion())
    if all(edit.done for edit in wanted):
        print_lines([f"completion for {chosen} is installed: {wanted[0].path}"])
        return
    for edit in wanted:
        _change(edit, yes=yes)
    print_lines([f"completion for {chosen} is installed; it works in the next {chosen} you start"])


def _print(shell: Shell) -> None:
    from devenv.completion.install import script
    from devenv.terminal.render import print_lines

    print_lines(script(shell).splitlines())


def _change(edit: Edit, *, yes: bool) -> None:
    from devenv import problems
    from devenv.errors import Refused, ToolError
    from devenv.terminal.prompts import confirm
    from devenv.terminal.render import print_lines

    if edit.done:
        return
    what = "add to" if edit.append else "write"
    print_lines([f"{what} {edit.path}:", *(f"  {line}" for line in edit.text.strip().splitlines()), ""])
    if not yes and not confirm(f"{what} {edit.path}?"):
        raise Refused(problems.UNCONFIRMED, action=f"{what} {edit.path}")
    try:
        edit.apply()
    except OSError as error:
        raise ToolError(problems.FILE_NOT_WRITTEN, file=edit.path, reason=error.strerror) from error
