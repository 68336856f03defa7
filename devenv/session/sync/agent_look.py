"""Asks the agent in a container what is there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from devenv.config.model import Service
from devenv.flows.agent_stream import AgentStream
from devenv.health.program import Program
from devenv.session.sync.claims import Claim
from devenv.session.sync.ledger import Ledger
from devenv.session.sync.program import describe_program
from devenv.sync import protocol, replies
from devenv.sync.index import Digest

_LISTED = 1000


class AgentLook(Ledger):
    """One connection, and what is known of what the container has: by rule."""

    def __init__(self, service: Service, stream: AgentStream, claims: Sequence[Claim], *, pod: str) -> None:
        super().__init__(service, claims, pod=pod)
        self.stream = stream

    @property
    def alive(self) -> bool:
        """False once the connection is lost."""
        return self.stream.alive

    @property
    def program(self) -> Program | None:
        """How its program is, where that is the agent's to know."""
        return describe_program(self.stream.state) if self.stream.welcome.supervised else None

    def have(self, rule: int, paths: Sequence[str]) -> dict[str, Digest]:
        """What the container has of some paths. SyncError."""
        return self._rows([protocol.List(self._claims[rule].target, tuple(part)) for part in _parts(paths)])

    def recorded(self, rule: int) -> dict[str, Digest]:
        """What the container has of what was synced before. SyncError."""
        claim = self._claims[rule]
        found = self._rows([protocol.Record(claim.target)]) if claim.leads else {}
        mine = {path: digest for path, digest in found.items() if not claim.is_elsewhere(path)}
        others = [self._acked[each] for each in self._sharing(rule) if each != rule]
        return {path: digest for path, digest in mine.items() if not any(path in acked for acked in others)}

    def _sharing(self, rule: int) -> list[int]:
        """The rules of the same target, this one among them."""
        return [each for each, claim in enumerate(self._claims) if claim.target == self._claims[rule].target]

    def glob(self, pattern: str) -> list[str]:
        """The absolute paths in the container that match. SyncError."""
        return self.stream.glob(pattern)

    def get(self, place: str) -> Iterator[protocol.Frame]:
        """A file of the container by its absolute path: File, Content ..., Done; or only Done with an errno."""
        return self.stream.get(place)

    def _rows(self, requests: Sequence[protocol.Frame]) -> dict[str, Digest]:
        found: dict[str, Digest] = {}
        for number in [self.stream.send(request) for request in requests]:
            for frame in self.stream.receive(number):
                if isinstance(frame, replies.Rows):
                    found.update((row.path, digest_of(row)) for row in frame.rows if row.kind != "-")
        return found

    def ping(self) -> None:
        """Prove that the whole way to the container works. SyncError where it does not."""
        self.stream.ask(protocol.Ping(b"?"))

    def close(self) -> None:
        """End the stream."""
        self.stream.close()


def digest_of(row: replies.Row) -> Digest:
    """What the container has at a path, as an index has it."""
    match row.kind:
        case "f":
            return ("x" if row.mode & 0o100 else "f") + row.digest.hex()
        case "l":
            return "l" + row.text
        case "d":
            return "d"
    return "?"


def _parts(paths: Sequence[str]) -> list[list[str]]:
    """The paths in so many portions that each fits a frame."""
    parts: list[list[str]] = []
    size = 0
    for path in paths:
        long = len(path.encode("utf-8", "surrogateescape")) + 2
        if not parts or len(parts[-1]) == _LISTED or size + long > protocol.LONGEST // 2:
            parts.append([])
            size = 0
        parts[-1].append(path)
        size += long
    return parts
