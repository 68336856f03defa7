"""kind clusters: created and deleted by kind's own command line, everything else asked of their containers."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from devenv import problems
from devenv.clusters.kind_files import MARK, cluster_config, hosts_files
from devenv.config.model import Settings
from devenv.errors import ClusterError, DevenvError, Refused, ToolError
from devenv.ports import Access, ClusterState, Command, Commands, Finished, Node, Nodes, Stop

LAST_LINES = 25
LOCK_POLL_SECONDS = 0.2


class KindClusters:
    """The one kind cluster that the settings name. `state` is the folder for markers and logs."""

    def __init__(self, commands: Commands, settings: Settings, nodes: Nodes, *, state: Path) -> None:
        self._commands = commands
        self._settings = settings
        self._nodes = nodes
        self._marker = state / f"creating-{settings.cluster}"
        self._logs = state / "log" / f"kind-{settings.cluster}"

    @property
    def _name(self) -> str:
        return self._settings.cluster

    def inspect(self) -> ClusterState:
        """What is there now. ToolError docker-missing, docker-not-running."""
        nodes = self._nodes.find(self._name)
        return ClusterState(self._status(nodes), tuple(node.name for node in nodes))

    def _status(self, nodes: list[Node]) -> str:
        if not nodes:
            return "missing"
        if any(self._nodes.read(node.name, MARK) is None for node in nodes):
            return "partial" if self._marker.exists() else "foreign"
        return "running" if all(node.running for node in nodes) else "stopped"

    def create(self, *, stop: Stop | None = None, on_line: Callable[[str], None] | None = None) -> None:
        """Create it, or leave nothing behind. ToolError kind-missing; ClusterError cluster-create-failed."""
        if self._commands.find("kind") is None:
            raise ToolError(problems.KIND_MISSING)
        with self._alone(stop) as alone:
            if not alone:
                return
            status = self.inspect().status
            if status == "foreign":
                raise Refused(problems.CLUSTER_FOREIGN, name=self._name)
            if status == "partial":
                _say(on_line, "removing what an interrupted creation left behind")
                self.delete()
            if status in ("missing", "partial"):
                self._create_marked(stop, on_line)

    @contextmanager
    def _alone(self, stop: Stop | None) -> Iterator[bool]:
        """One creation at a time, for what another command is creating must not look left behind; False: stopped."""
        folder = self._marker.parent
        folder.mkdir(parents=True, exist_ok=True)
        # The folder itself is what is locked: a lock file would stay behind.
        handle = os.open(folder, os.O_RDONLY)
        try:
            waiting = stop or threading.Event()
            while not (locked := _try_lock(handle)) and not waiting.wait(LOCK_POLL_SECONDS):
                pass
            yield locked
        finally:
            os.close(handle)

    def _create_marked(self, stop: Stop | None, on_line: Callable[[str], None] | None) -> None:
        self._marker.touch()
        try:
            done = self._create(stop, on_line)
            if done.code == 0:
                for node in self._nodes.find(self._name):
                    self._nodes.write(node.name, {MARK: "made by devenv\n"})
        except BaseException:
            with suppress(DevenvError):
                self.delete()
            raise
        if done.code:
            self._clean_up(done, stop)
        self._marker.unlink(missing_ok=True)

    def _clean_up(self, done: Finished, stop: Stop | None) -> None:
        """After a failure: keep the logs, leave no cluster, tell why; nothing to tell where it was interrupted."""
        if not _is_set(stop):
            self._keep_logs(done)
        self.delete()
        if not _is_set(stop):
            details = done.output.splitlines()[-LAST_LINES:]
            raise ClusterError(problems.CLUSTER_CREATE_FAILED, name=self._name, logs=self._logs, details=details)

    def _create(self, stop: Stop | None, on_line: Callable[[str], None] | None) -> Finished:
        argv = ["kind", "create", "cluster", "--name", self._name, "--config", "-", "--retain", "--wait", "120s"]
        if self._settings.node_image:
            argv += ["--image", self._settings.node_image]
        return self._commands.run(Command(tuple(argv), stdin=cluster_config(self._name)), stop=stop, on_line=on_line)

    def _keep_logs(self, done: Finished) -> None:
        self._logs.mkdir(parents=True, exist_ok=True)
        (self._logs / "create.log").write_text(done.output)
        self._commands.run(Command(("kind", "export", "logs", str(self._logs), "--name", self._name)))

    def start(self) -> None:
        """Start a stopped cluster's nodes."""
        for node in self._nodes.find(self._name):
            if not node.running:
                self._nodes.start(node.name)

    def connect_registry(self, name: str, port: int, mirrors: Mapping[str, str]) -> list[str]:
        """Write the hosts.toml files that differ; a sentence for each node that changed. No restart is needed."""
        wanted = hosts_files(name, port, mirrors)
        told = []
        for node in self._nodes.find(self._name):
            differing = {path: text for path, text in wanted.items() if self._nodes.read(node.name, path) != text}
            if differing:
                self._nodes.write(node.name, differing)
                told.append(f"{node.name} learned {_count(differing)}")
        return told

    def delete(self) -> bool:
        """Delete the cluster with its kubeconfig entry; True if it was there."""
        there = bool(self._nodes.find(self._name))
        done = self._commands.run(Command(("kind", "delete", "cluster", "--name", self._name)))
        if done.code:
            lines = done.output.splitlines()[-LAST_LINES:]
            raise ToolError(problems.COMMAND_FAILED, command="kind delete cluster", code=done.code, details=lines)
        self._marker.unlink(missing_ok=True)
        return there

    def access(self) -> Access:
        """How to reach it; a lost kubeconfig entry is written again. ClusterError cluster-missing."""
        access = Access(context=f"kind-{self._name}")
        if not has_context(access.context):
            if not self._nodes.find(self._name):
                raise ClusterError(problems.CLUSTER_MISSING, name=self._name)
            done = self._commands.run(Command(("kind", "export", "kubeconfig", "--name", self._name)))
            if done.code:
                raise ClusterError(problems.CLUSTER_MISSING, name=self._name, details=done.output.splitlines())
        return access


def kubeconfig_files() -> list[Path]:
    """The kubeconfig files of this user, as kubectl finds them."""
    given = [part for part in os.environ.get("KUBECONFIG", "").split(os.pathsep) if part]
    return [Path(part) for part in given] or [Path.home() / ".kube" / "config"]


def has_context(name: str) -> bool:
    """Whether a kubeconfig of this user has a context of that name."""
    import yaml

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    for path in kubeconfig_files():
        try:
            document = yaml.load(path.read_text(), Loader=loader)
        except (OSError, yaml.YAMLError):
            continue
        contexts = document.get("contexts") if isinstance(document, dict) else None
        if any(isinstance(entry, dict) and entry.get("name") == name for entry in contexts or []):
            return True
    return False


def _count(files: Mapping[str, str]) -> str:
    return f"{len(files)} {'registry' if len(files) == 1 else 'registries'}"


def _is_set(stop: Stop | None) -> bool:
    return stop is not None and stop.is_set()


def _try_lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _say(on_line: Callable[[str], None] | None, text: str) -> None:
    if on_line:
        on_line(text)
