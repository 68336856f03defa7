"""Sync beside raw streams and kubectl, in one run and one table.

    python -m tests.bench.sync --context kind-devenv [--json FILE] [--only NAME]...

Runs in a namespace of its own, which it deletes. Ratios compare with a baseline of the same run, so they hold on a
busy machine too; times only mean something on an idle one.
"""

from __future__ import annotations

import argparse
import io
import os
import subprocess
import tarfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from devenv.config.model import Reload, Service
from devenv.flows.agent_stream import AgentStream
from devenv.host.watching import FolderWatcher
from devenv.ports import ExecStream
from devenv.session.sync.syncing import SyncLoop
from devenv.sync import protocol
from devenv.sync.places import PROGRAM
from tests.bench.figures import Figure, percentile, table, write_json
from tests.bench.stage import NAMESPACE, TARGET, Probe, Stage, resident, save, settle, stage

SAVE, SAVES = 4096, 200
BIG = 50_000
MANY = 10_000
ROUNDS = 5
RAW = f"{TARGET}/raw"
LARGE = 100 * 1024 * 1024
FRAMES = 1_000_000
IDLE_SECONDS = 10.0

Measures = Iterator[Figure]


def saves(there: Stage) -> Measures:
    """Save → visible, alone; in a tree of 50,000 files; among five services; with three replicas."""
    alone, big, three = there.service("alone"), there.service("big"), there.service("three", replicas=3)
    others = [there.service(name) for name in ("fourth", "fifth")]
    fill(there.root / "big", BIG, size=100)
    there.deploy(alone, big, three, *others)
    with there.syncing(alone) as loop:
        echo = echoes(there, "alone")
        plain = times(there, "alone")
        yield Figure("save → visible, 4 KB, median", plain[0], "ms", goal=10)
        yield Figure("save → visible, 4 KB, p99", plain[1], "ms", echo[1], "1-byte echo p99", goal=10)
        yield Figure("1-byte echo, median", echo[0], "ms")
        settle(loop)
    tar = [timed(partial(kubectl_tar, there)) * 1000 for _ in range(10)]
    yield Figure("save → visible beside a new exec", plain[0], "ms", percentile(tar, 0.5), "kubectl exec tar")
    copy = [timed(partial(kubectl_cp, there)) * 1000 for _ in range(10)]
    yield Figure("save → visible beside a copy", plain[0], "ms", percentile(copy, 0.5), "kubectl cp")
    with ExitStack() as stack:
        for service in (alone, big, three, *others):
            stack.enter_context(there.syncing(service))
        one, both = echoes(there, "alone"), echoes(there, "three")
        yield Figure("1-byte echo of 3 pods at once", both[0], "ms", one[0], "of one")
        for name, words in (("alone", "one of 5 services"), ("big", "50,000 files"), ("three", "3 replicas")):
            found = times(there, name)
            yield Figure(f"the same, {words}", found[0], "ms", plain[0], "alone", goal=1.25)


def times(there: Stage, unit: str) -> tuple[float, float]:
    """Median and p99 in milliseconds of saves of 4 KB."""
    place = there.root / unit / "page"
    save(place, b"0\n")
    probe = Probe(there, unit)
    time.sleep(1)
    found = []
    for _ in range(SAVES):
        found.append(probe.time(partial(save, place), size=SAVE) * 1000)
        time.sleep(0.03)
    probe.close()
    return percentile(found, 0.5), percentile(found, 0.99)


def echoes(there: Stage, unit: str) -> tuple[float, float]:
    """Median and p99 in milliseconds of one byte to `cat` in all pods and back, over kept-open execs."""
    streams = there.exec(unit, ["cat"], stdin=True)
    found = [timed(partial(_echo, streams)) * 1000 for _ in range(SAVES)]
    for stream in streams:
        stream.close()
    return percentile(found, 0.5), percentile(found, 0.99)


def _echo(streams: Sequence[ExecStream]) -> None:
    for stream in streams:
        stream.write(b"x")
    for stream in streams:
        while (came := stream.read(5)) is not None and not came[0]:
            pass


def kubectl_tar(there: Stage) -> None:
    """What others do for each change."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        info = tarfile.TarInfo("page")
        info.size = SAVE
        tar.addfile(info, io.BytesIO(os.urandom(SAVE)))
    there.kubectl("alone", "tar", "-x", "-C", "/tmp", "-f", "-", stdin=archive.getvalue())


def kubectl_cp(there: Stage) -> None:
    """What people do by hand for each change."""
    [pod] = there.pods.containers("alone")
    file = there.root / "copied"
    file.write_bytes(os.urandom(SAVE))
    command = ["kubectl", "--context", there.context, "-n", NAMESPACE, "cp", "-c", pod.name]
    subprocess.run([*command, str(file), f"{pod.pod}:/tmp/page"], check=True, capture_output=True)


def first_sync(there: Stage) -> Measures:
    """10,000 files of 1 KB into a new pod, beside `tar | kubectl exec -i tar`; then again with nothing to do.

    In turns, each into pods of its own, both into the volume that is synced: ext4 takes its time for a new file where
    many were deleted just before, and that differs from folder to folder and from minute to minute.
    """
    services = [there.service(f"first-{round_}") for round_ in range(ROUNDS)]
    there.deploy(*services)
    for service in services:
        with there.syncing(service):
            pass
        there.kubectl(service.name, "mkdir", RAW)
        fill(there.root / service.name, MANY, size=1024)
    tars: list[float] = []
    ours: list[float] = []
    for round_, service in enumerate(services):
        ways = [(tars, partial(_raw_tar, there, service.name)), (ours, partial(_once, there, service))]
        for found, run in ways if round_ % 2 else reversed(ways):
            found.append(timed(run))
    tar, seconds = percentile(tars, 0.5), percentile(ours, 0.5)
    yield Figure("first sync, 10,000 × 1 KB", seconds, "s", tar, "tar | kubectl exec -i tar", goal=1.2)
    yield Figure("reconnect, 10,000 unchanged", timed(partial(_once, there, services[0])), "s", goal=1.0)


def _once(there: Stage, service: Service) -> None:
    with there.syncing(service):
        pass


def _raw_tar(there: Stage, unit: str) -> None:
    [pod] = there.pods.containers(unit)
    command = (
        f"tar -C {there.root / unit} -cf - . | kubectl --context {there.context} -n {NAMESPACE} exec -i {pod.pod}"
        f" -c {pod.name} -- tar -x -C {RAW} -f -"
    )
    subprocess.run(["sh", "-c", command], check=True)


def checkout(there: Stage) -> Measures:
    """2,000 of 10,000 files changed by git: from its exit until all is there; and how often it was reloaded."""
    service = there.service("branches", reload=Reload("restart"))
    folder = there.root / "branches"
    fill(folder, MANY, size=200)
    git = partial(subprocess.run, cwd=folder, check=True, capture_output=True)
    for command in ("init -q -b one", "add .", "-c user.name=a -c user.email=a@b commit -qm one", "checkout -qb two"):
        git(["git", *command.split()])
    for index in range(0, MANY, 5):
        file_of(folder, index).write_bytes(os.urandom(200))
    for command in ("add .", "-c user.name=a -c user.email=a@b commit -qm two", "checkout -q one"):
        git(["git", *command.split()])
    there.deploy(service)
    with there.syncing(service) as loop:
        time.sleep(3)
        there.outcomes.clear()
        git(["git", "checkout", "-q", "two"])
        yield Figure("checkout of 2,000 of 10,000, after git's exit", timed(lambda: settle(loop)), "s", goal=1.5)
        time.sleep(1)
        reloads = sum(bool(outcome.reloaded) for outcome in there.outcomes)
        yield Figure("reloads of that checkout", reloads, "", goal=1)


def large(there: Stage) -> Measures:
    """Files of 100 MiB beside a raw exec of `cat`, in turns."""
    service = there.service("large")
    there.deploy(service)
    raws: list[float] = []
    ours: list[float] = []
    with there.syncing(service) as loop:
        before, peak = resident(), Peak()
        for round_ in range(ROUNDS):
            file = there.root / f"large-{round_}"
            _write_large(file)
            ways = [(raws, partial(_raw_cat, there, file)), (ours, partial(_take_in, there, loop, file))]
            for found, run in ways if round_ % 2 else reversed(ways):
                found.append(timed(run))
            (there.root / "large" / file.name).unlink()
            settle(loop)
        most = peak.stop()
    speed, beside = (LARGE / percentile(found, 0.5) / 1e6 for found in (ours, raws))
    yield Figure("100 MiB file", speed, "MB/s", beside, "exec cat", goal=0.85, at_least=True)
    yield Figure("memory for it", most - before, "MiB", goal=32)


def _write_large(place: Path) -> None:
    block = os.urandom(1024 * 1024)
    with open(place, "wb") as file:
        for _ in range(LARGE // len(block)):
            file.write(block)


def _take_in(there: Stage, loop: SyncLoop, file: Path) -> None:
    os.link(file, there.root / "large" / file.name)
    settle(loop)


class Peak:
    """The most memory that this process had meanwhile, in MiB."""

    def __init__(self) -> None:
        self._most = 0.0
        self._stop = threading.Event()
        threading.Thread(target=self._look, daemon=True).start()

    def _look(self) -> None:
        while not self._stop.wait(0.02):
            self._most = max(self._most, resident())

    def stop(self) -> float:
        """End looking; gives the most."""
        self._stop.set()
        return self._most


def _raw_cat(there: Stage, file: Path) -> None:
    [stream] = there.exec("large", ["sh", "-c", f"cat >{TARGET}/raw-{file.name}; echo done"], stdin=True)
    with open(file, "rb") as source:
        while part := source.read(64 * 1024):
            stream.write(part)
    stream.close_stdin()
    while stream.read(5) is not None:
        pass
    stream.close()


def idle(there: Stage) -> Measures:
    """The cost of watching 50,000 files that do not change."""
    folder = there.root / "idle"
    folder.mkdir()
    fill(folder, BIG, size=10)
    with FolderWatcher().watch([folder], lambda change: None):
        time.sleep(3)
        before = time.process_time()
        time.sleep(IDLE_SECONDS)
        share = (time.process_time() - before) / IDLE_SECONDS * 100
    yield Figure("idle watch of 50,000 files", share, "% of a core", goal=1)


def frames(there: Stage) -> Measures:
    """A million frames to the agent and back: what both keep of them."""
    service = there.service("frames")
    there.deploy(service)
    with there.syncing(service):
        pass
    [exec_] = there.exec("frames", [PROGRAM, "serve"], stdin=True)
    stream = AgentStream(exec_, service="frames")
    stream.greet((), holder="bench", take_over=False)
    _pings(stream, 10_000)
    before = resident(), _agents_memory(there)
    seconds = timed(lambda: _pings(stream, FRAMES))
    after = resident(), _agents_memory(there)
    stream.close()
    yield Figure("memory kept after 10^6 frames, client", after[0] - before[0], "MiB", goal=5)
    yield Figure("memory kept after 10^6 frames, agent", after[1] - before[1], "MiB", goal=5)
    yield Figure("frames and their answers", FRAMES / seconds, "/s")


def _pings(stream: AgentStream, count: int) -> None:
    """CHMOD of nothing would do as well: requests that are answered, as many under way as go."""
    for _ in range(count // 1000):
        numbers = [stream.send(protocol.Get(protocol.ABSOLUTE, "/none")) for _ in range(1000)]
        for number in numbers:
            for _ in stream.receive(number):
                pass


def _agents_memory(there: Stage) -> float:
    script = "for p in /proc/[0-9]*; do grep -q '^agent$' $p/comm && grep VmRSS $p/status; done"
    [stream] = there.exec("frames", ["sh", "-c", script])
    said = b""
    while (came := stream.read(5)) is not None:
        said += came[0]
    return sum(int(line.split()[1]) for line in said.decode().splitlines()) / 1024


def fill(folder: Path, count: int, *, size: int) -> None:
    """So many files, a hundred in a folder."""
    for index in range(count):
        place = file_of(folder, index)
        if index % 100 == 0:
            place.parent.mkdir(parents=True)
        place.write_bytes(os.urandom(size))


def file_of(folder: Path, index: int) -> Path:
    """The place of one of them."""
    return folder / f"part-{index // 100:03d}" / f"file-{index % 100:02d}.txt"


def timed(run: Callable[[], object]) -> float:
    """How many seconds it takes."""
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


MEASURES: dict[str, Callable[[Stage], Measures]] = {
    "saves": saves,
    "first": first_sync,
    "checkout": checkout,
    "large": large,
    "idle": idle,
    "frames": frames,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benches and print their table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--context", required=True)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only", action="append", choices=MEASURES)
    options = parser.parse_args(arguments)
    figures: list[Figure] = []
    with stage(options.context) as there:
        for name in options.only or MEASURES:
            figures += MEASURES[name](there)
            print(f"{name}: done", flush=True)
    print("\n".join(table(figures)))
    print(f"load: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    if options.json:
        write_json(figures, options.json)


if __name__ == "__main__":
    main()
