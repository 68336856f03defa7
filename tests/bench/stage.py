"""Where benches take place: a namespace with services as devenv deploys them, and sync loops in this process."""

from __future__ import annotations

import itertools
import os
import queue
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from devenv.agent.binaries import binary
from devenv.config.model import Environment, Origin, Reload, Running, Service, SyncRule
from devenv.flows.units import namespace_object
from devenv.host.watching import FolderWatcher
from devenv.kube.connection import connect
from devenv.plan.image import Image
from devenv.plan.units import Files, unit_objects, units_of
from devenv.ports import Access, ExecStream, Kube, Ref
from devenv.session.podtable import PodTable
from devenv.session.sync.outcome import Outcome
from devenv.session.sync.syncing import SyncLoop

NAMESPACE = f"devenv-bench-{os.getpid()}"
TARGET = "/work/app"
PATIENCE = 120.0
IMAGE = "python:3.11-slim"
# Woken by the kernel, so that looking costs nothing while there is nothing to see. It tells the time itself:
# containers of this machine have its steady clock, and so the way back to who measures does not count.
PROBE = f"""
import ctypes, os, time
libc, last = ctypes.CDLL(None), None
watch = libc.inotify_init()
libc.inotify_add_watch(watch, {TARGET!r}.encode(), 0x88)
os.write(1, b"0 ready\\n")
while os.read(watch, 65536):
    try:
        with open({TARGET + "/page"!r}, "rb") as file:
            now = file.readline()
    except FileNotFoundError:
        continue
    if now.strip() and now != last:
        last = now
        os.write(1, b"%f %s\\n" % (time.monotonic(), now.strip()))
"""
NONE = Reload()
TOKENS = itertools.count(1)


@dataclass
class Stage:
    """A namespace of its own, the pods in it, and a folder for sources."""

    kube: Kube
    context: str
    root: Path
    pods: PodTable = field(default_factory=PodTable)
    stop: threading.Event = field(default_factory=threading.Event)
    outcomes: list[Outcome] = field(default_factory=list)

    def service(self, name: str, *, replicas: int = 1, reload: Reload = NONE) -> Service:
        """A service whose program sleeps, synced from a folder of its own."""
        source = self.root / name
        source.mkdir(exist_ok=True)
        origin = Origin(self.root / "devenv.yaml", 1, 1)
        rule = SyncRule(source, TARGET, reload)
        running = Running(replicas=replicas)
        program = ("sh", "-c", "trap exit TERM; while :; do sleep 1 & wait $!; done")
        base = Service(name, None, IMAGE, {}, {}, None, (rule,), None, (), program, origin)
        return replace(base, running=running)

    def deploy(self, *services: Service) -> None:
        """Apply the services as `up` does."""
        environment = Environment(NAMESPACE, self.root, "default", {s.name: s for s in services}, {})
        files = Files(agents={"amd64": binary("amd64")})
        for unit in units_of(environment).values():
            for obj in unit_objects(environment, unit, files, Image(IMAGE, ("sh",))):
                self.kube.objects.apply(obj)

    @contextmanager
    def syncing(self, service: Service) -> Iterator[SyncLoop]:
        """A sync loop for one service, as a session has it; entered in sync."""
        replicas = service.running.replicas or 1
        await_true(lambda: len(self.pods.containers(service.name)) == replicas, f"pods of {service.name}")
        loop = SyncLoop(
            service,
            self.kube.pods,
            FolderWatcher(),
            namespace=NAMESPACE,
            find_pods=lambda: self.pods.containers(service.name),
            on_outcome=self.outcomes.append,
        )
        with loop:
            settle(loop)
            yield loop

    def exec(self, unit: str, command: list[str], *, stdin: bool = False) -> list[ExecStream]:
        """Start a command in each pod of a unit."""
        pods = self.pods.containers(unit)
        return [self.kube.pods.exec(NAMESPACE, pod.pod, pod.name, command, stdin=stdin) for pod in pods]

    def kubectl(self, unit: str, *command: str, stdin: bytes = b"") -> None:
        """`kubectl exec -i` of a command in a unit's pod."""
        [pod] = self.pods.containers(unit)
        full = ["kubectl", "--context", self.context, "-n", NAMESPACE, "exec", "-i", pod.pod, "-c", pod.name, "--"]
        subprocess.run([*full, *command], input=stdin, check=True, capture_output=True)


def settle(loop: SyncLoop) -> None:
    """Wait until everything is in every container."""
    if not loop.wait_synced(PATIENCE):
        raise SystemExit(f"no sync of {loop.service.name}")


@contextmanager
def stage(context: str) -> Iterator[Stage]:
    """The namespace, made and removed."""
    kube = connect(Access(context))
    with tempfile.TemporaryDirectory() as folder:
        there = Stage(kube, context, Path(folder).resolve())
        kube.objects.apply(namespace_object(NAMESPACE, NAMESPACE))
        arguments = (kube, NAMESPACE, NAMESPACE, there.stop)
        threading.Thread(target=there.pods.follow, args=arguments, daemon=True).start()
        try:
            yield there
        finally:
            there.stop.set()
            kube.objects.delete(Ref("v1", "Namespace", NAMESPACE))


class Probe:
    """Tells when a file's first line can be read in every pod of a unit."""

    def __init__(self, there: Stage, unit: str) -> None:
        self._streams = there.exec(unit, ["python3", "-u", "-c", PROBE])
        self._arrivals: queue.SimpleQueue[tuple[float, str]] = queue.SimpleQueue()
        for stream in self._streams:
            threading.Thread(target=self._read, args=(stream,), daemon=True).start()
        ready = 0
        while ready < len(self._streams):
            ready += self._arrivals.get(timeout=PATIENCE)[1] == "ready"

    def _read(self, stream: ExecStream) -> None:
        while (came := stream.read(PATIENCE)) is not None:
            for line in came[0].decode().splitlines():
                at, token = line.split()
                self._arrivals.put((float(at), token))

    def time(self, save: Callable[[bytes], None], *, size: int) -> float:
        """Seconds from the start of `save` until what it is given can be read everywhere."""
        token = str(next(TOKENS))
        content = f"{token}\n".encode() + os.urandom(size)
        started, seen, last = time.monotonic(), 0, 0.0
        save(content[:size])
        while seen < len(self._streams):
            arrived, line = self._arrivals.get(timeout=PATIENCE)
            if line == token:
                seen, last = seen + 1, max(last, arrived)
        return last - started

    def close(self) -> None:
        """End the streams."""
        for stream in self._streams:
            stream.close()


def save(place: Path, content: bytes) -> None:
    """As editors do that are careful: beside it, then over it."""
    beside = place.with_name(f".{place.name}.swp")
    beside.write_bytes(content)
    beside.rename(place)


def await_true(condition: Callable[[], bool], what: str) -> None:
    """Wait until it is so."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"{what}: not in {PATIENCE:.0f} s")
        time.sleep(0.02)


def resident(pid: int | str = "self") -> float:
    """The resident memory of a process in MiB. Format: proc(5), status."""
    lines: Mapping[str, str] = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line
    )
    return int(lines["VmRSS"].split()[0]) / 1024
