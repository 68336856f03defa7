"""What a session answers about its forwards on its control socket: forward-list, forward-add, forward-stop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from devenv.config.model import Environment
from devenv.errors import UsageError
from devenv.session.control import Handler, Message
from devenv.session.forwards.forward_targets import Wish, find_forwards, resolve
from devenv.session.forwards.forwarding import Forwarder
from devenv.session.forwards.local_ports import Forward, Remembered


class ForwardRequests:
    """The handlers, for one session's forwards."""

    def __init__(self, environment: Environment, forwarder: Forwarder) -> None:
        self._environment = environment
        self._forwarder = forwarder

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """By the name of the request."""
        return {"forward-list": self._list, "forward-add": self._add, "forward-stop": self._stop}

    def restore(self, remembered: Remembered) -> None:
        """Open again what devenv forward add had opened before, where the environment still has it."""
        for forward in remembered.added():
            try:
                target = resolve(self._environment, Wish(forward.unit, str(forward.port)))
            except UsageError:
                continue
            self._forwarder.add(target, forward.local, added=True)

    def _list(self, _request: Message) -> Message:
        return {"forwards": [self._described(forward) for forward in self._forwarder.forwards]}

    def _add(self, request: Message) -> Message:
        wish = Wish(str(request["name"]), str(request.get("port") or ""), request.get("local"))
        target = resolve(self._environment, wish)
        same = [f for f in self._forwarder.forwards if (f.unit, f.port) == (target.unit, target.port)]
        for forward in same:
            if wish.local in (None, forward.local):
                return {"forward": self._described(forward), "wanted": forward.local, "there": True}
        wanted = target.port if wish.local is None else wish.local
        forward = self._forwarder.add(target, wanted, added=True)
        return {"forward": self._described(forward), "wanted": wanted or forward.local, "there": False}

    def _stop(self, request: Message) -> Message:
        found = find_forwards(self._forwarder.forwards, str(request["what"]))
        for forward in found:
            self._forwarder.end(forward)
        return {"stopped": [asdict(forward) for forward in found]}

    def _described(self, forward: Forward) -> Message:
        pod = self._forwarder.pod(forward)
        return {**asdict(forward), "pod": pod, "state": "up" if pod else "waiting"}
