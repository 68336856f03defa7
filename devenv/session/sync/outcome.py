"""What came of bringing sources into a container."""

from __future__ import annotations

from dataclasses import dataclass, field

from devenv.config.model import Service
from devenv.errors import DevenvError
from devenv.health.program import Program
from devenv.session.sync.reasons import Cause, Reason, reasons
from devenv.sync.batch import Batch

SHOWN_PATHS = 5


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was done to one container; `problem` is what went wrong, `rebuild` that the image must be built anew.

    `paths` are the first few files, `size` their bytes, `reloaded` says how ("restart", "HUP", "pip install").
    `again` has, by rule, paths that changed while they were read. `reasons` say why it was reloaded or must be built.
    `program` is what its program became by itself: crashed, or running again. `warning` is what works, but worse than
    it could.
    """

    service: str
    pod: str
    files: int = 0
    size: int = 0
    deleted: int = 0
    seconds: float = 0.0
    paths: tuple[str, ...] = ()
    reloaded: tuple[str, ...] = ()
    rebuild: bool = False
    output: str = ""
    problem: DevenvError | None = None
    again: tuple[tuple[int, str], ...] = ()
    reasons: tuple[Reason, ...] = ()
    program: Program | None = None
    warning: DevenvError | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What a replica tells the one that decides; `outcome` None means only that it should look."""

    outcome: Outcome | None = None
    wants_reload: bool = False


@dataclass(slots=True)
class Total:
    """Adds up what the rules of one container sent."""

    files: int = 0
    size: int = 0
    deleted: int = 0
    paths: list[str] = field(default_factory=list)
    again: list[tuple[int, str]] = field(default_factory=list)
    rebuilds: list[Cause] = field(default_factory=list)

    def add(self, batch: Batch, *, files: int) -> None:
        """Count a batch that was carried out with this many files."""
        links = batch.links or {}
        self.files += files + len(links)
        self.deleted += len(batch.delete_files) + len(batch.delete_dirs)
        self.paths += [*batch.puts, *links, *batch.delete_files]

    def outcome(self, service: Service, pod: str, *, seconds: float, problem: DevenvError | None = None) -> Outcome:
        """What is told of it."""
        return Outcome(
            service=service.name,
            pod=pod,
            files=self.files,
            size=self.size,
            deleted=self.deleted,
            seconds=seconds,
            paths=tuple(self.paths[:SHOWN_PATHS]),
            rebuild=bool(self.rebuilds),
            problem=problem,
            again=tuple(self.again),
            reasons=reasons(service, self.rebuilds),
        )


def first_path(batch: Batch) -> str:
    """The path that stands for a batch."""
    return next(iter(batch.paths), "")
