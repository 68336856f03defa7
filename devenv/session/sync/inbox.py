"""What is asked of a replica's thread."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Collection
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from devenv.session.sync.target import Target


@dataclass(slots=True)
class Inbox:
    """What is asked of a replica and not begun yet."""

    marks: list[tuple[int, Collection[str]]] = field(default_factory=list)
    since: float = math.inf
    reload: bool = False
    prove: bool = False
    look: bool = True
    calls: deque[tuple[Callable[[Target], Any], Future[Any]]] = field(default_factory=deque)

    def answer(self, target: Target) -> None:
        """Do the first of the calls; what goes wrong is its asker's to hear."""
        step, future = self.calls.popleft()
        try:
            future.set_result(step(target))
        except Exception as error:  # noqa: BLE001 - whatever it was, the other side is told
            future.set_exception(error)

    def __bool__(self) -> bool:
        return bool(self.marks or self.reload or self.prove or self.look or self.calls)
