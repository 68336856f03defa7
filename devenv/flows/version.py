"""`devenv version`: what devenv is and what it works with here. What is missing has a reason instead of a version."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from devenv.errors import DevenvError
from devenv.flows.world import World
from devenv.ports import Command

SECONDS = 2.0
"""How long each program and the cluster may take."""


@dataclass(frozen=True, slots=True)
class Part:
    """One thing with its version, or null with the reason why there is none to tell."""

    name: str
    version: str | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Versions:
    """What devenv is and what it works with here: a version, or null with an entry in `reasons`.

    `cluster` is the Kubernetes version of the cluster's nodes.
    """

    devenv: str
    python: str
    platform: str
    docker_client: str | None
    docker_server: str | None
    kind: str | None
    kubectl: str | None
    cluster: str | None
    libraries: Mapping[str, str | None]
    reasons: Mapping[str, str]


class Deadline:
    """A Stop that is set after some seconds."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def is_set(self) -> bool:
        """Whether the time is up."""
        return time.monotonic() >= self._end

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for it, up to `timeout` seconds."""
        left = max(0.0, self._end - time.monotonic())
        time.sleep(left if timeout is None else min(left, timeout))
        return self.is_set()


PARTS = ("docker client", "docker server", "kind", "kubectl", "cluster")

Ask = tuple[Sequence[str], Callable[[World], dict[str, str]]]


def look(world: World, *, seconds: float = SECONDS) -> list[Part]:
    """Docker's client and server, kind, kubectl and the cluster, all asked at once."""
    asks: list[Ask] = [
        (("docker client", "docker server"), lambda world: _docker(world, seconds)),
        (("kind",), lambda world: {"kind": _run(world, seconds, "kind", "version").split()[1]}),
        (("kubectl",), lambda world: {"kubectl": _kubectl(world, seconds)}),
        (("cluster",), lambda world: {"cluster": _cluster(world)}),
    ]
    answers: list[dict[str, Part]] = [{} for _ in asks]

    def answer(index: int) -> None:
        answers[index] = _parts(asks[index], world)

    # Daemon threads: one that hangs in a library must not keep the command from ending.
    threads = [threading.Thread(target=answer, args=(index,), daemon=True) for index in range(len(asks))]
    for thread in threads:
        thread.start()
    end = time.monotonic() + seconds + 1
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    late = f"no answer within {seconds:g} s"
    found = list(zip(asks, answers, strict=True))
    return [got.get(name, Part(name, None, late)) for (names, _), got in found for name in names]


def _parts(ask: Ask, world: World) -> dict[str, Part]:
    names, run = ask
    try:
        found = run(world)
    except DevenvError as error:
        return {name: Part(name, None, error.details[-1] if error.details else error.message) for name in names}
    except Exception as error:  # noqa: BLE001 - whatever a program prints, it is a reason and no error here
        return {name: Part(name, None, f"not understood: {error}") for name in names}
    return {name: Part(name, found.get(name), "" if name in found else "it does not answer") for name in names}


def _run(world: World, seconds: float, *argv: str) -> str:
    deadline = Deadline(seconds)
    done = world.commands.run(Command(argv), stop=deadline)
    if done.code and deadline.is_set():
        raise TimeoutError(f"no answer within {seconds:g} s")
    if not done.stdout.strip():
        raise RuntimeError((done.output.strip().splitlines() or [f"it ended with code {done.code}"])[-1])
    return done.stdout


def _docker(world: World, seconds: float) -> dict[str, str]:
    told = json.loads(_run(world, seconds, "docker", "version", "--format", "{{json .}}"))
    sides = {"docker client": told.get("Client"), "docker server": told.get("Server")}
    return {name: str(side["Version"]) for name, side in sides.items() if side}


def _kubectl(world: World, seconds: float) -> str:
    told = json.loads(_run(world, seconds, "kubectl", "version", "--client", "-o", "json"))
    return str(told["clientVersion"]["gitVersion"])


def _cluster(world: World) -> str:
    kube = world.connect(world.clusters.access())
    nodes = kube.objects.select("v1", "Node")
    return ", ".join(sorted({str(node["status"]["nodeInfo"]["kubeletVersion"]) for node in nodes}))
