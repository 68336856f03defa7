"""What the user's files say, as plain values. Every path is absolute; every name was checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Mode = Literal["stub", "real", "off"]
ReloadKind = Literal["none", "restart", "rebuild", "signal", "exec"]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value was written: a file and a 1-based line and column."""

    file: Path
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


NOWHERE = Origin(Path(), 1, 1)
"""Of a value that stands in no file."""


@dataclass(frozen=True, slots=True)
class Build:
    """How an image is built: an absolute context folder and Dockerfile, a target stage, build arguments."""

    context: Path
    dockerfile: Path
    target: str | None = None
    args: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reload:
    """What happens in the container after files arrived; `signal` (e.g. "HUP") and `command` belong to their kinds."""

    kind: ReloadKind = "none"
    signal: str = ""
    command: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SyncRule:
    """A local folder or file (`source`, absolute) and where it goes in the container (`target`, a POSIX path).

    `is_file` tells what the source was when the rule was read; `origin` is where the rule is written.
    """

    source: Path
    target: str
    reload: Reload = Reload()
    is_file: bool = False
    origin: Origin = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Syncing:
    """How a service is synced, beside its rules.

    `gate` is how many seconds a new pod waits for a session; `in_place` writes into the image's own folders instead of
    volumes; `probes` says what becomes of liveness and startup probes; with `wait_for_sync` the init steps of the same
    image wait for the synced files, too; without `agent` the pod is left as it is.
    """

    gate: int = 30
    in_place: bool = False
    probes: Literal["remove", "keep"] = "remove"
    wait_for_sync: bool = False
    watch: Literal["auto", "poll"] = "auto"
    agent: bool = True


@dataclass(frozen=True, slots=True)
class Test:
    """The command that tests a service inside its pod, and the report files (paths in the container) it leaves."""

    __test__ = False

    command: tuple[str, ...]
    reports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Deploy:
    """A service's own manifests: a file, and which workload ("kind/name") and container are the service's."""

    path: Path
    workload: str | None = None
    container: str | None = None


@dataclass(frozen=True, slots=True)
class Secret:
    """Where a secret comes from: a variable of this machine (`env`), a `file`, or what a command prints (`exec`).

    Never the secret itself: that is looked up at `up` and kept only in the cluster.
    """

    kind: Literal["env", "file", "exec"]
    origin: Origin
    env: str = ""
    file: Path | None = None
    exec: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hook:
    """A command of this machine that runs at one of the HOOKS of an environment."""

    when: str
    command: tuple[str, ...]
    origin: Origin


HOOKS = ("before_up", "after_up", "before_down")


@dataclass(frozen=True, slots=True)
class Volume:
    """A volume claim: mount path in the container and size as Kubernetes writes it ("1Gi")."""

    path: str
    size: str


@dataclass(frozen=True, slots=True)
class Resources:
    """Requests and limits by resource, as Kubernetes quantities; with `trim`, small fixed requests replace all."""

    requests: Mapping[str, str] = field(default_factory=dict)
    limits: Mapping[str, str] = field(default_factory=dict)
    trim: bool = False


@dataclass(frozen=True, slots=True)
class ContainerStep:
    """A command that runs to its end: an init step or a seed. Without an image it runs in its unit's own.

    It sees the unit's environment variables; `env` adds to them.
    """

    name: str
    command: tuple[str, ...]
    image: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Running:
    """How a unit's pods run, beside image and ports: replicas (None: one, or as own manifests say), resources,
    the steps before its program starts, and the seeds that run once after it is ready."""

    replicas: int | None = None
    resources: Resources = Resources()
    init: tuple[ContainerStep, ...] = ()
    seed: tuple[ContainerStep, ...] = ()


@dataclass(frozen=True, slots=True)
class Service:
    """Something the user builds from source and edits: exactly one of `build` and `image` is set."""

    name: str
    build: Build | None
    image: str | None
    ports: Mapping[str, int]
    env: Mapping[str, str]
    deploy: Deploy | None
    sync: tuple[SyncRule, ...]
    test: Test | None
    needs: tuple[str, ...]
    command: tuple[str, ...]
    origin: Origin
    secrets: Mapping[str, Secret] = field(default_factory=dict)
    volumes: Mapping[str, Volume] = field(default_factory=dict)
    running: Running = Running()
    syncing: Syncing = Syncing()


@dataclass(frozen=True, slots=True)
class Route:
    """What a stub answers to the requests of one method and path, `{name}` in it standing for any one segment.

    A request must have the parameters of `query` and may have more. `body` is sent as it is; None sends none.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None


@dataclass(frozen=True, slots=True)
class Stub:
    """A dependency answered by the stub engine, from one source.

    `wiremock` is a folder with WireMock `mappings/` and `__files/`; `routes` are written in the profile; `har` is a
    recording, of which the answers of `host` are taken (empty: of its only one); `openapi` is a document. `origin` is
    where the user names the host, or else the source.
    """

    wiremock: Path | None
    ports: Mapping[str, int]
    routes: tuple[Route, ...] = ()
    har: Path | None = None
    host: str = ""
    openapi: Path | None = None
    origin: Origin = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Real:
    """A dependency that runs for real from a prebuilt image.

    `files` maps a folder in the container to local files that are mounted there, in order; `ready` is the command
    that succeeds inside the container once it takes requests (empty: its first port is probed).
    """

    image: str
    ports: Mapping[str, int]
    env: Mapping[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    volumes: Mapping[str, Volume] = field(default_factory=dict)
    files: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)
    ready: tuple[str, ...] = ()
    secrets: Mapping[str, Secret] = field(default_factory=dict)
    running: Running = Running()


@dataclass(frozen=True, slots=True)
class Project:
    """A real form that is a service of another project: that project's devenv.yaml, and the service's name in it."""

    file: Path
    service: str


@dataclass(frozen=True, slots=True)
class Dependency:
    """Something a service needs and the user does not edit now: its mode, and at least the form its mode asks for.

    One that runs for real from another project has `project` instead of `real`, and a service of its name in the
    environment. `memory` is about how much its real form needs ("128Mi"), None where nobody said.
    """

    name: str
    mode: Mode
    stub: Stub | None
    real: Real | None
    origin: Origin
    project: Project | None = None
    memory: str | None = None


@dataclass(frozen=True, slots=True)
class Environment:
    """What one devenv.yaml and the chosen profile describe. `root` is the folder of devenv.yaml.

    `env` of a unit has its plain variables, `secrets` those that are looked up at `up`.
    `services` has those of other projects too that run as the real form of a dependency; `groups` are resolved to the
    services and dependencies in them.
    """

    name: str
    root: Path
    profile: str
    services: Mapping[str, Service]
    dependencies: Mapping[str, Dependency]
    hooks: tuple[Hook, ...] = ()
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Settings:
    """Machine-wide settings; `file` is where they were read from (it need not exist).

    `mirrors` maps an upstream registry ("docker.io") to the base URL that the cluster's nodes pull it from, the URL's
    path being a repository prefix. `tools` maps a program's name to its path where it is not on PATH.
    """

    file: Path
    provider: str = "kind"
    cluster: str = "devenv"
    node_image: str | None = None
    registry_name: str = "devenv-registry"
    registry_port: int = 5001
    registry_image: str = "registry:2"
    mirrors: Mapping[str, str] = field(default_factory=dict)
    tools: Mapping[str, str] = field(default_factory=dict)
    allowed_contexts: tuple[str, ...] = ()
