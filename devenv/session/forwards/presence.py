"""Tells, once each, that the pod behind a unit's forwards is gone, and that there is one again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from devenv.ports import Stop

GRACE_SECONDS = 1.0
PROBE_SECONDS = 1.0
IDLE_SECONDS = 3600.0

LookUp = Callable[[str], str | None]
"""Gives the ready pod of a unit as it is now."""


@dataclass(slots=True)
class _Unit:
    """What is known of one: the unit whose pods answer for it, since when none does, and what was told."""

    pods: str
    seen: bool = False
    lost_at: float | None = None
    told: bool = False
    broken: bool = False


class Presence:
    """Watched units by name; `refresh` after each change of pods, `run` in a thread of its own.

    A loss that is over within a second is not told. `probe` says whether a pod can be reached where a connection
    failed though there is a ready pod.
    """

    def __init__(
        self,
        look: LookUp,
        probe: Callable[[str, str], bool],
        tell: Callable[[str], None],
        *,
        grace: float = GRACE_SECONDS,
    ) -> None:
        self._look, self._probe, self._tell, self._grace = look, probe, tell, grace
        self._lock = threading.Lock()
        self._units: dict[str, _Unit] = {}
        self._changed = threading.Event()

    def watch(self, unit: str, pods: str) -> None:
        """Look after a unit from now on."""
        with self._lock:
            self._units.setdefault(unit, _Unit(pods))
        self.refresh()

    def leave(self, unit: str) -> None:
        """Look after it no longer."""
        with self._lock:
            self._units.pop(unit, None)

    def refresh(self) -> None:
        """Pods may have changed."""
        self._changed.set()

    def failed(self, unit: str) -> None:
        """A connection could not be made, though the unit has a ready pod as far as is known."""
        with self._lock:
            known = self._units.get(unit)
            if known:
                known.broken = True
        self.refresh()

    def pod(self, unit: str) -> str | None:
        """The pod that answers for a unit now; None while it is waited for."""
        with self._lock:
            known = self._units.get(unit)
        return None if known is None or known.broken else self._look(known.pods)

    def run(self, stop: Stop) -> None:
        """Look and tell until `stop` is set, which `refresh` makes it see at once."""
        wait = 0.0
        while not stop.is_set():
            self._changed.wait(wait)
            self._changed.clear()
            with self._lock:
                units = list(self._units.items())
            waits = [self._judge(name, unit, time.monotonic()) for name, unit in units]
            wait = min(waits, default=IDLE_SECONDS)

    def _judge(self, name: str, unit: _Unit, now: float) -> float:
        """Tell what is to be told of a unit; gives after how many seconds to look again."""
        pod = self._look(unit.pods)
        if pod and unit.broken:
            unit.broken = not self._probe(name, pod)
        if pod and not unit.broken:
            self._found(name, unit, pod)
            return IDLE_SECONDS
        if not unit.seen:
            return IDLE_SECONDS
        unit.lost_at = now if unit.lost_at is None else unit.lost_at
        left = unit.lost_at + self._grace - now
        if left <= 0 and not unit.told:
            unit.told = True
            self._tell(f"{name}: its forward lost the {'cluster' if pod else 'pod'}; waiting")
        retry = PROBE_SECONDS if unit.broken else IDLE_SECONDS
        return min(left, retry) if left > 0 else retry

    def _found(self, name: str, unit: _Unit, pod: str) -> None:
        if unit.told:
            self._tell(f"{name}: forward is back (pod/{pod})")
        unit.seen, unit.told, unit.lost_at = True, False, None
