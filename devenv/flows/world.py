"""What a flow gets: the adapters behind ports, the settings, and the flag that ends everything."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from devenv.config.model import Settings
from devenv.ports import Access, Clusters, Commands, Images, Kube, Processes, Progress, Registry, Trust, Watcher


@dataclass(frozen=True, slots=True)
class World:
    """Everything outside that a flow may touch."""

    settings: Settings
    commands: Commands
    clusters: Clusters
    registry: Registry
    images: Images
    watcher: Watcher
    processes: Processes
    progress: Progress
    connect: Callable[[Access], Kube]
    runtime: Path
    state: Path
    trust: Trust
    agents: Callable[[], Mapping[str, bytes]] = dict
    """The agent's program by processor ("amd64"); none: pods are synced by a shell. ToolError agent-missing."""
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    stop: threading.Event = field(default_factory=threading.Event)
