"""A machine that is what a test says it is; in the beginning, all is well on it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from devenv.checks.check import GIB, Places, Scene
from devenv.checks.facts import Answer, ContainerFacts, DaemonInfo, DaemonUse, FileFacts, Holder, InotifyUse
from devenv.config.model import Environment, Origin, Service, Settings, SyncRule
from devenv.errors import DevenvError
from tests.fakes.clusters import FakeClusters
from tests.fakes.host import FakeCommands
from tests.fakes.images import FakeNodes

HOME = Path("/home/ada")
PROJECT = HOME / "shop"
RUNTIME, STATE = Path("/run/user/7/devenv"), HOME / ".local/state/devenv"


@dataclass
class FakeMachine:
    """A Linux machine of an ordinary user."""

    system: str = "linux"
    environ: dict[str, str] = field(default_factory=dict)
    home: Path = HOME
    uid: int = 1000
    files_open: int = 4096
    in_use: InotifyUse = field(default_factory=lambda: InotifyUse(10, 500))

    def open_files(self) -> int:
        return self.files_open

    def inotify(self) -> InotifyUse:
        return self.in_use


class FakeFiles:
    """Files by path; `facts` where they are something special, `unreadable` ones raise."""

    def __init__(self, texts: dict[str, str] | None = None) -> None:
        self.texts = {Path(path): text for path, text in (texts or {}).items()}
        self.facts: dict[Path, FileFacts] = {}
        self.left: int | None = 50 * GIB
        self.folders: dict[Path, int] = {}
        self.locked: set[Path] = set()
        self.unreadable: set[Path] = set()

    def put(self, path: Path | str, text: str = "", **facts: Any) -> None:
        """A file, private and of user 1000 unless told otherwise."""
        values = {"kind": "file", "mode": 0o600, "owner": 1000, "writable": True, **facts}
        self.texts[Path(path)] = text
        self.facts[Path(path)] = FileFacts(**values)

    def read(self, path: Path) -> str | None:
        if path in self.unreadable:
            raise PermissionError(13, "Permission denied", str(path))
        return self.texts.get(path)

    def look(self, path: Path) -> FileFacts | None:
        if path in self.texts and path not in self.facts:
            return FileFacts("file", 0o600, 1000, writable=True)
        return self.facts.get(path)

    def entries(self, folder: Path) -> list[Path]:
        return sorted(path for path in self.texts if path.parent == folder)

    def space(self, path: Path) -> int | None:
        return self.left

    def count_folders(self, folder: Path) -> int:
        return self.folders.get(folder, 1)

    def is_locked(self, path: Path) -> bool:
        return path in self.locked


class FakeNetwork:
    """Ports with their holders, sockets that are listened on, names, and servers (an Answer or an error each)."""

    def __init__(self) -> None:
        self.ports: dict[int, Holder] = {}
        self.live: set[Path] = set()
        self.names: dict[str, Sequence[str]] = {"localhost": ["127.0.0.1", "::1"]}
        self.servers: dict[str, Answer | OSError] = {}
        self.fetched: list[str] = []

    def holder(self, port: int) -> Holder | None:
        return self.ports.get(port)

    def listens(self, socket: Path) -> bool:
        return socket in self.live

    def resolve(self, host: str) -> Sequence[str]:
        return self.names.get(host, [])

    def fetch(self, url: str) -> Answer:
        self.fetched.append(url)
        answer = self.servers.get(url, Answer(401, 0.2))
        if isinstance(answer, OSError):
            raise answer
        return answer


class FakeDaemon:
    """A daemon with plenty of everything; with `error` it does not answer, ever or `silent_for` some questions."""

    def __init__(self) -> None:
        self.where = "unix:///var/run/docker.sock"
        self.error: DevenvError | None = None
        self.silent_for: int | None = None
        self.told: dict[str, Any] = {
            "version": "28.2.2",
            "memory": 16 * GIB,
            "cpus": 8,
            "cgroup": 2,
            "root": "/var/lib/docker",
            "system": "Debian GNU/Linux 13",
        }
        self.used = DaemonUse(5 * GIB, GIB)
        self.containers: dict[str, ContainerFacts] = {}

    def _answer(self) -> None:
        if self.silent_for == 0:
            self.error = None
        if self.error:
            self.silent_for = self.silent_for and self.silent_for - 1
            raise self.error

    def address(self) -> str:
        return self.where

    def info(self) -> DaemonInfo:
        self._answer()
        return DaemonInfo(**self.told)

    def usage(self) -> DaemonUse:
        self._answer()
        return self.used

    def find_container(self, name: str) -> ContainerFacts | None:
        self._answer()
        return self.containers.get(name)


@dataclass
class Fakes:
    """Every fake of a scene, for a test to change; `scene` is made of what they are then."""

    machine: FakeMachine = field(default_factory=FakeMachine)
    files: FakeFiles = field(default_factory=FakeFiles)
    network: FakeNetwork = field(default_factory=FakeNetwork)
    daemon: FakeDaemon = field(default_factory=FakeDaemon)
    commands: FakeCommands = field(default_factory=FakeCommands)
    clusters: FakeClusters = field(default_factory=FakeClusters)
    nodes: FakeNodes = field(default_factory=FakeNodes)
    settings: dict[str, Any] = field(default_factory=dict)
    environment: Environment | None = None
    settings_error: Exception | None = None
    environment_error: Exception | None = None

    def __post_init__(self) -> None:
        self.commands.answers = {
            "kind version": (0, "kind v0.33.0 go1.26 linux/amd64\n"),
            "kubectl version": (0, "Client Version: v1.34.1\nKustomize Version: v5.7.1\n"),
            "docker buildx": (0, "github.com/docker/buildx v0.30.1 0a1b2c3\n"),
        }
        for name, limit in (("watches", 524288), ("instances", 512)):
            self.files.put(f"/proc/sys/fs/inotify/max_user_{name}", f"{limit}\n")
        self.files.put("/proc/mounts", "/dev/sda1 / ext4 rw 0 0\n")
        self.files.put("/etc/resolv.conf", "nameserver 192.168.1.1\n")
        self.files.put("/var/run/docker.pid", "812")
        self.files.put("/proc/812/status", "Name:\tdockerd\nCapBnd:\t000001ffffffffff\n")

    @property
    def scene(self) -> Scene:
        return Scene(
            machine=self.machine,
            files=self.files,
            network=self.network,
            daemon=self.daemon,
            commands=self.commands,
            clusters=self.clusters,
            nodes=self.nodes,
            places=Places(PROJECT, RUNTIME, STATE),
            settings=Settings(HOME / ".config/devenv/settings.yaml", **self.settings),
            stop=threading.Event(),
            environment=self.environment,
            settings_error=self.settings_error,
            environment_error=self.environment_error,
        )


def service(name: str, **values: Any) -> Service:
    """A service of an image, with a port and a synced folder, unless told otherwise."""
    defaults: dict[str, Any] = {
        "build": None,
        "image": f"ghcr.io/acme/{name}:1",
        "ports": {"http": 8000},
        "env": {},
        "deploy": None,
        "sync": (SyncRule(PROJECT / name, "/app"),),
        "test": None,
        "needs": (),
        "command": (),
        "origin": Origin(PROJECT / "devenv.yaml", 1, 1),
    }
    return Service(name=name, **{**defaults, **values})


def environment(*services: Service) -> Environment:
    """An environment of some services, or of one."""
    return Environment("shop", PROJECT, "default", {spec.name: spec for spec in services or (service("orders"),)}, {})
