"""Looks secrets up on this machine, once a run, for the units that need them."""

from __future__ import annotations

import secrets as randomness
import time
from collections.abc import Mapping
from dataclasses import dataclass

from devenv import problems
from devenv.config.model import Environment, Secret
from devenv.config.source import Fault
from devenv.errors import ToolError
from devenv.flows.hooks import located
from devenv.flows.trust import shown_command
from devenv.flows.world import World
from devenv.plan.secrets import Sealed, secret_name, token_of
from devenv.plan.units import Unit
from devenv.ports import Command, Finished, Object, Stop

SECONDS = 60.0
LAST_LINES = 8

Values = Mapping[str, Mapping[str, str]]
"""Secrets by unit and variable."""


class _Unknown(Exception):  # noqa: N818 - becomes a line of one error
    """Why a secret could not be looked up."""


@dataclass(frozen=True, slots=True)
class _Deadline:
    """Ends a command after a while, or once everything ends."""

    stop: Stop
    end: float

    def is_set(self) -> bool:
        return self.passed() or self.stop.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        left = max(0.0, self.end - time.monotonic())
        return self.stop.wait(left if timeout is None else min(left, timeout)) or self.passed()

    def passed(self) -> bool:
        """Whether the time is over."""
        return time.monotonic() > self.end


def wanted_secrets(environment: Environment, units: Mapping[str, Unit]) -> dict[str, Mapping[str, Secret]]:
    """The secrets of the units that are brought up, by unit; those without any are left out."""
    found: dict[str, Mapping[str, Secret]] = {}
    for name, unit in units.items():
        real = environment.dependencies[name].real if unit.kind == "real" else None
        owner = environment.services[name] if unit.kind == "service" else real
        if owner and owner.secrets:
            found[name] = owner.secrets
    return found


def look_up(environment: Environment, units: Mapping[str, Unit], world: World, *, seconds: float = SECONDS) -> Values:
    """The value of every secret of the units. Their commands must be trusted already.

    ToolError secret-missing with a line for each that is not there; what a command printed is in no message.
    """
    wanted = wanted_secrets(environment, units)
    if not wanted:
        return {}
    with world.progress.step("secrets") as note:
        search = _Search(environment, world, seconds)
        values = {unit: search.values(unit, secrets) for unit, secrets in wanted.items()}
        if search.missing:
            count = "1 secret" if len(search.missing) == 1 else f"{len(search.missing)} secrets"
            details = [line for lines in search.missing for line in lines]
            raise ToolError(problems.SECRET_MISSING, count=count, details=details)
        note(f"{sum(map(len, values.values()))} looked up")
    return values


class _Search:
    def __init__(self, environment: Environment, world: World, seconds: float) -> None:
        self._environment, self._world, self._seconds = environment, world, seconds
        self._known: dict[object, str | _Unknown] = {}
        self.missing: list[list[str]] = []

    def values(self, unit: str, secrets: Mapping[str, Secret]) -> dict[str, str]:
        """Those that are there; `missing` has the lines of the others."""
        found = {}
        for key, secret in secrets.items():
            value = self._once(secret)
            if isinstance(value, str):
                found[key] = value
            else:
                first, *more = str(value).splitlines()
                line = Fault(secret.origin, f"{unit}.env.{key}", first).line(self._environment.root)
                self.missing.append([line, *(f"  {text}" for text in more)])
        return found

    def _once(self, secret: Secret) -> str | _Unknown:
        source = (secret.kind, secret.env, secret.file, secret.exec)
        if source not in self._known:
            try:
                self._known[source] = _checked(self._look(secret))
            except _Unknown as reason:
                self._known[source] = reason
        return self._known[source]

    def _look(self, secret: Secret) -> str:
        if secret.kind == "env":
            value = self._world.environ.get(secret.env)
            if value is None:
                raise _Unknown(f"the environment variable {secret.env} is not set")
            return value
        if secret.file is not None:
            try:
                return secret.file.read_text(encoding="utf-8").rstrip("\r\n")
            except OSError as error:
                raise _Unknown(f"{secret.file}: {error.strerror}") from error
            except UnicodeDecodeError:
                raise _Unknown(f"{secret.file} is not UTF-8 text") from None
        return self._run(secret.exec)

    def _run(self, argv: tuple[str, ...]) -> str:
        root = self._environment.root
        deadline = _Deadline(self._world.stop, time.monotonic() + self._seconds)
        shown = shown_command(argv)
        try:
            done = self._world.commands.run(Command(located(argv, root), cwd=root, secret=True), stop=deadline)
        except ToolError as error:
            raise _Unknown("\n".join([error.message, *error.details])) from error
        if done.code:
            late = f"{shown} took longer than {self._seconds:g} s and was ended"
            reason = late if deadline.passed() else f"{shown} ended with code {done.code}"
            raise _Unknown("\n".join([reason, *_errors(done)]))
        return done.stdout.rstrip("\r\n")


def _errors(done: Finished) -> list[str]:
    """The last lines of stderr, without what stdout had."""
    told = done.stderr
    for line in done.stdout.splitlines():
        told = told.replace(line.strip(), "***") if line.strip() else told
    return told.splitlines()[-LAST_LINES:]


def _checked(value: str) -> str:
    if not value:
        raise _Unknown("what was found is empty")
    # What is not UTF-8 came as surrogates (a variable) or as replacement characters (a command).
    if any(sign == "\0" or sign == "\ufffd" or "\ud800" <= sign <= "\udfff" for sign in value):
        raise _Unknown("what was found is not text")
    return value


def sealed(live: Mapping[tuple[str, str], Object], unit: str, values: Mapping[str, str] | None) -> Sealed | None:
    """A unit's secrets as they go into the cluster; with the token that is there where nothing changed."""
    if not values:
        return None
    token = token_of(live.get(("Secret", secret_name(unit))), values)
    return Sealed(values, token or randomness.token_hex(8))
