"""What the program of a container that runs under the agent does: asked of the agent, without a session."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from devenv import problems
from devenv.errors import DevenvError
from devenv.flows.runners import READ_SECONDS, Place
from devenv.health.verdict import Verdict, is_ready
from devenv.ports import Kube, Object
from devenv.sync.places import AGENT, PROGRAM

STARTS_BEFORE_GIVING_UP = 3
"""A crash that no save caused is tried again by the agent; as many starts show that this does not mend it."""


@dataclass(frozen=True, slots=True)
class Program:
    """The program of one container: `state` is "waits", "runs", "crashed" or "ended"; `synced` False where it runs
    the image's code; `starts` says how often it was started so far."""

    pod: str
    container: str
    state: str
    synced: bool = True
    code: int = 0
    starts: int = 0

    @property
    def sentence(self) -> str:
        """What people are told of it; "" where all is well."""
        if self.state == "crashed":
            return f"its program ended with code {self.code}; the next save starts it again"
        if self.state == "waits":
            return "waits for a session to sync"
        return "" if self.synced else "unsynced: it runs the image's code, as no session came in time"


def look(kube: Kube, pods: Iterable[Object]) -> list[Program]:
    """The programs of all running containers of pods that are under the agent; who does not answer is left out."""
    places = [place for pod in pods for place in _places(pod)]
    if not places:
        return []
    with ThreadPoolExecutor(max_workers=8) as pool:
        return [program for program in pool.map(lambda place: _ask(kube, place), places) if program]


def parse(place: Place, said: str) -> Program | None:
    """What `agent ready` printed, as a value: "waits", "runs", "runs unsynced", "crashed CODE STARTS", "ended CODE"."""
    words = said.split()
    numbers = [int(word) for word in words[1:] if word.lstrip("-").isdigit()]
    if not words:
        return None
    return Program(
        place.pod,
        place.container,
        words[0],
        synced="unsynced" not in words,
        code=numbers[0] if numbers else 0,
        starts=numbers[1] if len(numbers) > 1 else 0,
    )


def crash_verdicts(kube: Kube, pods: Iterable[Object]) -> dict[str, Verdict]:
    """The verdicts on pods, by name, whose program crashed as often as nothing but an edit will mend."""
    programs = look(kube, [pod for pod in pods if not is_ready(pod)])
    return {
        program.pod: Verdict(
            program.pod,
            program.sentence,
            problem=problems.PROGRAM_CRASHED,
            fatal=True,
            container=program.container,
            facts=(("exit_code", program.code),),
        )
        for program in programs
        if program.state == "crashed" and program.starts >= STARTS_BEFORE_GIVING_UP
    }


def _places(pod: Object) -> list[Place]:
    named = pod["metadata"].get("annotations", {}).get(AGENT, "").split(",")
    statuses = pod.get("status", {}).get("containerStatuses", [])
    running = [status["name"] for status in statuses if status.get("state", {}).get("running")]
    metadata = pod["metadata"]
    return [Place(metadata["namespace"], metadata["name"], name) for name in running if name in named]


def _ask(kube: Kube, place: Place) -> Program | None:
    try:
        stream = place.start(kube, [PROGRAM, "ready"])
        said = b""
        while (read := stream.read(READ_SECONDS)) is not None:
            said += read[0]
        stream.close()
    except DevenvError:
        return None
    return parse(place, said.decode(errors="replace"))
