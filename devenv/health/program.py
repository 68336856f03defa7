"""How the program of a container that runs under the agent is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ProgramState = Literal["waits", "runs", "crashed", "ended"]


@dataclass(frozen=True, slots=True)
class Program:
    """A container's program: its state, exit code, number of starts, and whether it runs synced code."""

    state: ProgramState
    code: int = 0
    starts: int = 0
    synced: bool = True

    @property
    def crash(self) -> str:
        """What people are told of a crash; "" where there was none."""
        crashed = f"its program ended with code {self.code}; the next save starts it again"
        return crashed if self.state == "crashed" else ""
