"""Local ports that lead into pods, and survive the pods behind them.

A connection waits while a save is on its way into the pod, so that a request made after a save meets the new code;
and it is tried again while the program restarts, as long as the pod has answered nothing.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from devenv.errors import DevenvError
from devenv.ports import Pods, Stop, Tunnel
from devenv.session.forwards.carrying import Uplink, hung_up
from devenv.session.forwards.local_ports import Forward, Remembered, listen
from devenv.session.forwards.presence import Presence

__all__ = ["Forward", "Forwarder", "Target"]

WAIT_SECONDS = 30.0
RETRY_SECONDS = 0.05
UNREACHED_SECONDS = 0.5
ADDRESS = "127.0.0.1"

FindPod = Callable[[str, float], str | None]
"""Gives the newest ready pod of a unit, waited for up to so many seconds."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a forward leads: a unit's port by name and number, and the pods and the port in them that answer."""

    unit: str
    name: str
    port: int
    pods: str
    pod_port: int


class Forwarder:
    """Listens on the local ports and carries each connection through a tunnel of its own."""

    def __init__(
        self,
        pods: Pods,
        namespace: str,
        *,
        find_pod: FindPod,
        settle: Callable[[str], None],
        stop: Stop,
        tell: Callable[[str], None] = lambda line: None,
        remembered: Remembered | None = None,
    ) -> None:
        self._pods = pods
        self._namespace = namespace
        self._find_pod = find_pod
        self._settle = settle
        self._stop = stop
        self._remembered = remembered or Remembered(None)
        self._presence = Presence(lambda unit: find_pod(unit, 0.0), self._reaches, tell)
        self._lock = threading.Lock()
        self._open: dict[Forward, tuple[Target, socket.socket]] = {}
        threading.Thread(target=self._presence.run, args=(stop,), name="presence", daemon=True).start()

    @property
    def forwards(self) -> list[Forward]:
        """What listens now, in the order it was opened."""
        with self._lock:
            return list(self._open)

    def open(self, unit: str, ports: Sequence[tuple[str, int]]) -> list[Forward]:
        """Listen for each (name, port) of a unit whose pods are its own, on the same local port where it is free."""
        return [self.add(Target(unit, name, port, unit, port), port) for name, port in ports]

    def add(self, target: Target, local: int, *, added: bool = False) -> Forward:
        """Listen on the port of before, else on `local`, else on the next free one."""
        # What is asked for by number is not what was there before.
        before = None if added else self._remembered.local(target.unit, target.port)
        listener = listen(ADDRESS, local, before=before)
        # Names below localhost lead to this machine (RFC 6761), and their first part is a stubbed dependency's host.
        host = ADDRESS if target.pods == target.unit else f"{target.unit}.localhost"
        forward = Forward(target.unit, target.name, target.port, listener.getsockname()[1], added, host)
        with self._lock:
            self._open[forward] = (target, listener)
        self._remembered.keep(forward)
        self._presence.watch(target.unit, target.pods)
        threading.Thread(target=self._accept, args=(listener, target), name="forward", daemon=True).start()
        return forward

    def end(self, forward: Forward) -> None:
        """Listen no longer; connections that are open go on."""
        with self._lock:
            _, listener = self._open.pop(forward)
            others = any(other.unit == forward.unit for other in self._open)
        _close(listener)
        self._remembered.drop(forward)
        if not others:
            self._presence.leave(forward.unit)

    def refresh(self) -> None:
        """Pods may have changed."""
        self._presence.refresh()

    def pod(self, forward: Forward) -> str | None:
        """The pod that answers now; None while it is waited for."""
        return self._presence.pod(forward.unit)

    def close(self) -> None:
        """Stop listening; what listened is remembered."""
        with self._lock:
            listeners = [listener for _, listener in self._open.values()]
        for listener in listeners:
            _close(listener)
        self._presence.refresh()

    def _accept(self, listener: socket.socket, target: Target) -> None:
        while not self._stop.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            try:
                threading.Thread(target=self._carry, args=(connection, target), name="tunnel", daemon=True).start()
            except RuntimeError:
                # The machine has no room for another thread now; the next connection may find one.
                connection.close()

    def _carry(self, connection: socket.socket, target: Target) -> None:
        self._settle(target.pods)
        deadline = time.monotonic() + WAIT_SECONDS
        uplink = Uplink(connection)
        with connection, hung_up(connection):
            while not self._stop.is_set() and time.monotonic() < deadline:
                pod = self._find_pod(target.pods, deadline - time.monotonic())
                if pod is None:
                    return
                tunnel = self._tunnel(target, pod)
                if tunnel is None:
                    self._stop.wait(UNREACHED_SECONDS)
                    continue
                answered = uplink.run(tunnel)
                if answered or uplink.ended or not uplink.can_replay:
                    return
                self._stop.wait(RETRY_SECONDS)

    def _tunnel(self, target: Target, pod: str) -> Tunnel | None:
        try:
            return self._pods.forward(self._namespace, pod, target.pod_port)
        except DevenvError:
            self._presence.failed(target.unit)
            return None

    def _reaches(self, unit: str, pod: str) -> bool:
        """Whether a connection to the pod can be made, which says nothing of the program in it."""
        with self._lock:
            port = next((target.pod_port for target, _ in self._open.values() if target.unit == unit), None)
        if port is None:
            return True
        with contextlib.suppress(DevenvError):
            self._pods.forward(self._namespace, pod, port).close()
            return True
        return False


def _close(listener: socket.socket) -> None:
    # A blocked accept wakes up on shutdown, not on close.
    with contextlib.suppress(OSError):
        listener.shutdown(socket.SHUT_RDWR)
    listener.close()
