"""When to send and when to reload: events and the time in, decisions out. Times are seconds of any steady clock."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

QUIET = 0.015
LONGEST = 0.1
LONGEST_RELOAD = 1.0
LONGEST_LOCK = 5.0


def is_held(lock_age: float | None) -> bool:
    """True while everything should wait for git: a checkout is one batch and one reload.

    `lock_age` is how long ago git's index lock was made (None: there is none); one of 5 s or more was left behind.
    """
    return lock_age is not None and lock_age < LONGEST_LOCK


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do now: send these paths, then reload."""

    send: frozenset[str] = frozenset()
    reload: bool = False


@dataclass(slots=True)
class Debounce:
    """Collects what changed until it should be sent.

    A settled change (a file that was closed or moved into place) goes at once. An unsettled one, a write that may
    still go on, waits until nothing happened for 15 ms, 100 ms at most. A reload waits for that quiet too, however
    its files came, 1 s at most: one save of an editor is several events.
    """

    _settled: set[str] = field(default_factory=set)
    _unsettled: set[str] = field(default_factory=set)
    _unsettled_since: float = math.inf
    _reload_since: float = math.inf
    _last: float = -math.inf

    @property
    def idle(self) -> bool:
        """True where nothing waits to be sent or reloaded."""
        return not self._settled and not self._unsettled and self._reload_since == math.inf

    def note(self, path: str, *, settled: bool, now: float) -> None:
        """Something changed at or below `path`."""
        self._last = now
        if settled:
            self._settled.add(path)
            self._unsettled.discard(path)
        elif path not in self._settled:
            self._unsettled_since = min(self._unsettled_since, now) if self._unsettled else now
            self._unsettled.add(path)

    def want_reload(self, *, now: float) -> None:
        """Files arrived that ask for a reload."""
        self._reload_since = min(self._reload_since, now)

    def decide(self, *, now: float) -> Decision:
        """What is due at `now`; what is given out counts as done."""
        quiet = now >= self._last + QUIET
        send = frozenset(self._settled)
        self._settled.clear()
        if quiet or now >= self._unsettled_since + LONGEST:
            send |= self._unsettled
            self._unsettled.clear()
        calm = quiet and not send and not self._unsettled
        reload = self._reload_since < math.inf and (calm or now >= self._reload_since + LONGEST_RELOAD)
        if reload:
            self._reload_since = math.inf
        return Decision(send, reload)

    def wait(self, *, now: float) -> float:
        """In how many seconds to ask again if nothing happens until then."""
        if self.idle:
            return math.inf
        return 0.0 if self._settled else max(self._last + QUIET - now, 0.0)
