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


def program_sentence(program: Program) -> str:
    """What people are told when a program became this by itself."""
    if program.state == "crashed":
        return f"its program ended with code {program.code}; the next save starts it again"
    return {"runs": "its program runs", "waits": "it waits for its first sync", "ended": "its program ended"}[
        program.state
    ]
