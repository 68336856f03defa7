"""Commands that files bring along run on this machine only after a yes for exactly these commands of that file."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from devenv import problems
from devenv.config.model import HOOKS, Environment, Origin, Secret
from devenv.errors import Refused
from devenv.ports import Trust
from devenv.printable import printable


@dataclass(frozen=True, slots=True)
class FileCommand:
    """A command that a file brings along: `where` is its key path, `root` the folder it runs in."""

    where: str
    command: tuple[str, ...]
    origin: Origin
    root: Path

    @property
    def digest(self) -> str:
        """Stands for the command, its file and its folder: another of any of them is another digest."""
        parts = [str(self.origin.file.resolve()), str(self.root.resolve()), *self.command]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    @property
    def line(self) -> str:
        """How a person is shown it: nothing in it can hide from the eye or move the cursor."""
        file = self.origin.file
        shown = file.relative_to(self.root) if file.is_relative_to(self.root) else file
        return printable(f"{shown}:{self.origin.line}  {self.where}  {shown_command(self.command)}")


@dataclass(frozen=True, slots=True)
class TrustedCommand:
    """A command that a file brings along, where it stands, and whether it may run."""

    file: str
    line: int
    where: str
    command: tuple[str, ...]
    trusted: bool


def describe(commands: Sequence[FileCommand], known: Collection[str]) -> list[TrustedCommand]:
    """The commands as JSON shows them; `known` are the digests that were said yes to."""
    return [TrustedCommand(str(c.origin.file), c.origin.line, c.where, c.command, c.digest in known) for c in commands]


def shown_command(command: Sequence[str]) -> str:
    """A command as it may be typed; a text for sh -c as it was written."""
    return command[2] if len(command) == 3 and command[:2] == ("sh", "-c") else shlex.join(command)


def commands_of(environment: Environment, *, hooks: Collection[str] = HOOKS) -> list[FileCommand]:
    """The commands of the hooks and secrets of an environment, each once."""
    root = environment.root
    found = [FileCommand(f"hooks.{h.when}", h.command, h.origin, root) for h in environment.hooks if h.when in hooks]
    for name, service in environment.services.items():
        found += _of_secrets(f"services.{name}.env", service.secrets, root)
    for name, dependency in environment.dependencies.items():
        if dependency.real and dependency.mode == "real":
            found += _of_secrets(f"dependencies.{name}.real.env", dependency.real.secrets, root)
    return list({command.digest: command for command in reversed(found)}.values())[::-1]


def hook_commands(environment: Environment, when: str) -> list[FileCommand]:
    """The commands of one hook."""
    return [c for c in commands_of(environment, hooks=[when]) if c.where == f"hooks.{when}"]


def _of_secrets(path: str, secrets: Mapping[str, Secret], root: Path) -> list[FileCommand]:
    return [FileCommand(f"{path}.{k}", s.exec, s.origin, root) for k, s in secrets.items() if s.kind == "exec"]


def require_trust(commands: Sequence[FileCommand], trust: Trust, ask: Callable[[Sequence[FileCommand]], bool]) -> None:
    """Return once every command is trusted; `ask` shows those that are not and gives the answer.

    A yes is remembered. Refused trust-missing for a no.
    """
    known = trust.known()
    new = [command for command in commands if command.digest not in known]
    if not new:
        return
    if not ask(new):
        count = "1 command" if len(new) == 1 else f"{len(new)} commands"
        raise Refused(problems.TRUST_MISSING, count=count, details=[command.line for command in new])
    trust.add({command.digest: command.origin.file for command in new})
