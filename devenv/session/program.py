"""How a container's program is, as its agent tells it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from devenv.sync import protocol, replies

ProgramState = Literal["waits", "runs", "crashed", "ended"]
_STATES: dict[int, ProgramState] = {
    protocol.WAITS: "waits",
    protocol.RUNS: "runs",
    protocol.CRASHED: "crashed",
    protocol.ENDED: "ended",
}


@dataclass(frozen=True, slots=True)
class Program:
    """A container's program: its state, exit code, number of starts, and whether it runs synced code."""

    state: ProgramState
    code: int
    starts: int
    synced: bool


def describe_program(state: replies.State | None) -> Program | None:
    """What an agent said of its program."""
    return Program(_STATES[state.state], state.code, state.starts, bool(state.synced)) if state else None
