"""What checks ask of this machine. Asking changes nothing, and only `fetch` goes out to the network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol


# --- the machine and its files -----------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class InotifyUse:
    """inotify instances and watches in use, as far as this user may see them."""

    instances: int
    watches: int


class Machine(Protocol):
    """This machine and this user."""

    @property
    def system(self) -> str:
        """The operating system: "linux", "darwin"."""

    @property
    def environ(self) -> Mapping[str, str]:
        """The environment variables."""

    @property
    def home(self) -> Path:
        """The user's home folder."""

    @property
    def uid(self) -> int:
        """The user's number; 0 is root."""

    def open_files(self) -> int:
        """How many files this process may have open."""

    def inotify(self) -> InotifyUse:
        """What is in use of inotify."""


FileKind = Literal["file", "folder", "socket", "other"]


@dataclass(frozen=True, slots=True)
class FileFacts:
    """A file: what it is, its permission bits, its owner's number, whether this user may write it."""

    kind: FileKind
    mode: int
    owner: int
    writable: bool


class Files(Protocol):
    """Files and folders of this machine."""

    def read(self, path: Path) -> str | None:
        """A text file, or None where there is none. OSError where it can't be read."""

    def look(self, path: Path) -> FileFacts | None:
        """What is at a path (links followed), or None."""

    def entries(self, folder: Path) -> list[Path]:
        """What is in a folder, sorted; nothing where there is none."""

    def space(self, path: Path) -> int | None:
        """Bytes left for this user on the disk of a path, or None where it is not there."""

    def count_folders(self, folder: Path) -> int:
        """How many folders there are at and below a folder, links not followed."""

    def is_locked(self, path: Path) -> bool:
        """Whether a running program holds the lock of a file."""


# --- network -----------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Holder:
    """Who listens on a port: "process 12 (nginx)", its command line and folder where these can be seen."""

    text: str
    argv: tuple[str, ...] = ()
    folder: Path | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What an HTTP server said: its status, and how many seconds this machine's clock is ahead of its own."""

    status: int
    ahead: float | None = None


class Network(Protocol):
    """Ports, names and servers."""

    def holder(self, port: int) -> Holder | None:
        """Who listens on a TCP port of this machine; None where nobody does."""

    def listens(self, socket: Path) -> bool:
        """Whether somebody listens on a Unix socket."""

    def resolve(self, host: str) -> Sequence[str]:
        """The addresses of a name; nothing where it has none."""

    def fetch(self, url: str) -> Answer:
        """Ask an HTTP server for its head, whatever it answers. OSError with the reason where it does not."""


# --- Docker ------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class DaemonInfo:
    """What the Docker daemon says of itself; sizes in bytes, `cgroup` 0 where it does not tell."""

    version: str
    memory: int
    cpus: int
    cgroup: int
    root: str
    system: str


@dataclass(frozen=True, slots=True)
class DaemonUse:
    """What Docker keeps on its disk, in bytes: all of it, and the build cache alone."""

    total: int
    cache: int


@dataclass(frozen=True, slots=True)
class ContainerFacts:
    """A container: whether it runs, whether devenv made it, and the ports of this machine that lead to it."""

    running: bool
    ours: bool
    ports: tuple[int, ...] = ()


class Daemon(Protocol):
    """The Docker daemon. Each question raises ToolError docker-missing or docker-not-running."""

    def address(self) -> str:
        """Where it is looked for: "unix:///var/run/docker.sock"."""

    def info(self) -> DaemonInfo:
        """What it says of itself."""

    def usage(self) -> DaemonUse:
        """What it keeps on its disk; takes its time."""

    def find_container(self, name: str) -> ContainerFacts | None:
        """A container by its name, running or not."""
