"""What the program of a container that runs under the agent does: asked of the agent, without a session."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import get_args

from devenv import problems
from devenv.errors import DevenvError
from devenv.flows.runners import Place
from devenv.health.program import Program, ProgramState
from devenv.health.verdict import Verdict, is_ready
from devenv.ports import Kube, Object
from devenv.sync.places import AGENT, PROGRAM

STARTS_BEFORE_GIVING_UP = 3
"""A crash that no save caused is tried again by the agent; as many starts show that this does not mend it."""
STAYS_SECONDS = 2.5
"""After its first and second start a crashed program is tried again within two seconds, or not before the next save."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the agent of one container says of its program."""

    place: Place
    program: Program

    @property
    def sentence(self) -> str:
        """What people are told of it; "" where all is well."""
        if self.program.state == "waits":
            return "waits for a session to sync"
        unsynced = "" if self.program.synced else "unsynced: it runs the image's code, as no session came in time"
        return self.program.crash or unsynced


def look(kube: Kube, pods: Iterable[Object]) -> list[Answer]:
    """The programs of all running containers of pods that are under the agent; who does not answer is left out."""
    places = [place for pod in pods for place in _places(pod)]
    if not places:
        return []
    with ThreadPoolExecutor(max_workers=8) as pool:
        return [answer for answer in pool.map(lambda place: _ask(kube, place), places) if answer]


def parse(said: str) -> Program | None:
    """What `agent ready` printed, as a value: "waits", "runs", "runs unsynced", "crashed CODE STARTS", "ended CODE"."""
    words = said.split()
    numbers = [int(word) for word in words[1:] if word.lstrip("-").isdigit()]
    state = next((state for state in get_args(ProgramState) if words and words[0] == state), None)
    if state is None:
        return None
    code, starts = (*numbers, 0, 0)[:2]
    return Program(state, code, starts, synced="unsynced" not in words)


def crash_verdicts(kube: Kube, pods: Iterable[Object]) -> dict[str, Verdict]:
    """The verdicts on pods, by name, whose program crashed as often as nothing but an edit will mend."""
    crashed = _crashed(kube, pods)
    return {a.place.pod: _verdict(a) for a in crashed if a.program.starts >= STARTS_BEFORE_GIVING_UP}


class Crashes:
    """Watches, look by look, for programs that crashed and stay so.

    What was saved may be on its way to mend the first crash that is seen: `bring` brings it in.
    """

    def __init__(self, bring: Callable[[], object], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._bring, self._clock = bring, clock
        self._brought = False
        self._since: dict[tuple[Place, int], float] = {}

    def look(self, kube: Kube, pods: Iterable[Object]) -> dict[str, Verdict]:
        """The verdicts on pods, by name, whose program was not started since a look some seconds ago."""
        crashed = _crashed(kube, pods)
        if crashed and not self._brought:
            self._brought = True
            self._bring()
        now = self._clock()
        self._since = {key: self._since.get(key, now) for key in map(_start_of, crashed)}
        return {a.place.pod: _verdict(a) for a in crashed if now - self._since[_start_of(a)] >= STAYS_SECONDS}


def all_crashed(pods: Iterable[Object], verdicts: Mapping[str, Verdict]) -> bool:
    """Whether no pod is on its way in place of those whose program crashed."""
    staying = {pod["metadata"]["name"] for pod in pods if not pod["metadata"].get("deletionTimestamp")}
    return bool(staying) and staying <= verdicts.keys()


def _crashed(kube: Kube, pods: Iterable[Object]) -> list[Answer]:
    answers = look(kube, [pod for pod in pods if not is_ready(pod)])
    return [answer for answer in answers if answer.program.state == "crashed"]


def _start_of(answer: Answer) -> tuple[Place, int]:
    return answer.place, answer.program.starts


def _verdict(answer: Answer) -> Verdict:
    return Verdict(
        answer.place.pod,
        answer.sentence,
        problem=problems.PROGRAM_CRASHED,
        fatal=True,
        container=answer.place.container,
        facts=(("exit_code", answer.program.code),),
    )


def _places(pod: Object) -> list[Place]:
    named = pod["metadata"].get("annotations", {}).get(AGENT, "").split(",")
    statuses = pod.get("status", {}).get("containerStatuses", [])
    running = [status["name"] for status in statuses if status.get("state", {}).get("running")]
    metadata = pod["metadata"]
    return [Place(metadata["namespace"], metadata["name"], name) for name in running if name in named]


def _ask(kube: Kube, place: Place) -> Answer | None:
    try:
        said = place.read(kube, [PROGRAM, "ready"])[0]
    except DevenvError:
        return None
    program = parse(said.decode(errors="replace"))
    return Answer(place, program) if program else None
