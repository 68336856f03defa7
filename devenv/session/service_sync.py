"""Brings a service's sources into one container, and reloads its program."""

from __future__ import annotations

import posixpath
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import PurePosixPath

from devenv.config.model import Reload, Service, SyncRule
from devenv.errors import SyncError
from devenv.ports import Pods, Stop
from devenv.problems import SYNC_FAILED
from devenv.session.outcome import Outcome, Total
from devenv.session.sync_stream import SyncStream, open_stream
from devenv.sync import frames
from devenv.sync.batch import Batch, acknowledge, diff, refuse_missing, refuse_wipe
from devenv.sync.content import load
from devenv.sync.frames import Answer, Content
from devenv.sync.index import Digest, Index

RUN_SECONDS = 600.0


def target_folder(rule: SyncRule, *, is_file: bool) -> str:
    """The folder in the container that a rule writes to."""
    return posixpath.dirname(rule.target) or "/" if is_file else rule.target


def file_name(rule: SyncRule, *, is_file: bool) -> str:
    """The name a single-file rule gives its file in the container; "" for a folder."""
    return PurePosixPath(rule.target).name if is_file else ""


class ServiceSync:
    """What one container has acknowledged, and its stream. A new container needs a new one of these."""

    def __init__(self, service: Service, stream: SyncStream, *, pod: str) -> None:
        self.pod = pod
        self._service = service
        self._stream = stream
        rules = range(len(service.sync))
        self._acked: list[dict[str, Digest]] = [{} for _ in rules]
        self._pending: list[set[str] | None] = [None for _ in rules]
        self._touched: set[int] = set()
        self._doubtful = True

    @classmethod
    def connect(
        cls,
        service: Service,
        pods: Pods,
        indexes: Sequence[Index],
        *,
        place: tuple[str, str, str],
        container_id: str,
        stop: Stop | None = None,
    ) -> ServiceSync:
        """Open the stream to a container (`place`: namespace, pod, container). Raises as `open_stream`."""
        targets = [
            target_folder(rule, is_file=bool(index.name)) for rule, index in zip(service.sync, indexes, strict=True)
        ]
        stream = open_stream(
            pods, service=service.name, place=place, container_id=container_id, targets=targets, stop=stop
        )
        return cls(service, stream, pod=place[1])

    @property
    def alive(self) -> bool:
        """False once the connection is lost."""
        return self._stream.alive

    @property
    def synced(self) -> bool:
        """True where the container has all that was marked, and its program was reloaded."""
        return not self._touched and self.complete

    @property
    def complete(self) -> bool:
        """True where the container has all that was marked."""
        return all(paths is not None and not paths for paths in self._pending)

    @property
    def owed(self) -> frozenset[int]:
        """The rules whose files came since the last reload."""
        return frozenset(self._touched)

    def owe(self, rules: frozenset[int]) -> None:
        """Take over what a lost connection to the same container left undone."""
        self._touched |= rules

    @property
    def wants_reload(self) -> bool:
        """True where files came whose rule asks for a reload."""
        return bool(self._touched)

    def mark(self, rule: int, paths: Collection[str] | None) -> None:
        """These paths of a rule's source changed; None: anything may have."""
        pending = self._pending[rule]
        if pending is not None:
            self._pending[rule] = None if paths is None else pending | set(paths)

    def adopt(self, indexes: Sequence[Index], seen: Sequence[Collection[str]]) -> None:
        """Ask the container what it already has of what is, or ever was (`seen`), in the sources. SyncError."""
        for rule, index in enumerate(indexes):
            paths = sorted(index.entries.keys() | set(seen[rule]))
            look = self._ask_ok([frames.encode_look(rule, paths)])
            kinds = frames.parse_look(paths, look)
            local = index.entries
            files = [path for path, kind in kinds.items() if kind in ("f", "x") and path in local]
            hashes = self._ask_ok([frames.encode_hash(rule, files)])
            self._acked[rule] = frames.known(paths, look, frames.parse_hash(hashes))
            self._pending[rule] = None
        self._doubtful = False

    def bring(self, indexes: Sequence[Index]) -> Outcome:
        """Send what differs and reload at once. SyncError."""
        sent, reloaded = self.send(indexes), self.reload()
        seconds = sent.seconds + reloaded.seconds
        return replace(sent, seconds=seconds, reloaded=reloaded.reloaded, output=reloaded.output)

    def send(self, indexes: Sequence[Index], *, kept: Callable[[int, str], bool] = lambda rule, path: False) -> Outcome:
        """Send what was marked and differs; `kept` says of a rule's path that it must not be deleted.

        Raises SyncError; what was not acknowledged stays marked.
        """
        started = time.monotonic()
        if self._doubtful:
            self.adopt(indexes, [list(acked) for acked in self._acked])
        total = Total()
        for rule, index in enumerate(indexes):
            batch = self._plan(rule, index, partial(kept, rule))
            if batch:
                self._carry(rule, index, batch, total)
            self._pending[rule] = set()
        return total.outcome(self._service.name, self.pod, seconds=time.monotonic() - started)

    def _plan(self, rule: int, index: Index, kept: Callable[[str], bool]) -> Batch:
        pending = self._pending[rule]
        if pending is not None and not pending:
            return Batch()
        if index.missing:
            raise refuse_missing(index.source, service=self._service.name)
        acked = self._acked[rule]
        batch = diff(index.entries, acked, within=pending, kept=lambda path: path in index.notes or kept(path))
        refuse_wipe(batch, acked, service=self._service.name)
        for path in batch.forget:
            acked.pop(path, None)
        return batch

    def _carry(self, rule: int, index: Index, batch: Batch, total: Total) -> None:
        """Send one rule's batch."""
        loaded: dict[str, Digest] = {}

        def read(path: str) -> Content | None:
            content = load(index, path)
            if content:
                loaded[path] = content.digest
                total.size += len(content.data)
            return content

        reload = self._service.sync[rule].reload.kind
        if reload not in ("none", "rebuild"):
            self._touched.add(rule)
        try:
            self._ask_ok(frames.encode_put(rule, batch, read))
        except SyncError:
            self._doubt(rule, batch)
            raise
        acknowledge(self._acked[rule], batch, loaded)
        total.add(batch, files=len(loaded), rebuild=reload == "rebuild")
        total.again += [(rule, path) for path in batch.puts if loaded.get(path) != index.entries[path].digest]

    def _doubt(self, rule: int, batch: Batch) -> None:
        """After a batch that failed midway: the container is asked anew, and what was on its way is ours to delete."""
        self._doubtful = True
        for path in (*batch.puts, *(batch.links or ()), *batch.make):
            self._acked[rule].setdefault(path, "?")

    def reload(self) -> Outcome:
        """Carry out what the rules of all files that came since the last reload ask for, each thing once.

        Commands run first, in the rules' order; then the program is restarted, or else signalled. SyncError.
        """
        started = time.monotonic()
        wanted = [self._service.sync[rule].reload for rule in sorted(self._touched)]
        signals = ["USR1"] if any(reload.kind == "restart" for reload in wanted) else _signals(wanted)
        try:
            output = "".join(self._run(reload) for reload in dict.fromkeys(wanted) if reload.kind == "exec")
            for name in signals:
                self._signal(name)
        finally:
            if self.alive:  # what a lost connection left undone is owed to the container still
                self._touched.clear()
        return Outcome(
            service=self._service.name,
            pod=self.pod,
            seconds=time.monotonic() - started,
            reloaded=tuple(_label(reload) for reload in dict.fromkeys(wanted)),
            output=output,
        )

    def ping(self) -> None:
        """Prove that the whole way to the container works. SyncError where it does not."""
        self._ask_ok([frames.PING])

    def close(self) -> None:
        """End the stream."""
        self._stream.close()

    def _run(self, reload: Reload) -> str:
        answer = self._stream.ask([frames.encode_run(reload.command)], timeout=RUN_SECONDS)
        if answer.status != "exit 0":
            raise self._failed(f"{_label(reload)} ended with {answer.status}", answer)
        return answer.body.decode("utf-8", "replace")

    def _signal(self, name: str) -> None:
        if self._stream.ask([frames.encode_signal(name)]).status != "ok":
            raise self._failed(f"its program can't be sent the signal {name}", Answer("error"))

    def _ask_ok(self, asked: Iterable[bytes]) -> Answer:
        answer = self._stream.ask(asked)
        if answer.status != "ok":
            raise self._failed(answer.text.partition("\n")[0] or "its container reported an error", answer)
        return answer

    def _failed(self, reason: str, answer: Answer) -> SyncError:
        lines = answer.text.splitlines()[-20:]
        return SyncError(SYNC_FAILED, service=self._service.name, reason=reason, details=lines)


def _signals(wanted: Sequence[Reload]) -> list[str]:
    return list(dict.fromkeys(reload.signal for reload in wanted if reload.kind == "signal"))


def _label(reload: Reload) -> str:
    return {"signal": reload.signal, "exec": " ".join(reload.command)}.get(reload.kind, reload.kind)
