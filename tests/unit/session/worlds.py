"""What the property machine does its faults to: fake agents, or real ones as processes."""

from __future__ import annotations

import contextlib
import itertools
import signal
from pathlib import Path

from devenv.config.model import Reload
from devenv.session.podtable import Container
from tests.fakes.agent import FakeContainer
from tests.fakes.agent_pods import AgentPods, AgentProcesses, FakeAgentExec, ProcessExec
from tests.unit.session.agent_scene import RESTART, AgentScene
from tests.unit.session.machine import remove


class _World:
    def __init__(self, folder: Path, reload: Reload = RESTART) -> None:
        self.scene = AgentScene(folder, reload=reload)
        self._numbers = itertools.count(2)
        self.pod = "orders-1"

    def _appear(self, pod: str) -> None:
        """A container with a new id."""
        self.pod = pod
        identity = f"containerd://{next(self._numbers)}"
        self.scene.found = [Container("orders", pod, "orders", identity, has_agent=True)]
        self.scene.loop.refresh()

    def _reset_target(self) -> None:
        """As the image has it."""
        for place in self.scene.target.iterdir():
            remove(place)
        (self.scene.target / "foreign").write_text("foreign")


class FakeWorld(_World):
    """Fake agents."""

    @property
    def _stream(self) -> FakeAgentExec | None:
        return self.scene.boxes.streams[-1] if self.scene.boxes.streams else None

    def cut(self, after: int) -> None:
        self.scene.boxes.cut_after.append(after)
        if self._stream:
            self._stream.agent.cut_after = after

    def stall(self) -> None:
        if self._stream:
            self._stream.agent.stalled = True

    def resume(self) -> None:
        self.scene.boxes.cut_after.clear()
        for stream in self.scene.boxes.streams:
            stream.agent.cut_after = None
            stream.agent.stalled = False

    def kill_agent(self) -> None:
        if self._stream:
            self._stream.kill()

    def restart_container(self) -> None:
        if self._stream:
            self._stream.kill()
        self.scene.boxes.containers.setdefault(self.pod, FakeContainer()).restart()
        self._appear(self.pod)

    def replace_pod(self) -> None:
        self.scene.boxes.remove(self.pod)
        self._reset_target()
        self._appear(f"orders-{next(self._numbers)}")

    def close(self) -> None:
        pass


class ProcessWorld(_World):
    """The real agent."""

    binary: Path

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, Reload("none"))  # there is no program here
        self.processes = AgentProcesses(type(self).binary, folder)
        self.scene.pods = AgentPods(self.processes.open)
        self.scene.make_loop()

    @property
    def _stream(self) -> ProcessExec | None:
        return self.processes.streams[-1] if self.processes.streams else None

    def cut(self, after: int) -> None:
        if self._stream:
            self._stream.cut_after = after

    def stall(self) -> None:
        if self._stream:
            with contextlib.suppress(ProcessLookupError):
                self._stream.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        for stream in self.processes.streams:
            stream.cut_after = None
            with contextlib.suppress(ProcessLookupError):  # it ended just now, and its thread took notice
                stream.process.send_signal(signal.SIGCONT)

    def kill_agent(self) -> None:
        if self._stream:
            self._stream.kill()

    def restart_container(self) -> None:
        self.kill_agent()
        self._appear(self.pod)

    def replace_pod(self) -> None:
        self.processes.remove(self.pod)
        self._reset_target()
        self._appear(f"orders-{next(self._numbers)}")

    def close(self) -> None:
        self.processes.close()
