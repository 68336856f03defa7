"""The composition root: the one module that names adapters. Each is imported when it is made."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from devenv.config.model import Environment, Settings
from devenv.flows.world import World
from devenv.ports import Access, Kube, Progress, ProjectFiles

if TYPE_CHECKING:
    from devenv.checks.check import Scene


def make_world(settings: Settings, progress: Progress) -> World:
    """The real world: kind or what the settings name, Docker, the kubeconfig of this user."""
    from devenv.clusters.kind import KindClusters
    from devenv.host.commands import LocalCommands
    from devenv.host.paths import runtime_folder, state_folder, trust_file
    from devenv.host.processes import LocalProcesses, holder
    from devenv.host.trust_file import TrustFile
    from devenv.host.watching import FolderWatcher
    from devenv.images.builds import DockerImages
    from devenv.images.nodes import DockerNodes
    from devenv.images.registry import DockerRegistry

    commands = LocalCommands(settings.tools)
    return World(
        settings=settings,
        commands=commands,
        clusters=KindClusters(commands, settings, DockerNodes(), state=state_folder()),
        registry=DockerRegistry(settings, holder=holder),
        images=DockerImages(settings, commands),
        watcher=FolderWatcher(),
        processes=LocalProcesses(),
        progress=progress,
        connect=_connector(),
        runtime=runtime_folder(),
        state=state_folder(),
        trust=TrustFile(trust_file()),
        agents=_agents,
    )


def _agents() -> dict[str, bytes]:
    from devenv.agent.binaries import binary

    return {arch: binary(arch) for arch in ("amd64", "arm64")}


def make_scene(
    settings: Settings,
    environment: Environment | None = None,
    *,
    settings_error: Exception | None = None,
    environment_error: Exception | None = None,
) -> Scene:
    """What checks look at: the real machine."""
    from devenv.checks.check import Places, Scene
    from devenv.clusters.kind import KindClusters
    from devenv.host.commands import LocalCommands
    from devenv.host.machine import LocalFiles, LocalMachine
    from devenv.host.network import LocalNetwork
    from devenv.host.paths import runtime_place, state_folder
    from devenv.images.facts import DockerFacts
    from devenv.images.nodes import DockerNodes

    commands, nodes = LocalCommands(settings.tools), DockerNodes()
    return Scene(
        machine=LocalMachine(),
        files=LocalFiles(),
        network=LocalNetwork(),
        daemon=DockerFacts(),
        commands=commands,
        clusters=KindClusters(commands, settings, nodes, state=state_folder()),
        nodes=nodes,
        places=Places(Path.cwd(), runtime_place(), state_folder()),
        settings=settings,
        stop=threading.Event(),
        environment=environment,
        settings_error=settings_error,
        environment_error=environment_error,
    )


def make_hands(settings: Settings) -> Callable[[Sequence[str]], int]:
    """What runs the commands that mend: in this terminal."""
    from devenv.host.commands import LocalCommands

    return LocalCommands(settings.tools).run_here


def _connector() -> Callable[[Access], Kube]:
    known: dict[Access, Kube] = {}

    def connect(access: Access) -> Kube:
        from devenv.kube.connection import connect as open_connection

        if access not in known:
            known[access] = open_connection(access)
        return known[access]

    return connect


def make_project_files() -> ProjectFiles:
    """The files of the folder a command is run in."""
    from devenv.host.project_files import LocalProjectFiles

    return LocalProjectFiles()
