"""What a container is to its replica's thread, whichever way it is synced."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Protocol

from devenv.health.program import Program
from devenv.session.sync.outcome import Outcome
from devenv.sync import protocol
from devenv.sync.index import Digest, Index


class Target(Protocol):
    """One connection to one container; a new connection is a new one of these. All but `close` raise SyncError."""

    @property
    def alive(self) -> bool:
        """False once the connection is lost."""

    @property
    def complete(self) -> bool:
        """True where the container has all that was marked."""

    @property
    def wants_reload(self) -> bool:
        """True where files came whose rule asks for a reload."""

    @property
    def owed(self) -> Mapping[int, str]:
        """The rules whose files came since the last reload, each with the first of them."""

    @property
    def files(self) -> int:
        """How many paths the container has of the sources."""

    @property
    def program(self) -> Program | None:
        """How its program is, where that is known."""

    def owe(self, rules: Mapping[int, str]) -> None:
        """Take over what a lost connection to the same container left undone."""

    def mark(self, rule: int, paths: Collection[str] | None) -> None:
        """These paths of a rule's source changed; None: anything may have."""

    def adopt(self, indexes: Sequence[Index], seen: Sequence[Collection[str]]) -> None:
        """Ask the container what it has already."""

    def have(self, rule: int, paths: Sequence[str]) -> dict[str, Digest]:
        """What the container has of some paths now."""

    def recorded(self, rule: int) -> dict[str, Digest]:
        """What the container has of what was synced before."""

    def glob(self, pattern: str) -> list[str]:
        """The absolute paths in the container that match."""

    def get(self, place: str) -> Iterator[protocol.Frame]:
        """A file of the container by its absolute path: File, Content ..., Done; or only Done with an errno."""

    def acknowledge(self, rule: int, path: str, digest: Digest) -> None:
        """The container is known to have this."""

    def amend(self, rule: int, there: Mapping[str, Digest | None]) -> None:
        """The container was found to have this at these paths (None: nothing): all of them are marked."""

    def accept_loss(self) -> None:
        """The next batch may delete as much as it will."""

    def send(self, indexes: Sequence[Index], *, kept: Callable[[int, str], bool]) -> Outcome:
        """Send what was marked and differs."""

    def reload(self) -> Outcome:
        """Carry out what the rules of the files that came ask for."""

    def ping(self) -> None:
        """Prove that the whole way works."""

    def close(self) -> None:
        """End the connection."""
