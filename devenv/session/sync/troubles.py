"""What keeps services from being in sync, as a session and its containers tell it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Literal

from devenv.errors import DevenvError
from devenv.problems import SYNC_LOSS
from devenv.session.sync.outcome import Outcome
from devenv.session.sync.reasons import Reason

State = Literal["synced", "stale", "sending", "held", "failed", "offline"]


@dataclass(frozen=True, slots=True)
class Trouble:
    """What keeps a container from being in sync, and what to do."""

    code: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class SessionTrouble:
    """A problem of a service in a pod (or in none): `held` waits for devenv sync accept, else it is `failed`."""

    service: str
    pod: str
    state: State
    code: str
    message: str
    hint: str


def trouble(error: DevenvError) -> Trouble:
    """An error as values."""
    return Trouble(error.code, error.message, error.hint)


def state_of(problem: DevenvError | None, *, synced: bool, connected: bool, stale: bool = False) -> State:
    """How a container stands, in a word: `held` waits for a user's yes, `stale` for a new image."""
    if problem is not None:
        return "held" if problem.code == SYNC_LOSS.code else "failed"
    if synced:
        return "stale" if stale else "synced"
    return "sending" if connected else "offline"


@dataclass(frozen=True, slots=True)
class Rebuild:
    """A service whose image must be built anew: because of which file, by the rule at which place."""

    service: str
    path: str
    place: str


def rebuilds(reasons: Mapping[str, Collection[Reason]]) -> list[Rebuild]:
    """By service, each rule once."""
    return [Rebuild(service, each.path, each.place) for service, found in reasons.items() for each in found]


class Troubles:
    """The last problem of each container of a session's services, until an outcome without one."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], DevenvError] = {}

    def note(self, outcome: Outcome) -> None:
        """Something came of a container, or, without a pod, of all of a service's."""
        place = outcome.service, outcome.pod
        if outcome.problem:
            self._known[place] = outcome.problem
        elif outcome.program is None:  # a program that crashed or runs says nothing of its sync
            self._known.pop(place, None)

    def of(self, service: str) -> DevenvError | None:
        """A problem of a service."""
        return next((error for (name, _), error in list(self._known.items()) if name == service), None)

    def keep(self, pods: Mapping[str, Collection[str]]) -> None:
        """Forget what is of other pods than these, by service."""
        for service, pod in list(self._known):
            if pod and pod not in pods.get(service, ()):
                self._known.pop((service, pod), None)

    def all(self) -> list[SessionTrouble]:
        """Every service's."""
        return [
            SessionTrouble(service, pod, state_of(error, synced=False, connected=True), **asdict(trouble(error)))
            for (service, pod), error in list(self._known.items())
        ]
