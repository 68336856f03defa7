"""A cluster that only has a status."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from devenv import problems
from devenv.errors import ClusterError
from devenv.ports import Access, ClusterState, Stop


class FakeClusters:
    """Starts `missing`; create, start and delete move it on. `hosts` is what connect_registry last brought."""

    def __init__(self, *, name: str = "devenv", status: str = "missing") -> None:
        self.calls: list[str] = []
        self.failures: list[BaseException] = []
        self.name = name
        self.status = status
        self.hosts: tuple[str, int, Mapping[str, str]] | None = None

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if self.failures:
            raise self.failures.pop(0)

    def inspect(self) -> ClusterState:
        self._call("inspect")
        there = self.status != "missing"
        return ClusterState(self.status, (f"{self.name}-control-plane",) if there else ())

    def create(self, *, stop: Stop | None = None, on_line: Callable[[str], None] | None = None) -> None:
        self._call("create")
        if not (stop and stop.is_set()):
            self.status = "running"

    def start(self) -> None:
        self._call("start")
        if self.status == "stopped":
            self.status = "running"

    def connect_registry(self, name: str, port: int, mirrors: Mapping[str, str]) -> list[str]:
        self._call("connect_registry")
        wanted = (name, port, dict(mirrors))
        if self.hosts == wanted:
            return []
        self.hosts = wanted
        return [f"{self.name}-control-plane learned {1 + len(mirrors)} registries"]

    def delete(self) -> bool:
        self._call("delete")
        there = self.status != "missing"
        self.status, self.hosts = "missing", None
        return there

    def access(self) -> Access:
        self._call("access")
        if self.status == "missing":
            raise ClusterError(problems.CLUSTER_MISSING, name=self.name)
        return Access(context=f"kind-{self.name}")
