"""The command line: registrations, and the one boundary where errors become words and exit codes."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import Annotated, Any

import typer

from devenv import __version__
from devenv.cli.help import dress
from devenv.errors import EXIT_BUG, EXIT_INTERRUPTED, DevenvError, UsageError

GOES_ON = "interrupted; what is there stays, and the same command goes on from it"
INTERRUPTED = {
    "up": GOES_ON,
    "down": GOES_ON,
    "test": "the test run was interrupted: nothing of it goes on in the pod; the environment stays as it is",
    "wait": "the wait was interrupted; the environment stays as it is",
    "logs": "the logs were interrupted; what prints them goes on",
}
"""What is told after Ctrl-C, by command."""

app = typer.Typer(
    name="devenv",
    help="The environment that a service really runs in, on your machine: cluster, dependencies, live sync, tests.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(value: bool) -> None:  # noqa: FBT001 - typer's callback has this shape
    if value:
        typer.echo(f"devenv {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Bring environments up, work in them, test in them, take them down."""


def main(argv: Sequence[str]) -> int:
    """Run one command line; returns the exit code, having told any error."""
    _interrupt_on_term()
    _start_log()
    try:
        result = make_command()(list(argv), prog_name="devenv", standalone_mode=False)
    except DevenvError as error:
        return _tell(error, argv)
    except (KeyboardInterrupt, typer.Abort):
        _tell_interruption(argv)
        return EXIT_INTERRUPTED
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except Exception as error:  # noqa: BLE001 - the one place where a bug becomes a message
        return _tell_usage(error, argv) if hasattr(error, "format_message") else _tell_bug(error, argv)
    if result == EXIT_INTERRUPTED:
        # What typer makes of Ctrl-C inside a command.
        _tell_interruption(argv)
    return result if isinstance(result, int) else 0


def make_command() -> Any:
    """The whole command line as typer makes it, with the examples in its help."""
    _register()
    return dress(typer.main.get_command(app))


def run() -> None:
    """The console script."""
    code = main(sys.argv[1:])
    sys.stdout.flush()
    sys.exit(code)


def _register() -> None:
    from devenv.cli import (  # noqa: F401
        attach,
        completion,
        config,
        doctor,
        down,
        explain,
        forward,
        init,
        logs,
        profiles,
        session,
        status,
        sync,
        test,
        trust,
        up,
        url,
        version,
        wait,
    )


def _interrupt_on_term() -> None:
    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)


def _start_log() -> None:
    from devenv.host.paths import log_file

    try:
        path = log_file("last")
        path.parent.mkdir(parents=True, exist_ok=True)
        handler: logging.Handler = logging.FileHandler(path, mode="w", encoding="utf-8")
    except OSError:
        handler = logging.NullHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(threadName)s %(levelname)s %(message)s"))
    logger = logging.getLogger("devenv")
    logger.handlers = [handler]
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    logger.debug("devenv %s: %s", __version__, sys.argv)


def _wants_json(argv: Sequence[str]) -> bool:
    joined = " ".join(argv)
    return any(form in f" {joined} " for form in (" -o json ", " --output json ", " --output=json ", " -ojson "))


def _is_verbose(argv: Sequence[str]) -> bool:
    return "-v" in argv or "--verbose" in argv


def _tell_interruption(argv: Sequence[str]) -> None:
    sys.stderr.write(f"{INTERRUPTED.get(argv[0] if argv else '', 'interrupted')}\n")


def _tell(error: DevenvError, argv: Sequence[str]) -> int:
    from devenv.terminal.render import print_error

    logging.getLogger("devenv").error("%s", error, exc_info=error)
    if _is_verbose(argv):
        _print_trace(error)
    color = "NO_COLOR" not in os.environ and "--no-color" not in argv
    print_error(error, as_json=_wants_json(argv), color=color)
    return error.exit_code


def _tell_usage(error: Exception, argv: Sequence[str]) -> int:
    from devenv.cli.usage import is_help, usage_error

    if is_help(error):
        sys.stderr.write(f"{error}\n")
        return UsageError.exit_code
    return _tell(usage_error(error), argv)


def _tell_bug(error: Exception, argv: Sequence[str]) -> int:
    from devenv import problems
    from devenv.host.paths import log_file

    reason = f"{type(error).__name__}: {error}"
    _tell(DevenvError(problems.BUG, reason=reason, log=log_file("last")), argv)
    logging.getLogger("devenv").error("trace", exc_info=error)
    if _is_verbose(argv):
        _print_trace(error)
    return EXIT_BUG


def _print_trace(error: BaseException) -> None:
    import traceback

    sys.stderr.write("".join(traceback.format_exception(error)))
