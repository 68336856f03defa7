"""A little cluster in memory: objects in a dict, containers that answer as scripted."""

from __future__ import annotations

import copy
import itertools
import queue
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from devenv.errors import ClusterError
from devenv.kube.kinds import KINDS
from devenv.ports import Event, ExecStream, Object, Ref, Stop, Tunnel
from devenv.problems import API_FAILED

Key = tuple[str, str, str, str]


class Failures:
    """Scripted failures by method, each popped by one call."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[Exception]] = defaultdict(list)

    def fail(self, method: str, error: Exception) -> None:
        """The next call of `method` raises `error`."""
        self._waiting[method].append(error)

    def pop(self, method: str) -> None:
        if self._waiting[method]:
            raise self._waiting[method].pop(0)


class FakeObjects(Failures):
    """Keeps what is applied; `calls` has (method, what) of each call."""

    def __init__(self, *objects: Object) -> None:
        super().__init__()
        self.calls: list[tuple[str, str]] = []
        self.script: list[Event] = []
        self._numbers = itertools.count(1)
        self._stored: dict[Key, Object] = {}
        self._watchers: list[tuple[str, str, str, dict[str, str], queue.SimpleQueue[Event]]] = []
        for obj in objects:
            self._store(obj)

    def apply(self, obj: Object) -> Object:
        self._note("apply", f"{obj['kind'].lower()}/{obj['metadata']['name']}")
        if (obj["apiVersion"], obj["kind"]) not in KINDS:
            raise refusal("apply", f"it has no kind {obj['kind']} in {obj['apiVersion']}")
        return copy.deepcopy(self._store(obj))

    def find(self, ref: Ref) -> Object | None:
        self._note("find", str(ref))
        return copy.deepcopy(self._stored.get(_key_of(ref)))

    def select(self, api_version: str, kind: str, *, namespace: str = "", labels: str = "") -> list[Object]:
        self._note("select", kind)
        return [copy.deepcopy(obj) for obj in self._matching(api_version, kind, namespace, _parse(labels))]

    def delete(self, ref: Ref) -> bool:
        self._note("delete", str(ref))
        obj = self._stored.pop(_key_of(ref), None)
        if obj is not None:
            self.emit(Event("DELETED", obj))
        return obj is not None

    def watch(self, api_version: str, kind: str, *, namespace: str, labels: str = "", stop: Stop) -> Iterator[Event]:
        """What is there, then `script`, then each change."""
        self._note("watch", kind)
        events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        wanted = _parse(labels)
        self._watchers.append((api_version, kind, namespace, wanted, events))
        yield from (Event("ADDED", obj) for obj in self._matching(api_version, kind, namespace, wanted))
        yield from self.script
        while not stop.is_set():
            try:
                yield events.get(timeout=0.02)
            except queue.Empty:
                continue

    def emit(self, event: Event) -> None:
        """Tell a change to the watches that it concerns."""
        for api_version, kind, namespace, labels, events in self._watchers:
            if _matches(event.object, api_version, kind, namespace, labels):
                events.put(copy.deepcopy(event))

    def _note(self, method: str, what: str) -> None:
        self.calls.append((method, what))
        self.pop(method)

    def _matching(self, api_version: str, kind: str, namespace: str, labels: dict[str, str]) -> list[Object]:
        stored = list(self._stored.values())
        return [obj for obj in stored if _matches(obj, api_version, kind, namespace, labels)]

    def _store(self, obj: Object) -> Object:
        ref = Ref(obj["apiVersion"], obj["kind"], obj["metadata"]["name"], obj["metadata"].get("namespace", ""))
        old = self._stored.get(_key_of(ref))
        new = copy.deepcopy(obj)
        new["metadata"]["resourceVersion"] = str(next(self._numbers))
        new["metadata"].setdefault(
            "uid", old["metadata"]["uid"] if old else f"uid-{new['metadata']['resourceVersion']}"
        )
        if old and "status" in old:
            new.setdefault("status", old["status"])
        self._stored[_key_of(ref)] = new
        self.emit(Event("MODIFIED" if old else "ADDED", new))
        return new


@dataclass(frozen=True)
class Ran:
    """How a scripted command ends."""

    out: bytes = b""
    err: bytes = b""
    code: int | None = 0


class FakeExec:
    """A stream that has said all it says at once; with `echo`, stdin comes back once it ends."""

    def __init__(self, ran: Ran, *, echo: bool) -> None:
        self.written = b""
        self.closed = False
        self._ran = ran
        self._waiting: list[tuple[bytes, bytes]] = [] if echo else [(ran.out, ran.err)]
        self._over = not echo

    def write(self, data: bytes) -> None:
        self.written += data

    def close_stdin(self) -> None:
        if not self._over:
            self._over = True
            self._waiting.append((self._ran.out + self.written, self._ran.err))

    def read(self, timeout: float) -> tuple[bytes, bytes] | None:
        if self._waiting:
            return self._waiting.pop(0)
        return None if self._over or self.closed else (b"", b"")

    def returncode(self) -> int | None:
        return self._ran.code

    def close(self) -> None:
        self.closed = True


@dataclass
class FakePods(Failures):
    """Containers by (namespace, pod, container); `commands` scripts by the whole command line, `lines` are logs."""

    commands: dict[str, Ran] = field(default_factory=dict)
    lines: dict[tuple[str, str, str], list[str]] = field(default_factory=dict)
    tunnels: list[Tunnel] = field(default_factory=list)
    calls: list[tuple[str, str, str]] = field(default_factory=list)
    streams: list[FakeExec] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def exec(
        self,
        namespace: str,
        pod: str,
        container: str,
        command: Sequence[str],
        *,
        stdin: bool = False,
        tty: bool = False,
    ) -> ExecStream:
        line = " ".join(command)
        self._note("exec", namespace, pod, container, line)
        self.streams.append(FakeExec(self.commands.get(line, Ran()), echo=stdin))
        return self.streams[-1]

    def logs(
        self,
        namespace: str,
        pod: str,
        container: str,
        *,
        follow: bool = False,
        tail: int | None = None,
        previous: bool = False,
        since: int | None = None,
        stop: Stop | None = None,
    ) -> Iterator[str]:
        self._note("logs", namespace, pod, container, "")
        lines = self.lines[namespace, pod, container]
        yield from lines if tail is None else lines[max(0, len(lines) - tail) :]

    def forward(self, namespace: str, pod: str, port: int) -> Tunnel:
        self._note("forward", namespace, pod, "", str(port))
        return self.tunnels.pop(0)

    def _note(self, method: str, namespace: str, pod: str, container: str, what: str) -> None:
        self.calls.append((method, pod, what))
        self.pop(method)
        known = {(space, name) for space, name, _ in self.lines}
        if known and (namespace, pod) not in known:
            raise refusal(f"reach pod/{pod}", f'pods "{pod}" not found')


def refusal(action: str, reason: str) -> ClusterError:
    """What the API server says no to."""
    return ClusterError(API_FAILED, action=action, reason=reason)


def _key_of(ref: Ref) -> Key:
    return ref.api_version, ref.kind, ref.namespace, ref.name


def _parse(labels: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in labels.split(",") if part)


def _matches(obj: Object, api_version: str, kind: str, namespace: str, labels: dict[str, str]) -> bool:
    metadata = obj["metadata"]
    there = (obj["apiVersion"], obj["kind"], namespace or metadata.get("namespace", ""))
    same = there == (api_version, kind, metadata.get("namespace", ""))
    return same and labels.items() <= metadata.get("labels", {}).items()
