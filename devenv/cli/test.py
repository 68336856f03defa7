"""`devenv test`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from devenv.cli.app import app
from devenv.cli.load import Choice, load_environment, load_machine, wants_color
from devenv.cli.options import FileOption, NoColorOption, OutputOption, TimeoutOption, VerboseOption


@app.command()
def test(
    service: Annotated[
        str | None, typer.Argument(help="The service to test (default: the one that has a test).")
    ] = None,
    arguments: Annotated[list[str] | None, typer.Argument(metavar="[-- ARGS]...", help="Added to the command.")] = None,
    file: FileOption = None,
    timeout: TimeoutOption = 1800.0,
    output: OutputOption = "text",
    no_color: NoColorOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Run a service's tests inside its pod, once what is saved is there; exits with the runner's own code."""
    from devenv.flows.cluster import reach
    from devenv.flows.test import TestRequest, choose_service, run_tests
    from devenv.session.lifecycle import bring_in_sync
    from devenv.terminal.progress import make_progress
    from devenv.terminal.render import print_bytes, print_json
    from devenv.wiring import make_world

    environment = load_environment(Choice(file))
    if service is not None and not names_service(sys.argv, service):
        arguments = [service, *(arguments or [])]
        service = None
    progress = make_progress(color=wants_color(no_color=no_color))
    request = TestRequest(environment, choose_service(environment, service), tuple(arguments or ()), timeout)
    world = make_world(load_machine(), progress)
    kube = reach(world)

    def show(data: bytes, stream: str) -> None:
        print_bytes(data, to_stderr=stream == "stderr" or output == "json")

    result = run_tests(request, kube, world, sync=lambda name: bring_in_sync(environment, name, kube, world), show=show)
    if output == "json":
        print_json({**asdict(result), "exit": {"code": result.code, "origin": "runner"}})
    raise typer.Exit(result.code)


def names_service(argv: Sequence[str], word: str) -> bool:
    """Whether the first word of a command line's names stands before `--`: behind it, it is the runner's."""
    words = list(argv)
    return "--" not in words or word in words[: words.index("--")]
