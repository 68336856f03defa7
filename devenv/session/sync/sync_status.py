"""How a service's sync stands, as values."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from devenv.health.program import Program
from devenv.session.sync.outcome import Outcome
from devenv.session.sync.reasons import Reason
from devenv.session.sync.troubles import State, Trouble

KEPT_LAGS = 200


@dataclass(frozen=True, slots=True)
class Lag:
    """Seconds from a save's event to the container's acknowledgement, of the last `count` batches (200 at most)."""

    count: int
    p50: float
    p95: float
    p99: float


@dataclass(frozen=True, slots=True)
class LastBatch:
    """The last batch: when it was acknowledged (seconds since 1970), and what it had."""

    at: float
    files: int
    size: int
    deleted: int
    seconds: float


@dataclass(frozen=True, slots=True)
class ReplicaStatus:
    """One container; `way` is how it is synced, `program` None where only its container knows.

    `state` is `synced`, `stale` (synced, but its image must be built anew: `rebuild` says why), `sending`, `held` (its
    loss of files waits for devenv sync accept), `failed` or `offline`.
    """

    pod: str
    container: str
    way: Literal["agent", "shell"]
    state: State
    connected: bool
    synced: bool
    files: int
    batches: int
    last: LastBatch | None
    lag: Lag | None
    program: Program | None
    problem: Trouble | None
    rebuild: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class SyncStatus:
    """A service; `files` are those of its sources that are sent, `skipped` says of others why they are not."""

    service: str
    synced: bool
    files: int
    skipped: dict[str, str]
    replicas: tuple[ReplicaStatus, ...]


@dataclass(slots=True)
class Record:
    """What is remembered of one container's batches."""

    batches: int = 0
    last: LastBatch | None = None
    _lags: deque[float] = field(default_factory=lambda: deque(maxlen=KEPT_LAGS))
    _rebuild: dict[str, Reason] = field(default_factory=dict)

    def note(self, outcome: Outcome, *, lag: float | None) -> None:
        """A batch was acknowledged, so long after the first event that asked for it."""
        if outcome.rebuild:
            self._rebuild.update((reason.place, reason) for reason in outcome.reasons)
        if not outcome.files and not outcome.deleted:
            return
        self.batches += 1
        self.last = LastBatch(time.time(), outcome.files, outcome.size, outcome.deleted, outcome.seconds)
        if lag is not None:
            self._lags.append(lag)

    @property
    def rebuild(self) -> tuple[Reason, ...]:
        """Why its image must be built anew, by each rule that says so."""
        return tuple(self._rebuild.copy().values())

    @property
    def lag(self) -> Lag | None:
        """The percentiles; None before the first save."""
        lags = sorted(self._lags)
        return Lag(len(lags), *(_percentile(lags, share) for share in (0.5, 0.95, 0.99))) if lags else None


def _percentile(values: Sequence[float], share: float) -> float:
    return values[min(len(values) - 1, int(len(values) * share))]
