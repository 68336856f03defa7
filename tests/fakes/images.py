"""A registry, its images, and nodes in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import PurePosixPath

from devenv.images.context import context_hash
from devenv.ports import BuildRequest, ImageConfig, Node, Stop


class FakeImages:
    """Builds succeed at once; what was built is found. Tags are real ones."""

    def __init__(self, *, port: int = 5001) -> None:
        self.calls: list[tuple[str, str]] = []
        self.failures: list[BaseException] = []
        self.known: dict[str, ImageConfig] = {}
        self.made = ImageConfig(entrypoint=(), command=("python", "app.py"))
        self._port = port

    def tag(self, request: BuildRequest) -> str:
        self.calls.append(("tag", request.service))
        return context_hash(request)

    def find(self, image: str) -> ImageConfig | None:
        self.calls.append(("find", image))
        return self.known.get(image)

    def build(
        self, request: BuildRequest, *, stop: Stop | None = None, on_line: Callable[[str], None] | None = None
    ) -> ImageConfig:
        self.calls.append(("build", request.image))
        if self.failures:
            raise self.failures.pop(0)
        if on_line:
            on_line("Step 1/1 : FROM scratch")
        self.known[request.image] = self.made
        return self.made

    def look_up(self, image: str) -> ImageConfig:
        self.calls.append(("look_up", image))
        here = f"localhost:{self._port}"
        found = self.known.get(image.removeprefix(f"{here}/"))
        return found or ImageConfig((), (), unknown=f"{image.partition('/')[0]} has no such image")

    def reference(self, image: str) -> str:
        return f"localhost:{self._port}/{image}"


class FakeRegistry:
    """Is there or not."""

    def __init__(self, *, name: str = "devenv-registry") -> None:
        self.calls: list[str] = []
        self.failures: list[BaseException] = []
        self.there = False
        self.name = name

    def ensure(self, *, network: str) -> list[str]:
        self.calls.append(f"ensure {network}")
        if self.failures:
            raise self.failures.pop(0)
        was_there, self.there = self.there, True
        return [] if was_there else ["created"]

    def remove(self) -> bool:
        self.calls.append("remove")
        if self.failures:
            raise self.failures.pop(0)
        was_there, self.there = self.there, False
        return was_there


class FakeNodes:
    """Nodes by name, each with its state and files."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.failures: list[BaseException] = []
        self.running: dict[str, bool] = {}
        self.files: dict[str, dict[str, str]] = {}

    def add(self, name: str, *, running: bool = True) -> None:
        """Put a node there, as `kind create cluster` would."""
        self.running[name] = running
        self.files[name] = {}

    def clear(self) -> None:
        """Take all nodes away, as `kind delete cluster` would."""
        self.running.clear()
        self.files.clear()

    def find(self, cluster: str) -> list[Node]:
        self.calls.append(f"find {cluster}")
        if self.failures:
            raise self.failures.pop(0)
        return [Node(name, running) for name, running in self.running.items() if name.startswith(f"{cluster}-")]

    def start(self, node: str) -> None:
        self.calls.append(f"start {node}")
        self.running[node] = True

    def read(self, node: str, path: str) -> str | None:
        return self.files[node].get(path)

    def write(self, node: str, files: Mapping[str, str]) -> None:
        self.calls.append(f"write {node} {' '.join(sorted(PurePosixPath(p).parent.name for p in files))}")
        if self.failures:
            raise self.failures.pop(0)
        self.files[node].update(files)
