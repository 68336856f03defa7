"""What `devenv init` proposes, as values: services, dependencies, and what could not be taken over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Note:
    """One thing that is not carried over or that somebody has to look at: where, what, and what to do."""

    place: str
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text}" if self.place else self.text


@dataclass(frozen=True, slots=True)
class Build:
    """How an image is built: paths from the project's folder, the Dockerfile seen from the context."""

    context: str
    dockerfile: str = ""
    target: str = ""
    args: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rule:
    """A sync rule: a path from the project's folder, one in the container, what happens then, and the reason."""

    source: str
    to: str
    reload: str = "none"
    why: str = ""


@dataclass(frozen=True, slots=True)
class Service:
    """A proposed service; `why` gives the reason for a key.

    `env_file` and the path of `deploy` are seen from the project's folder; `from_files` are the values in those files,
    which are not written.
    """

    name: str
    build: Build | None = None
    image: str = ""
    ports: Mapping[str, int] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    env_file: tuple[str, ...] = ()
    from_files: Mapping[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = ()
    deploy: Mapping[str, str] = field(default_factory=dict)
    limits: Mapping[str, str] = field(default_factory=dict)
    volumes: Mapping[str, str] = field(default_factory=dict)
    sync: tuple[Rule, ...] = ()
    test: tuple[str, ...] = ()
    reports: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    why: Mapping[str, str] = field(default_factory=dict)

    @property
    def values(self) -> dict[str, str]:
        """All its variables, those of its env files too."""
        return {**self.from_files, **self.env}


@dataclass(frozen=True, slots=True)
class Dependency:
    """A proposed dependency: of the shipped `profile` with `arguments`, or written out from `image` on.

    `seed`, `files` and `env_file` are paths from the project's folder; `from_files` are the values in its env files.
    """

    name: str
    profile: str = ""
    arguments: Mapping[str, str] = field(default_factory=dict)
    seed: tuple[str, ...] = ()
    image: str = ""
    ports: Mapping[str, int] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    env_file: tuple[str, ...] = ()
    from_files: Mapping[str, str] = field(default_factory=dict)
    limits: Mapping[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    volumes: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ready: tuple[str, ...] = ()
    off: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """Everything proposed. `portless` names the services of which no port was found."""

    name: str
    services: tuple[Service, ...] = ()
    dependencies: tuple[Dependency, ...] = ()
    notes: tuple[Note, ...] = ()
    sources: tuple[str, ...] = ()

    @property
    def portless(self) -> tuple[str, ...]:
        """The services that nothing says a port of, and that no command tells to be workers."""
        return tuple(s.name for s in self.services if not s.ports and "ports" not in s.why)


def gather(notes: Iterable[Note]) -> tuple[Note, ...]:
    """The notes, those of one text together in one line with all their places."""
    places: dict[str, list[str]] = {}
    for note in notes:
        known = places.setdefault(note.text, [])
        if note.place not in known:
            known.append(note.place)
    return tuple(Note(", ".join(place for place in found if place), text) for text, found in places.items())
