"""From a save on this side to the new file in a container: devenv's sync beside `kubectl exec tar` and `kubectl cp`.

    python -m tests.bench.sync_latency --context kind-trial --count 50

Runs in a namespace of its own, which it deletes. Inside the container a shell loop looks at the file's first line every
2 ms or so and prints it when it is new; that line, coming back on a kept-open exec stream, stops the clock, so the way
back is counted for all three alike. devenv's clock starts before the save, the others' when their command is started.
"""

from __future__ import annotations

import argparse
import io
import itertools
import os
import queue
import shutil
import statistics
import subprocess
import tarfile
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from devenv.config.model import Origin, Reload, Service, SyncRule
from devenv.host.watching import FolderWatcher
from devenv.kube.connection import connect
from devenv.ports import Access, Kube, Object, Pods, Ref
from devenv.session.podtable import Container
from devenv.session.sync.syncing import Outcome, SyncLoop

TARGET = "/work/app"
SIZE = 4096
PATIENCE = 30.0
PROBE = f"""
mkdir -p {TARGET}; cd {TARGET}; last=
while :; do
  if read -r now 2>/dev/null <page && [ "$now" != "$last" ]; then last=$now; echo "$now"; fi
  sleep 0.002
done
"""
# Whole numbers, so that a save is known by the first line it wrote.
TOKENS = itertools.count(1)


class Probe:
    """Tells when a file arrived."""

    def __init__(self, pods: Pods, namespace: str, pod: str) -> None:
        self._stream = pods.exec(namespace, pod, "app", ["sh", "-c", PROBE])
        self._arrivals: queue.SimpleQueue[tuple[float, str]] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        while (came := self._stream.read(PATIENCE)) is not None:
            for line in came[0].decode().splitlines():
                self._arrivals.put((time.perf_counter(), line))

    def time(self, save: Callable[[bytes], None]) -> float:
        """Seconds from the start of `save` until what it is given can be read in the container."""
        token = str(next(TOKENS))
        content = f"{token}\n".encode() + os.urandom(SIZE)
        started = time.perf_counter()
        save(content[:SIZE])
        while True:
            arrived, line = self._arrivals.get(timeout=PATIENCE)
            if line == token:
                return arrived - started

    def close(self) -> None:
        """End the stream."""
        self._stream.close()


def make_pod(kube: Kube, namespace: str, image: str) -> str:
    """Start the pod to sync into; gives its container's id."""
    kube.objects.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    container = {"name": "app", "image": image, "command": ["sleep", "3600"], "imagePullPolicy": "IfNotPresent"}
    spec = {"containers": [container], "terminationGracePeriodSeconds": 0, "automountServiceAccountToken": False}
    meta = {"name": "app", "namespace": namespace}
    kube.objects.apply({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec})
    stop = threading.Event()
    for event in kube.objects.watch("v1", "Pod", namespace=namespace, stop=stop):
        if identity := _running(event.object):
            return identity
    raise SystemExit("the pod did not start")


def _running(pod: Object) -> str:
    statuses = pod.get("status", {}).get("containerStatuses", [])
    return next((status["containerID"] for status in statuses if status.get("state", {}).get("running")), "")


def time_devenv(kube: Kube, probe: Probe, place: tuple[str, str], count: int) -> list[float]:
    """Through watcher, loop and stream, as a session does it."""
    namespace, identity = place
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder).resolve()
        rule = SyncRule(source, TARGET, Reload())
        service = Service("app", None, "x", {}, {}, None, (rule,), None, (), (), Origin(source, 1, 1))
        problems: list[Outcome] = []
        loop = SyncLoop(
            service,
            kube.pods,
            FolderWatcher(),
            namespace=namespace,
            find_pods=lambda: [Container("app", "app", "app", identity)],
            on_outcome=lambda outcome: problems.append(outcome) if outcome.problem else None,
        )
        with loop:
            if not loop.wait_synced(PATIENCE):
                raise SystemExit(f"no sync: {problems}")
            return [_pause(probe.time(partial(_save, source / "page"))) for _ in range(count)]


def _save(place: Path, content: bytes) -> None:
    place.with_name("page.swp").write_bytes(content)
    place.with_name("page.swp").rename(place)


def _pause(seconds: float) -> float:
    time.sleep(0.05)
    return seconds


def time_tar(kubectl: list[str], probe: Probe, count: int) -> list[float]:
    """A new `kubectl exec tar` for each change."""

    def save(content: bytes) -> None:
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            info = tarfile.TarInfo("page")
            info.size = SIZE
            tar.addfile(info, io.BytesIO(content))
        command = [*kubectl, "exec", "-i", "app", "--", "tar", "-x", "-C", TARGET, "-f", "-"]
        subprocess.run(command, input=archive.getvalue(), check=True, capture_output=True)

    return [probe.time(save) for _ in range(count)]


def time_cp(kubectl: list[str], probe: Probe, count: int) -> list[float]:
    """A new `kubectl cp` for each change."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "page"

        def save(content: bytes) -> None:
            place.write_bytes(content)
            subprocess.run([*kubectl, "cp", str(place), f"app:{TARGET}/page"], check=True, capture_output=True)

        return [probe.time(save) for _ in range(count)]


def print_table(rows: dict[str, list[float]]) -> None:
    """Median and p95 in milliseconds, and how many times devenv's median it is."""
    base = statistics.median(rows["devenv sync"])
    print(f"{'save to visible, ' + str(SIZE) + ' bytes':<28}{'n':>5}{'median ms':>12}{'p95 ms':>10}{'ratio':>8}")
    for name, times in rows.items():
        middle, high = statistics.median(times), sorted(times)[max(0, round(len(times) * 0.95) - 1)]
        print(f"{name:<28}{len(times):>5}{middle * 1000:>12.1f}{high * 1000:>10.1f}{middle / base:>8.1f}")


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--context", required=True)
    parser.add_argument("--kubeconfig", type=Path)
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--image", default="busybox:1", help="an image with sh and tar")
    options = parser.parse_args()
    kube = connect(Access(options.context, options.kubeconfig))
    namespace = f"devenv-bench-sync-{os.getpid()}"
    try:
        identity = make_pod(kube, namespace, options.image)
        probe = Probe(kube.pods, namespace, "app")
        rows = {"devenv sync": time_devenv(kube, probe, (namespace, identity), options.count)}
        if shutil.which("kubectl"):
            config = ["--kubeconfig", str(options.kubeconfig)] if options.kubeconfig else []
            kubectl = ["kubectl", *config, "--context", options.context, "-n", namespace]
            rows["kubectl exec -i -- tar x"] = time_tar(kubectl, probe, options.count)
            rows["kubectl cp"] = time_cp(kubectl, probe, options.count)
        else:
            print("kubectl is not installed: only devenv is measured")
        probe.close()
        print_table(rows)
    finally:
        kube.objects.delete(Ref("v1", "Namespace", namespace))


if __name__ == "__main__":
    main()
