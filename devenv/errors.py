"""The whole error tree.

    DevenvError            what a user is told; everything below carries an exit code
    ├── UsageError      2  the command line asks for something that is not there
    ├── ConfigError    10  devenv.yaml, a profile or the settings are not valid
    ├── ToolError      11  a program or daemon on this machine is missing or stopped
    ├── ClusterError   12  the cluster or its API does not do what was asked
    ├── NotReady       13  something was deployed and is not ready in time
    ├── SyncError      14  source files could not be brought into a container
    ├── Refused        15  unsafe, or not confirmed
    ├── CheckFailed    16  a check (verify, doctor, docs) found something
    └── RunLost        17  a test run did not come to its end (timeout, lost pod)

Other exit codes: 0 done, 70 a bug in devenv, 130 interrupted. `devenv test` passes on the runner's own code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

EXIT_BUG = 70
EXIT_INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Problem:
    """One entry of the catalogue of what can go wrong.

    `code` is stable kebab-case; `message` and `cure` are `str.format` templates over the facts an error is raised
    with; `cause` is a full sentence or two for `devenv explain` and the FAQ page.
    """

    code: str
    message: str
    cause: str
    cure: str


Status = Literal["ok", "warn", "fail", "skipped"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check of this machine found, and what to do where it is not well.

    `id` and `title` are the check's, the id a stable one; `code` is the catalogue's entry, where one fits; `fixes` are
    the commands that put it right, in this order; `detail` is the trace of a check that itself failed.
    """

    id: str
    status: Status
    title: str
    text: str
    cause: str = ""
    cure: str = ""
    code: str = ""
    fixes: tuple[tuple[str, ...], ...] = ()
    detail: str = ""


class DevenvError(Exception):
    """An error that a user is told: a problem of the catalogue, the facts that fill it, and detail lines.

    `hint` replaces the catalogue's cure where the place that raises knows better. `checks` are findings on this
    machine that may explain it.
    """

    exit_code: ClassVar[int] = EXIT_BUG

    def __init__(
        self, problem: Problem, *, details: Sequence[str] = (), hint: str | None = None, **facts: object
    ) -> None:
        self.problem = problem
        self.facts = facts
        self.details = tuple(details)
        self.checks: tuple[Finding, ...] = ()
        self.message = problem.message.format(**facts)
        self.hint = hint if hint is not None else problem.cure.format(**facts)
        super().__init__(self.message)

    @property
    def code(self) -> str:
        """The stable code of the catalogue entry."""
        return self.problem.code


class UsageError(DevenvError):
    """The command line asks for something that is not there."""

    exit_code = 2


class ConfigError(DevenvError):
    """devenv.yaml, a profile or the settings are not valid; `details` has one line for each fault."""

    exit_code = 10


class ToolError(DevenvError):
    """A program or daemon on this machine is missing, stopped or fails."""

    exit_code = 11


class ClusterError(DevenvError):
    """The cluster or its API does not do what was asked."""

    exit_code = 12


class NotReady(DevenvError):  # noqa: N818 - reads as what it says
    """Something was deployed and is not ready (in time)."""

    exit_code = 13


class SyncError(DevenvError):
    """Source files could not be brought into a container."""

    exit_code = 14


class Refused(DevenvError):  # noqa: N818 - reads as what it says
    """Unsafe, or not confirmed."""

    exit_code = 15


class CheckFailed(DevenvError):  # noqa: N818 - reads as what it says
    """A check found something."""

    exit_code = 16


class RunLost(DevenvError):  # noqa: N818 - reads as what it says
    """A test run did not come to its end."""

    exit_code = 17
