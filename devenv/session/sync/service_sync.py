"""Brings a service's sources into one container, and reloads its program."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace

from devenv.config.model import Reload, Service
from devenv.errors import SyncError
from devenv.health.program import Program
from devenv.ports import Pods, Stop
from devenv.problems import SYNC_FAILED
from devenv.session.sync.claims import Claim, claims_of, target_folder
from devenv.session.sync.ledger import Ledger
from devenv.session.sync.outcome import Outcome, Total
from devenv.session.sync.reasons import label
from devenv.session.sync.sync_stream import SyncStream, open_stream
from devenv.sync import frames
from devenv.sync.batch import Batch, acknowledge
from devenv.sync.content import load
from devenv.sync.frames import Answer, Content
from devenv.sync.index import Digest, Index
from devenv.sync.protocol import Frame

RUN_SECONDS = 600.0


class ServiceSync(Ledger):
    """What one container has acknowledged, and its stream. A new container needs a new one of these."""

    def __init__(self, service: Service, stream: SyncStream, claims: Sequence[Claim], *, pod: str) -> None:
        super().__init__(service, claims, pod=pod)
        self._stream = stream
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
        return cls(service, stream, claims_of(service, indexes), pod=place[1])

    @property
    def alive(self) -> bool:
        """False once the connection is lost."""
        return self._stream.alive

    @property
    def program(self) -> Program | None:
        """Nothing is known of it."""
        return None

    def mark(self, rule: int, paths: Collection[str] | None) -> None:
        """These paths of a rule's source changed; None: anything may have."""
        pending = self._pending[rule]
        if pending is not None:
            self._pending[rule] = None if paths is None else pending | set(paths)

    def adopt(self, indexes: Sequence[Index], seen: Sequence[Collection[str]]) -> None:
        """Ask the container what it already has of what is, or ever was (`seen`), in the sources. SyncError."""
        for rule, index in enumerate(indexes):
            paths = [path for path in sorted(dict(index.entries).keys() | set(seen[rule])) if "\n" not in path]
            self._acked[rule] = self._look(rule, paths, hashed=index.entries.__contains__)
            self._lacking[rule] = index.entries.keys() - self._acked[rule].keys()
            self._pending[rule] = None
        self._doubtful = False

    def have(self, rule: int, paths: Sequence[str]) -> dict[str, Digest]:
        """What the container has of some paths. SyncError."""
        return self._look(rule, [path for path in paths if "\n" not in path], hashed=lambda path: True)

    def recorded(self, rule: int) -> dict[str, Digest]:
        """What the container has of what was synced before. SyncError."""
        return self.have(rule, sorted(self._acked[rule]))

    def glob(self, pattern: str) -> list[str]:
        """Not to be had from a shell. SyncError."""
        raise self._without_agent()

    def get(self, place: str) -> Iterator[Frame]:
        """Not to be had from a shell. SyncError."""
        raise self._without_agent()

    def _without_agent(self) -> SyncError:
        reason = "its pod does not carry devenv's agent, which brings files back"
        return SyncError(SYNC_FAILED, service=self._service.name, reason=reason, hint="kubectl cp does it")

    def _look(self, rule: int, paths: Sequence[str], *, hashed: Callable[[str], bool]) -> dict[str, Digest]:
        look = self._ask_ok([frames.encode_look(rule, paths)])
        kinds = frames.parse_look(paths, look)
        files = [path for path, kind in kinds.items() if kind in ("f", "x") and hashed(path)]
        hashes = self._ask_ok([frames.encode_hash(rule, files)])
        return frames.known(paths, look, frames.parse_hash(hashes))

    def send(self, indexes: Sequence[Index], *, kept: Callable[[int, str], bool] = lambda rule, path: False) -> Outcome:
        """Send what was marked and differs; `kept` says of a rule's path that it must not be deleted.

        Raises SyncError; what was not acknowledged stays marked.
        """
        started = time.monotonic()
        if self._doubtful:
            self.adopt(indexes, [list(acked) for acked in self._acked])
        total = Total()
        for rule, (seen, batch) in self._plans(indexes, kept).items():
            if batch:
                self._carry(rule, seen, batch, total)
            self._pending[rule] = set()
        self._accepts_loss = False
        return total.outcome(self._service, self.pod, seconds=time.monotonic() - started)

    def _plan(self, rule: int, index: Index, kept: Callable[[str], bool]) -> tuple[Index, Batch]:
        seen, batch = super()._plan(rule, index, kept)
        for path in batch.forget:
            self._acked[rule].pop(path, None)
        return seen, batch

    def _sendable(self, seen: Index) -> Index:
        """Without names that contain a newline: a shell's lines can't carry them."""
        if any("\n" in path for path in seen.entries):
            return replace(seen, entries={path: entry for path, entry in seen.entries.items() if "\n" not in path})
        return seen

    def _carry(self, rule: int, index: Index, batch: Batch, total: Total) -> None:
        """Send one rule's batch."""
        loaded: dict[str, Digest] = {}

        def read(path: str) -> Content | None:
            content = load(index, path)
            if content:
                loaded[path] = content.digest
                total.size += len(content.data)
            return content

        self._touch(rule, batch)
        try:
            self._ask_ok(frames.encode_put(rule, batch, read))
        except SyncError:
            self._doubt(rule, batch)
            raise
        acknowledge(self._acked[rule], batch, loaded)
        total.add(batch, files=len(loaded))
        total.rebuilds += self._rebuilds(rule, batch)
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
        return self._reload(self._carry_out, alive=lambda: self.alive)

    def _carry_out(self, wanted: Sequence[Reload]) -> str:
        signals = ["USR1"] if any(reload.kind == "restart" for reload in wanted) else _signals(wanted)
        output = "".join(self._run(reload) for reload in dict.fromkeys(wanted) if reload.kind == "exec")
        for name in signals:
            self._signal(name)
        return output

    def ping(self) -> None:
        """Prove that the whole way to the container works. SyncError where it does not."""
        self._ask_ok([frames.PING])

    def close(self) -> None:
        """End the stream."""
        self._stream.close()

    def _run(self, reload: Reload) -> str:
        answer = self._stream.ask([frames.encode_run(reload.command)], timeout=RUN_SECONDS)
        if answer.status != "exit 0":
            raise self._failed(f"{label(reload)} ended with {answer.status}", answer)
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
