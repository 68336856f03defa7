"""How a container's program is, as its agent tells it."""

from __future__ import annotations

from devenv.health.program import Program, ProgramState
from devenv.sync import protocol, replies

_STATES: dict[int, ProgramState] = {
    protocol.WAITS: "waits",
    protocol.RUNS: "runs",
    protocol.CRASHED: "crashed",
    protocol.ENDED: "ended",
}
_BECAME = {"runs": "its program runs", "waits": "it waits for its first sync", "ended": "its program ended"}


def describe_program(state: replies.State | None) -> Program | None:
    """What an agent said of its program."""
    return Program(_STATES[state.state], state.code, state.starts, bool(state.synced)) if state else None


def program_sentence(program: Program) -> str:
    """What people are told when a program became this by itself."""
    return program.crash or _BECAME[program.state]
