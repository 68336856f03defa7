"""The shape of the user's files as pydantic models. Elsewhere the values of `model.py` are used."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag


def _shape(value: object) -> str:
    return "map" if isinstance(value, dict) else "list" if isinstance(value, list) else "text"


class Strict(BaseModel):
    """No unknown keys, no conversions."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


Port = Annotated[int, Field(ge=1, le=65535)]
Name = Annotated[str, Field(pattern=r"^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$")]
Value = str | int | bool
ShellOrList = Annotated[
    Annotated[str, Tag("text")] | Annotated[list[str], Tag("list"), Field(min_length=1)], Discriminator(_shape)
]


class BuildFile(Strict):
    """How an image is built."""

    context: str
    dockerfile: str | None = None
    target: str | None = None
    args: dict[str, Value] = {}


class SignalReload(Strict):
    """A signal to the program."""

    signal: str


class ExecReload(Strict):
    """A command in the container."""

    exec: list[str] = Field(min_length=1)


def _reload_shape(value: object) -> str:
    if isinstance(value, dict):
        return "exec" if "exec" in value else "signal"
    return "word"


ReloadFile = Annotated[
    Annotated[Literal["none", "restart", "rebuild"], Tag("word")]
    | Annotated[SignalReload, Tag("signal")]
    | Annotated[ExecReload, Tag("exec")],
    Discriminator(_reload_shape),
]


class SyncFile(Strict):
    """A sync rule."""

    source: str = Field(alias="from")
    to: str
    reload: ReloadFile = "none"


class TestFile(Strict):
    """How a service is tested."""

    __test__ = False

    command: ShellOrList
    reports: list[str] = []


class DeployFile(Strict):
    """A service's own manifests."""

    path: str
    workload: str | None = None
    container: str | None = None


class ServiceFile(Strict):
    """A service."""

    build: Annotated[Annotated[str, Tag("text")] | Annotated[BuildFile, Tag("map")], Discriminator(_shape)] | None = (
        None
    )
    image: str | None = None
    ports: dict[Name, Port] = {}
    env: dict[str, Value] = {}
    deploy: Annotated[Annotated[str, Tag("text")] | Annotated[DeployFile, Tag("map")], Discriminator(_shape)] | None = (
        None
    )
    sync: list[SyncFile] = []
    test: TestFile | None = None
    needs: list[str] = []
    command: ShellOrList | None = None


class EnvironmentFile(Strict):
    """devenv.yaml."""

    version: Literal[1] = 1
    name: Name | None = None
    profile: str = "default"
    services: dict[Name, ServiceFile] = {}


class VolumeFile(Strict):
    """A volume."""

    path: str
    size: str = "1Gi"


class StubFile(Strict):
    """A dependency's stub."""

    wiremock: str
    ports: dict[Name, Port] = Field(min_length=1)


class RealFile(Strict):
    """A dependency that runs for real."""

    image: str
    ports: dict[Name, Port] = {}
    env: dict[str, Value] = {}
    command: list[str] = []
    args: list[str] = []
    volumes: dict[Name, VolumeFile] = {}
    files: dict[str, list[str]] = {}
    ready: list[str] = []


class ParameterFile(Strict):
    """A parameter that a profile offers."""

    default: str | list[str] = ""
    type: Literal["string", "files"] = "string"
    doc: str = ""


class DependencyFile(Strict):
    """A dependency."""

    mode: Literal["stub", "real", "off"] | None = None
    stub: StubFile | None = None
    real: RealFile | None = None
    parameters: dict[str, ParameterFile] = {}
    arguments: dict[str, Value | list[str]] = Field(default={}, alias="with")


class ProfileFile(Strict):
    """A profile."""

    version: Literal[1] = 1
    include: list[str] = []
    dependencies: dict[Name, DependencyFile] = {}


class ClusterFile(Strict):
    """The cluster of this machine."""

    provider: Literal["kind"] = "kind"
    name: Name = "devenv"
    node_image: str | None = None


class RegistryFile(Strict):
    """The registry beside the cluster."""

    name: str = "devenv-registry"
    port: Port = 5001
    image: str = "registry:2"


class SettingsFile(Strict):
    """settings.yaml."""

    cluster: ClusterFile = ClusterFile()
    registry: RegistryFile = RegistryFile()
    tools: dict[str, str] = {}
    mirrors: dict[str, str] = {}
    allowed_contexts: list[str] = []
