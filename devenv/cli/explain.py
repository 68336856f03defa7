"""`devenv explain`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from devenv.cli.app import app
from devenv.cli.options import OutputOption


@app.command()
def explain(
    code: Annotated[str | None, typer.Argument(help="The code in an error, such as docker-not-running.")] = None,
    output: OutputOption = "text",
) -> None:
    """Explain an error by its code: what it means and what to do. Without a code: list them."""
    from devenv.cli.words import did_you_mean
    from devenv.errors import UsageError
    from devenv.problems import CATALOGUE, CODE_UNKNOWN, find_problem
    from devenv.terminal.render import print_json, print_lines

    if code is None:
        listed = [asdict(problem) for problem in CATALOGUE]
        print_json(listed) if output == "json" else print_lines([f"{p.code:<24} {p.message}" for p in CATALOGUE])
        return
    problem = find_problem(code)
    if problem is None:
        close = did_you_mean(code, [problem.code for problem in CATALOGUE])
        raise UsageError(CODE_UNKNOWN, code_given=code, nearest=close)
    if output == "json":
        print_json(asdict(problem))
        return
    cure = problem.cure.replace("{{", "{").replace("}}", "}")
    print_lines([f"{problem.code}: {problem.message}", "", problem.cause, "", f"What to do: {cure}"])
