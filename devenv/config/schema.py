"""The shape of the user's files as pydantic models. Elsewhere the values of `model.py` are used."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from devenv.config.hook_shape import HooksFile
from devenv.config.secret_shape import EnvValue
from devenv.config.strict import FILLED, Filled, ShellOrList, Strict, Value
from devenv.config.strict import shape_of as _shape

NAME = r"^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$"
PORT_NAME = r"^[a-z]([a-z0-9]|-[a-z0-9]){0,14}$"
ABSOLUTE = r"^/"
SIZE = r"^[0-9]+(\.[0-9]+)?([kMGTPE]|[KMGTPE]i)?$"
URL = r"^https?://[^/]"
WORDS_OF_PATTERNS = {
    NAME: "a name of lowercase letters, digits and dashes",
    PORT_NAME: "a port name of at most 15 lowercase letters, digits and dashes",
    ABSOLUTE: "an absolute path in the container",
    SIZE: "a size such as 1Gi",
    FILLED: "text that is not empty",
    URL: "a URL that begins with http:// or https://",
}

Port = Annotated[int, Field(ge=1, le=65535)]
Name = Annotated[str, Field(pattern=NAME)]
PortName = Annotated[str, Field(pattern=PORT_NAME, max_length=15)]
ContainerPath = Annotated[str, Field(pattern=ABSOLUTE)]


class BuildFile(Strict):
    """How an image is built."""

    context: str
    dockerfile: str | None = None
    target: str | None = None
    args: dict[str, Value] = {}


class ReloadMap(Strict):
    """A signal to the program, or a command in the container."""

    signal: str | None = None
    exec: list[str] | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def one_of_them(self) -> Self:
        """One of the two, not both."""
        if (self.signal is None) == (self.exec is None):
            raise PydanticCustomError("one_of", "expected one key, signal or exec")
        return self


ReloadFile = Annotated[
    Annotated[Literal["none", "restart", "rebuild"], Tag("text")] | Annotated[ReloadMap, Tag("map")],
    Discriminator(_shape),
]


class SyncFile(Strict):
    """A sync rule."""

    source: str = Field(alias="from")
    to: ContainerPath
    reload: ReloadFile = "none"


class SyncMap(Strict):
    """Sync rules, and how the service is synced."""

    rules: list[SyncFile]
    gate: str | int = "30s"
    in_place: bool = False
    probes: Literal["remove", "keep"] = "remove"
    wait_for_sync: bool = False
    watch: Literal["auto", "poll"] = "auto"
    agent: bool = True


class TestFile(Strict):
    """How a service is tested."""

    __test__ = False

    command: ShellOrList
    reports: list[ContainerPath] = []


class DeployFile(Strict):
    """A service's own manifests."""

    planned = frozenset({"helm", "kustomize", "namespaces"})

    path: str
    workload: str | None = None
    container: str | None = None


class VolumeFile(Strict):
    """A volume."""

    path: ContainerPath
    size: Annotated[str, Field(pattern=SIZE)] = "1Gi"


class ResourcesFile(Strict):
    """What a container asks for and may use at most."""

    requests: Annotated[
        Annotated[Literal["trim"], Tag("text")] | Annotated[dict[str, str | int], Tag("map")], Discriminator(_shape)
    ] = {}
    limits: dict[str, str | int] = {}


class StepFile(Strict):
    """A command that runs to its end before or after a unit's own program."""

    name: Name | None = None
    image: Filled | None = None
    command: ShellOrList
    env: dict[str, Value] = {}


class RunningFile(Strict):
    """How the pods of a service or a real dependency run."""

    env_file: Annotated[Annotated[str, Tag("text")] | Annotated[list[str], Tag("list")], Discriminator(_shape)] = []
    replicas: int | None = None
    resources: ResourcesFile = ResourcesFile()
    init: list[StepFile] = []
    seed: list[StepFile] = []


class ServiceFile(RunningFile):
    """A service."""

    planned = frozenset({"helm", "kustomize", "manifests"})

    build: Annotated[Annotated[str, Tag("text")] | Annotated[BuildFile, Tag("map")], Discriminator(_shape)] | None = (
        None
    )
    image: Filled | None = None
    ports: dict[PortName, Port] = {}
    env: dict[str, EnvValue] = {}
    deploy: Annotated[Annotated[str, Tag("text")] | Annotated[DeployFile, Tag("map")], Discriminator(_shape)] | None = (
        None
    )
    sync: Annotated[Annotated[list[SyncFile], Tag("list")] | Annotated[SyncMap, Tag("map")], Discriminator(_shape)] = []
    test: TestFile | None = None
    needs: list[str] = []
    command: ShellOrList | None = None
    volumes: dict[Name, VolumeFile] = {}


class EnvironmentFile(Strict):
    """devenv.yaml."""

    planned = frozenset({"cluster"})

    version: Literal[1] = 1
    name: Name | None = None
    profile: str = "default"
    services: dict[Name, ServiceFile] = {}
    groups: dict[Name, Annotated[list[str], Field(min_length=1)]] = {}
    hooks: HooksFile = HooksFile()


class RouteFile(Strict):
    """What a stub answers to the requests of one method and path."""

    status: Annotated[int, Field(ge=100, le=599)] = 200
    headers: dict[str, Value] = {}
    json_body: object = Field(default=None, alias="json")
    text: Value | None = None


class StubFile(Strict):
    """A dependency's stub."""

    wiremock: str | None = None
    har: str | None = None
    host: Filled | None = None
    openapi: str | None = None
    routes: dict[str, RouteFile] | None = Field(default=None, min_length=1)
    ports: dict[PortName, Port] = Field(min_length=1)


class RealFile(RunningFile):
    """A dependency that runs for real: from an image, or as a service of another project's devenv.yaml."""

    planned = frozenset({"build", "helm", "kustomize", "manifests"})

    image: Filled | None = None
    devenv: Filled | None = None
    service: Filled | None = None
    ports: dict[PortName, Port] = {}
    env: dict[str, EnvValue] = {}
    command: list[str] = []
    args: list[str] = []
    volumes: dict[Name, VolumeFile] = {}
    files: dict[ContainerPath, list[str]] = {}
    ready: list[str] = []


class ParameterFile(Strict):
    """A parameter that a profile offers."""

    default: Value | list[str] | None = None
    type: Literal["string", "files"] = "string"
    doc: str = ""


class DependencyFile(Strict):
    """A dependency."""

    doc: str = ""
    memory: Annotated[str, Field(pattern=SIZE)] | None = None
    mode: Literal["stub", "real", "off"] | None = None
    stub: StubFile | None = None
    real: RealFile | None = None
    parameters: dict[str, ParameterFile] = {}
    arguments: dict[str, Value | list[str]] = Field(default={}, alias="with")


class ProfileFile(Strict):
    """A profile."""

    version: Literal[1] = 1
    description: str = ""
    include: list[str] = []
    dependencies: dict[Name, DependencyFile] = {}


class LocalFile(EnvironmentFile):
    """devenv.local.yaml: what is laid onto devenv.yaml, and dependencies that are laid onto the profile."""

    dependencies: dict[Name, DependencyFile] = {}


class ClusterFile(Strict):
    """The cluster of this machine."""

    provider: Literal["kind"] = "kind"
    name: Name = "devenv"
    node_image: Filled | None = None


class RegistryFile(Strict):
    """The registry beside the cluster."""

    name: str = "devenv-registry"
    port: Port = 5001
    image: Filled = "registry:2"


class SettingsFile(Strict):
    """settings.yaml."""

    cluster: ClusterFile = ClusterFile()
    registry: RegistryFile = RegistryFile()
    tools: dict[str, str] = {}
    mirrors: dict[str, Annotated[str, Field(pattern=URL)]] = {}
    allowed_contexts: list[str] = []
