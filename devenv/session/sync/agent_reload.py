"""Reloads a program through its container's agent."""

from __future__ import annotations

from collections.abc import Sequence

from devenv.config.model import Reload
from devenv.errors import SyncError
from devenv.flows.agent_stream import AgentStream
from devenv.problems import SYNC_FAILED
from devenv.session.sync.reasons import label
from devenv.sync import protocol, replies

GRACE_MS = 10_000
RUN_SECONDS = 600.0

# Linux's, as the container has them, whatever system this is: signal(7), x86 and ARM.
SIGNALS = {
    "HUP": 1, "INT": 2, "QUIT": 3, "ILL": 4, "TRAP": 5, "ABRT": 6, "BUS": 7, "FPE": 8, "KILL": 9, "USR1": 10,
    "SEGV": 11, "USR2": 12, "PIPE": 13, "ALRM": 14, "TERM": 15, "CHLD": 17, "CONT": 18, "STOP": 19, "TSTP": 20,
    "TTIN": 21, "TTOU": 22, "URG": 23, "XCPU": 24, "XFSZ": 25, "VTALRM": 26, "PROF": 27, "WINCH": 28, "IO": 29,
    "PWR": 30, "SYS": 31,
}  # fmt: skip


def carry_out(stream: AgentStream, reloads: Sequence[Reload], *, service: str, fresh: bool) -> str:
    """Run the commands, then restart or signal, each thing once; gives what the commands printed.

    A `fresh` program was started after the files came and needs no restart. SyncError.
    """
    wanted = list(dict.fromkeys(reloads))
    output = "".join(_run(stream, reload, service) for reload in wanted if reload.kind == "exec")
    if fresh:
        return output
    if any(reload.kind == "restart" for reload in wanted):
        _ask(stream, protocol.Restart(GRACE_MS), "its program can't be restarted", service)
        return output
    for name in dict.fromkeys(reload.signal for reload in wanted if reload.kind == "signal"):
        _ask(stream, protocol.Signal(SIGNALS[name]), f"its program can't be sent the signal {name}", service)
    return output


def _run(stream: AgentStream, reload: Reload, service: str) -> str:
    answer = stream.ask(protocol.Exec(reload.command), timeout=RUN_SECONDS)
    said = b"".join(frame.data for frame in answer if isinstance(frame, replies.Output)).decode("utf-8", "replace")
    done = answer[-1]
    if isinstance(done, replies.Done) and done.status:
        reason = f"{label(reload)} ended with {done.text or f'exit {done.status}'}"
        raise SyncError(SYNC_FAILED, service=service, reason=reason, details=said.splitlines()[-20:])
    return said


def _ask(stream: AgentStream, request: protocol.Frame, problem: str, service: str) -> None:
    [done] = stream.ask(request)
    if isinstance(done, replies.Done) and done.status:
        reason = f"{problem} ({done.text or done.status})"
        raise SyncError(SYNC_FAILED, service=service, reason=reason)
