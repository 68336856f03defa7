"""The composition root: the one module that names adapters. Each is imported when it is made."""

from __future__ import annotations

from collections.abc import Callable

from devenv.config.model import Settings
from devenv.flows.world import World
from devenv.ports import Access, Kube, Progress


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
        trust=TrustFile(trust_file()),
    )


def _connector() -> Callable[[Access], Kube]:
    known: dict[Access, Kube] = {}

    def connect(access: Access) -> Kube:
        from devenv.kube.connection import connect as open_connection

        if access not in known:
            known[access] = open_connection(access)
        return known[access]

    return connect
