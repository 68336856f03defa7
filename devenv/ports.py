"""What flows need from the world, each port small and over our own values.

Kubernetes objects cross these ports as plain dicts, shaped as their JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from devenv.errors import SyncError
from devenv.scan.project import Project

Object = dict[str, Any]
"""A Kubernetes object as its JSON."""


# --- host --------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Command:
    """A program to run: `argv` (first the program), extra environment, text for stdin.

    What a `secret` one prints is in no log.
    """

    argv: tuple[str, ...]
    cwd: Path | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    stdin: str | None = None
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Finished:
    """How a command ended; `output` is stdout and stderr as they came, interleaved."""

    command: Command
    code: int
    stdout: str
    output: str
    stderr: str = ""


class Stop(Protocol):
    """Says whether everything should end now (Ctrl-C, another step failed); `threading.Event` is one."""

    def is_set(self) -> bool:
        """True once work should end."""

    def wait(self, timeout: float | None = None) -> bool:
        """Wait up to `timeout` seconds; True once work should end."""


class Commands(Protocol):
    """Runs programs of this machine."""

    def run(
        self, command: Command, *, stop: Stop | None = None, on_line: Callable[[str], None] | None = None
    ) -> Finished:
        """Run to the end, whatever the exit code; ended early (TERM, then KILL) once `stop` is set.

        `on_line` gets each output line as it comes. Raises ToolError where the program does not exist.
        """

    def find(self, tool: str) -> Path | None:
        """The program's path, from the settings' tools, else PATH; None where there is none."""


class Trust(Protocol):
    """Remembers which commands that files bring along may run on this machine, each by its digest."""

    def known(self) -> frozenset[str]:
        """The digests that were said yes to."""

    def add(self, digests: Mapping[str, Path]) -> None:
        """Remember digests, each with the file that brings its command."""

    def remove(self, digests: Collection[str]) -> None:
        """Forget digests."""


class Processes(Protocol):
    """Processes that outlive this one."""

    def spawn(self, argv: Sequence[str], *, log: Path) -> int:
        """Start a program in a session of its own, its output at the end of `log`; returns its process number."""

    def is_alive(self, pid: int) -> bool:
        """Whether that process still runs."""


@dataclass(frozen=True, slots=True)
class Change:
    """A hint that something at or below `path` may have changed; `settled` is False for a bare write still going on.

    `overflow` means that events were lost and everything must be looked at again; `problem` that events can't be had
    here, and changes are seen a second late.
    """

    path: Path
    settled: bool = True
    overflow: bool = False
    problem: SyncError | None = None


class Watcher(Protocol):
    """Watches folders."""

    def watch(
        self, folders: Sequence[Path], on_change: Callable[[Change], None], *, poll: bool = False
    ) -> AbstractContextManager[None]:
        """While entered, calls `on_change` (from another thread) for what changes at or below the folders.

        With `poll` the folders are looked at every second, and no events of the system are asked for.
        """


class ProjectFiles(Protocol):
    """Reads what a project has, and writes what is proposed."""

    def read(self, root: Path) -> Project:
        """The project's files, within limits of number and size, without what was fetched or built."""

    def read_text(self, file: Path) -> str | None:
        """One text file, or None where there is none of a usual size."""

    def write(self, files: Mapping[Path, str]) -> None:
        """Write texts, each whole or not at all. Refused write-failed."""


# --- images ------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class ImageConfig:
    """What an image starts by itself: entrypoint, command, user ("" is root) and working folder.

    `architecture` is what it was made for, as OCI writes it ("arm64"); `unknown` the reason why the rest is not known.
    """

    entrypoint: tuple[str, ...]
    command: tuple[str, ...]
    user: str = ""
    workdir: str = ""
    architecture: str = "amd64"
    unknown: str = ""


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """An image to build: name and tag without a registry ("shop-orders:<hash>"), and its inputs."""

    service: str
    image: str
    context: Path
    dockerfile: Path
    target: str | None
    args: Mapping[str, str]


class Images(Protocol):
    """Builds images and brings them to the registry beside the cluster."""

    def tag(self, request: BuildRequest) -> str:
        """The hash of everything that goes into the build (context minus .dockerignore, Dockerfile, target, args).

        No daemon is asked. Raises ToolError dockerfile-missing.
        """

    def find(self, image: str) -> ImageConfig | None:
        """The config of an image ("shop-orders:<hash>") in the registry, or None where it is not there."""

    def build(
        self, request: BuildRequest, *, stop: Stop | None = None, on_line: Callable[[str], None] | None = None
    ) -> ImageConfig:
        """Build and push; ToolError build-failed, disk-full, push-failed, docker-not-running."""

    def look_up(self, image: str) -> ImageConfig:
        """The config of a prebuilt image, as people name it, from its registry or a mirror.

        Of several platforms it is that of this machine. Where nobody has it, `unknown` says why.
        ToolError docker-not-running.
        """

    def reference(self, image: str) -> str:
        """How a pod names the image: "localhost:5001/shop-orders:<hash>"."""


class Registry(Protocol):
    """The registry container beside the cluster (contract: KEP-1755 and kind's local-registry guide)."""

    def ensure(self, *, network: str) -> list[str]:
        """Create, start or attach what is missing; returns one sentence for each thing that was mended or made.

        ToolError docker-not-running, port-taken, image-pull-failed; Refused registry-foreign.
        """

    def remove(self) -> bool:
        """Remove the container with its volumes (and a network it was made with, once empty); True if it was there."""


# --- clusters ----------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Access:
    """How to reach a cluster: a kubeconfig context by name, pinned for the whole run."""

    context: str
    kubeconfig: Path | None = None


@dataclass(frozen=True, slots=True)
class ClusterState:
    """What is there: `missing`, `stopped`, `running`, `partial` (a creation that was cut off) or `foreign`."""

    status: str
    nodes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Node:
    """A cluster node that is a container."""

    name: str
    running: bool


class Nodes(Protocol):
    """The nodes of clusters that live in containers of this machine."""

    def find(self, cluster: str) -> list[Node]:
        """The nodes of a cluster, running or not. ToolError docker-missing, docker-not-running."""

    def start(self, node: str) -> None:
        """Start a stopped node."""

    def read(self, node: str, path: str) -> str | None:
        """A text file of a node (running or not), or None."""

    def write(self, node: str, files: Mapping[str, str]) -> None:
        """Write text files into a node, their folders included."""


class Clusters(Protocol):
    """A provider of clusters."""

    def inspect(self) -> ClusterState:
        """What is there now. ToolError docker-missing, docker-not-running."""

    def create(self, *, stop: Stop | None = None, on_line: Callable[[str], None] | None = None) -> None:
        """Create it, or leave nothing behind. ToolError kind-missing; ClusterError cluster-create-failed."""

    def start(self) -> None:
        """Start a stopped cluster's nodes."""

    def connect_registry(self, name: str, port: int, mirrors: Mapping[str, str]) -> list[str]:
        """Write each node's certs.d for the local registry and mirrors; returns a sentence for each thing changed."""

    def delete(self) -> bool:
        """Delete the cluster with its kubeconfig entry; True if it was there."""

    def access(self) -> Access:
        """How to reach it. ClusterError cluster-missing."""


# --- kube --------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Ref:
    """Names one object: "Deployment", "orders", in "shop" ("" for cluster-scoped kinds)."""

    api_version: str
    kind: str
    name: str
    namespace: str = ""

    def __str__(self) -> str:
        return f"{self.kind.lower()}/{self.name}"


@dataclass(frozen=True, slots=True)
class Event:
    """One change seen by a watch: ADDED, MODIFIED or DELETED, and the object."""

    type: str
    object: Object


class Objects(Protocol):
    """Reads and writes Kubernetes objects."""

    def apply(self, obj: Object) -> Object:
        """Server-side apply as field manager "devenv", forced; returns what the server stored. ClusterError."""

    def find(self, ref: Ref) -> Object | None:
        """The object, or None where it (or its kind) is not there. ClusterError."""

    def select(self, api_version: str, kind: str, *, namespace: str = "", labels: str = "") -> list[Object]:
        """The objects of a kind, apiVersion and kind filled in; `labels` is a selector "a=b,c". ClusterError."""

    def delete(self, ref: Ref) -> bool:
        """Delete (background cascade); True if it was there. Does not wait. ClusterError."""

    def watch(self, api_version: str, kind: str, *, namespace: str, labels: str = "", stop: Stop) -> Iterator[Event]:
        """ADDED for what is there, then each change until `stop` is set (checked at least each 0.5 s); survives
        expiry and lost connections (after a reconnect everything is ADDED again)."""


class ExecStream(Protocol):
    """One command running in a container, its three streams and its end."""

    def write(self, data: bytes) -> None:
        """Send to its stdin. SyncError or ClusterError where the connection is gone."""

    def close_stdin(self) -> None:
        """End its stdin (needs exec protocol v5)."""

    def read(self, timeout: float) -> tuple[bytes, bytes] | None:
        """What came on (stdout, stderr) within `timeout` seconds, maybe nothing; None once both have ended."""

    def returncode(self) -> int | None:
        """The exit code once ended; None where the connection was lost before one came."""

    def close(self) -> None:
        """End the connection."""


class Pods(Protocol):
    """Talks to containers."""

    def exec(
        self,
        namespace: str,
        pod: str,
        container: str,
        command: Sequence[str],
        *,
        stdin: bool = False,
        tty: bool = False,
    ) -> ExecStream:
        """Start a command in a container. ClusterError where it can't be started."""

    def logs(
        self,
        namespace: str,
        pod: str,
        container: str,
        *,
        follow: bool = False,
        tail: int | None = None,
        previous: bool = False,
        since: int | None = None,
        stop: Stop | None = None,
    ) -> Iterator[str]:
        """Lines, without their newline; `since` in seconds. Ends when the container does, or `stop` is set."""

    def forward(self, namespace: str, pod: str, port: int) -> Tunnel:
        """One connection to a port of a pod. ClusterError where it can't be made."""


class Tunnel(Protocol):
    """A TCP connection into a pod, as a byte stream."""

    def send(self, data: bytes) -> None:
        """Send bytes; OSError where it is gone."""

    def receive(self) -> bytes:
        """Wait for bytes; b"" at the end."""

    def close(self) -> None:
        """End it; a waiting receive returns b""."""


class Kube(Protocol):
    """One cluster, pinned to a context for the whole run."""

    @property
    def context(self) -> str:
        """The kubeconfig context."""

    @property
    def objects(self) -> Objects:
        """Its objects."""

    @property
    def pods(self) -> Pods:
        """Its containers."""

    def uid(self) -> str:
        """The UID of namespace kube-system: stands for the cluster. ClusterError cluster-unreachable."""


# --- terminal ----------------------------------------------------------------------------------------------------
class Progress(Protocol):
    """Tells people what is going on (stderr)."""

    def step(self, label: str) -> AbstractContextManager[Callable[[str], None]]:
        """A step that takes time: shown with its duration; the function entered with sets a note beside it."""

    def note(self, text: str) -> None:
        """A line of its own."""

    def warn(self, text: str) -> None:
        """Something to look at that does not stop the run."""
