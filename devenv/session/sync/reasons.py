"""Why a program is reloaded: the file that came, and the rule that says so."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from devenv.config.model import Reload, Service
from devenv.printable import printable


@dataclass(frozen=True, slots=True)
class Cause:
    """A rule by its number, and the first path that touched it."""

    rule: int
    path: str


@dataclass(frozen=True, slots=True)
class Reason:
    """What is done (`reload`: "restart", "HUP", a command), because of which file, by the rule at which place."""

    reload: str
    path: str
    place: str
    kind: str

    def __str__(self) -> str:
        return f"{printable(self.path)} matches {self.kind} rule at {self.place}"


def label(reload: Reload) -> str:
    """A way to reload in a word or a command."""
    return {"signal": reload.signal, "exec": " ".join(reload.command)}.get(reload.kind, reload.kind)


def reasons(service: Service, causes: Iterable[Cause]) -> tuple[Reason, ...]:
    """The causes in words for people."""
    return tuple(_reason(service, cause) for cause in causes)


def _reason(service: Service, cause: Cause) -> Reason:
    rule = service.sync[cause.rule]
    path = rule.source.name if rule.is_file else f"{rule.source.name}/{cause.path}"
    place = f"{rule.origin.file.name}:{rule.origin.line}"
    return Reason(label(rule.reload), path, place, rule.reload.kind)
