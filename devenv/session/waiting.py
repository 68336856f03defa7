"""`devenv wait`: until units are ready, in sync, or healthy; what still is not is told with its reason."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from devenv import problems
from devenv.config.model import Environment
from devenv.errors import DevenvError, NotReady
from devenv.flows.observe import explain
from devenv.flows.programs import Crashes, all_crashed
from devenv.flows.status import status
from devenv.flows.up import check_names, members_of
from devenv.flows.world import World
from devenv.plan.engine import NAME as ENGINE
from devenv.plan.marks import UNIT, selector
from devenv.plan.units import namespace_of
from devenv.ports import Kube, Object
from devenv.session.control import ControlClient, checked, find_session
from devenv.session.place import place_of

Wanted = Literal["ready", "synced", "healthy"]

POLL_SECONDS = 0.3
SYNC_SECONDS = 5.0
NO_SESSION = "no session lives that could sync it: devenv up -d"


@dataclass(frozen=True, slots=True)
class WaitRequest:
    """What is waited for, of which units (none: all), how many seconds."""

    environment: Environment
    wanted: Wanted
    names: Sequence[str]
    timeout: float


@dataclass(frozen=True, slots=True)
class UnitWait:
    """One unit: whether it is as wanted, and why not."""

    name: str
    done: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class WaitResult:
    """What was waited for, how long that took, and the units."""

    environment: str
    wanted: Wanted
    seconds: float
    units: tuple[UnitWait, ...]


class Waiting:
    """One wait. A cluster or session that does not answer is waited for, too."""

    def __init__(self, request: WaitRequest, kube: Kube, world: World) -> None:
        self._request, self._kube, self._world = request, kube, world
        self._names = frozenset(members_of(request.environment, request.names))
        self._failing: list[str] = []
        self._crashes = Crashes(self._await_synced)

    def run(self) -> WaitResult:
        """Return once all is as wanted. NotReady wait-timeout with the reasons, program-crashed at once."""
        request, started = self._request, time.monotonic()
        check_names(request.environment, request.names)
        with self._world.progress.step(f"wait for {request.wanted}") as note:
            while True:
                units = self._look(started + request.timeout)
                waited = [unit for unit in units if not unit.done]
                seconds = time.monotonic() - started
                if not waited:
                    return WaitResult(request.environment.name, request.wanted, round(seconds, 3), tuple(units))
                note(f"{waited[0].name}: {waited[0].reason}")
                self._refuse_crashed()
                if seconds >= request.timeout or self._world.stop.wait(POLL_SECONDS):
                    raise self._late(waited)

    def _look(self, deadline: float) -> list[UnitWait]:
        try:
            units = self._ready() if self._request.wanted != "synced" else self._synced_units()
            if self._request.wanted == "ready" or not all(unit.done for unit in units):
                return units
            reasons = dict(self._session_reasons(deadline))
        except DevenvError as error:
            return [UnitWait(self._request.environment.name, done=False, reason=error.message)]
        return [replace(u, done=u.name not in reasons, reason=reasons.pop(u.name, "")) for u in units] + [
            UnitWait(name, done=False, reason=reason) for name, reason in reasons.items()
        ]

    def _ready(self) -> list[UnitWait]:
        found = status(self._request.environment, self._kube)
        wanted = [unit for unit in found if unit.state != "off" and (not self._names or unit.name in self._names)]
        self._failing = [unit.name for unit in wanted if unit.state == "failing"]
        return [UnitWait(u.name, u.state == "ready", "" if u.state == "ready" else u.detail or u.state) for u in wanted]

    def _synced_units(self) -> list[UnitWait]:
        return [UnitWait(name, done=True) for name in self._services()]

    def _services(self) -> list[str]:
        services = self._request.environment.services.values()
        return [s.name for s in services if s.sync and (not self._names or s.name in self._names)]

    def _session_reasons(self, deadline: float) -> Iterator[tuple[str, str]]:
        place = place_of(self._kube, self._world, self._request.environment.name)
        client = find_session(place.socket)
        if client is None:
            yield "session", NO_SESSION
            return
        try:
            for name in self._services():
                left = max(0.1, min(SYNC_SECONDS, deadline - time.monotonic()))
                answer = client.ask("wait-synced", service=name, seconds=left, timeout=left + SYNC_SECONDS)
                if not answer.get("ok"):
                    yield name, _with_hint(answer.get("error"), answer.get("hint"))
            if self._request.wanted == "healthy":
                yield from self._unhealthy(client)
        finally:
            client.close()

    def _unhealthy(self, client: ControlClient) -> Iterator[tuple[str, str]]:
        for problem in checked(client.ask("status")).get("problems") or []:
            if not self._names or problem["service"] in self._names:
                yield problem["service"], _with_hint(problem["message"], problem["hint"])
        for forward in checked(client.ask("forward-list"))["forwards"]:
            if forward["state"] != "up" and (not self._names or forward["unit"] in self._names):
                yield forward["unit"], f"its forward on port {forward['local']} has no pod"

    def _refuse_crashed(self) -> None:
        """NotReady program-crashed where a program crashed and stays so."""
        crashed: NotReady | None = None
        with contextlib.suppress(DevenvError):  # a cluster that does not answer is waited for
            crashed = self._find_crashed()
        if crashed:
            raise crashed

    def _find_crashed(self) -> NotReady | None:
        pods = {name: self._pods(name) for name in self._failing}
        verdicts = self._crashes.look(self._kube, [pod for found in pods.values() for pod in found])
        for name, found in pods.items():
            if all_crashed(found, verdicts):
                namespace = namespace_of(self._request.environment)
                return explain(self._kube, namespace, name, found, self._request.timeout, verdicts)
        return None

    def _await_synced(self) -> None:
        with contextlib.suppress(DevenvError):
            list(self._session_reasons(time.monotonic() + SYNC_SECONDS))

    def _pods(self, unit: str) -> list[Object]:
        dependency = self._request.environment.dependencies.get(unit)
        label = ENGINE if dependency and dependency.mode == "stub" else unit
        namespace, name = namespace_of(self._request.environment), self._request.environment.name
        return self._kube.objects.select("v1", "Pod", namespace=namespace, labels=f"{selector(name)},{UNIT}={label}")

    def _late(self, waited: Sequence[UnitWait]) -> NotReady:
        request = self._request
        details = [line for unit in waited for line in self._why(unit)]
        count = ", ".join(unit.name for unit in waited) + (" is" if len(waited) == 1 else " are")
        return NotReady(
            problems.WAIT_TIMEOUT, details=details, count=count, wanted=request.wanted, seconds=int(request.timeout)
        )

    def _why(self, unit: UnitWait) -> list[str]:
        """The reason of a unit; of one that is not ready, what its pods, events and logs say."""
        environment = self._request.environment
        lines = [f"{unit.name}: {unit.reason}"]
        if self._request.wanted == "synced" or unit.name not in {*environment.services, *environment.dependencies}:
            return lines
        namespace = namespace_of(environment)
        try:
            error = explain(self._kube, namespace, unit.name, self._pods(unit.name), self._request.timeout)
        except DevenvError:
            return lines
        return lines + [f"  {line}" for line in error.details]


def _with_hint(message: object, hint: object) -> str:
    return f"{message}; {hint}" if hint else str(message)
