"""A check as a value, what it gets to look at, and the words it answers with."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devenv.checks.facts import Daemon, Files, Machine, Network
from devenv.config.model import Environment, Settings
from devenv.errors import DevenvError, Problem, Status
from devenv.ports import Clusters, Command, Commands, Nodes, Stop

Argv = tuple[str, ...]
GIB = 1024**3
MIB = 1024**2


@dataclass(frozen=True, slots=True)
class Places:
    """Folders: where the user stands, the one of live sessions' sockets, the one of markers and logs."""

    here: Path
    runtime: Path
    state: Path


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything a check may look at. Where settings or environment can't be read, their error stands beside them.

    The environment is None where there is none here, or where it is not valid.
    """

    machine: Machine
    files: Files
    network: Network
    daemon: Daemon
    commands: Commands
    clusters: Clusters
    nodes: Nodes
    places: Places
    settings: Settings
    stop: Stop
    environment: Environment | None = None
    settings_error: Exception | None = None
    environment_error: Exception | None = None

    def run(self, *argv: str, **env: str) -> tuple[int, str]:
        """Run a program that only tells something, with environment variables besides; its exit code and output.

        ToolError where it is not there.
        """
        done = self.commands.run(Command(argv, env=env), stop=self.stop)
        return done.code, done.output.strip()

    @property
    def root(self) -> Path:
        """The project's folder, else where the user stands."""
        return self.environment.root if self.environment else self.places.here

    def node_runs(self) -> bool:
        """Whether a node of the cluster runs; False, too, where that can't be asked."""
        with suppress(DevenvError):
            return any(node.running for node in self.nodes.find(self.settings.cluster))
        return False

    def may_be_root(self) -> bool:
        """Whether commands can be run as root: by root, or by sudo, which asks for itself."""
        return self.machine.uid == 0 or self.commands.find("sudo") is not None

    def as_root(self, *argv: str) -> Argv:
        """A command as root runs it."""
        return argv if self.machine.uid == 0 else ("sudo", *argv)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check says; see Finding."""

    status: Status
    text: str
    cause: str = ""
    cure: str = ""
    code: str = ""
    fixes: tuple[Argv, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """One check: a stable id, a title, the group it is shown in, and how it looks.

    `online` ones are asked for with --online; `needs` names the check without which this one can say nothing.
    """

    id: str
    title: str
    group: str
    look: Callable[[Scene], Verdict]
    needs: str = ""
    online: bool = False
    seconds: float = 5.0


def ok(text: str) -> Verdict:
    """All is well."""
    return Verdict("ok", text)


def skipped(text: str) -> Verdict:
    """There is nothing to check, and why."""
    return Verdict("skipped", text)


def warn(text: str, cause: str, cure: str, *, fixes: tuple[Argv, ...] = ()) -> Verdict:
    """Works, but may hurt."""
    return Verdict("warn", text, cause, cure, "", fixes)


def fail(text: str, cause: str, cure: str, *, fixes: tuple[Argv, ...] = ()) -> Verdict:
    """`devenv up` can't work like this."""
    return Verdict("fail", text, cause, cure, "", fixes)


def fail_as(problem: Problem, *, text: str = "", cure: str = "", fixes: tuple[Argv, ...] = (), **facts: Any) -> Verdict:
    """A problem of the catalogue, with its cause; text and cure are its own unless better ones are known."""
    return of_error(DevenvError(problem, **facts), text=text, cure=cure, fixes=fixes)


def of_error(error: DevenvError, *, text: str = "", cure: str = "", fixes: tuple[Argv, ...] = ()) -> Verdict:
    """An error that would end a command, as the verdict of a check."""
    said = "; ".join([error.message, *error.details[:1]]) if error.code == "command-failed" else error.message
    return Verdict("fail", text or said, error.problem.cause, cure or error.hint, error.code, fixes)


def size(count: float) -> str:
    """Bytes as people read them: "512 MiB", "23.5 GiB"."""
    return f"{count / GIB:.1f} GiB" if count >= GIB else f"{count / MIB:.0f} MiB"
