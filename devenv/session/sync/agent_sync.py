"""Brings a service's sources into one container through its agent, and reloads its program."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial

from devenv.config.model import Service
from devenv.errors import DevenvError
from devenv.flows.agent_stream import SILENT, AgentStream, Listener
from devenv.ports import Pods, Stop
from devenv.session.sync.agent_look import AgentLook
from devenv.session.sync.agent_reload import carry_out
from devenv.session.sync.claims import Claim, claims_of
from devenv.session.sync.failures import Failure, describe, is_foreign
from devenv.session.sync.outcome import Outcome, Total
from devenv.sync import protocol, replies
from devenv.sync.batch import Batch
from devenv.sync.framing import encode
from devenv.sync.ignore import IGNORE_FILES
from devenv.sync.index import Index
from devenv.sync.places import PROGRAM
from devenv.sync.sending import Sending, Sent


class AgentSync(AgentLook):
    """What one container has acknowledged, and its stream. A new connection needs a new one of these."""

    def __init__(self, service: Service, stream: AgentStream, claims: Sequence[Claim], *, pod: str) -> None:
        super().__init__(service, stream, claims, pod=pod)
        self._claimed: list[tuple[str, ...]] = [() for _ in claims]
        self._starts: int | None = None
        self._told_complete = False
        self._doubtful = False

    @classmethod
    def connect(
        cls,
        service: Service,
        pods: Pods,
        indexes: Sequence[Index],
        *,
        place: tuple[str, str, str],
        holder: str,
        take_over: bool = False,
        stop: Stop | None = None,
        listener: Listener = SILENT,
    ) -> AgentSync:
        """Open the stream to a container (`place`: namespace, pod, container). SyncError, ClusterError."""
        claims = claims_of(service, indexes)
        started = pods.exec(*place, [PROGRAM, "serve"], stdin=True)
        stream = AgentStream(started, service=service.name, stop=stop, listener=listener)
        folders = {claim.target: claim.folder for claim in claims}
        try:
            stream.greet(list(folders.values()), holder=holder, take_over=take_over)
        except DevenvError:
            stream.close()
            raise
        return cls(service, stream, claims, pod=place[1])

    @property
    def complete(self) -> bool:
        """True where the container has all that was marked."""
        return self._told_complete and not self._doubtful and super().complete

    def mark(self, rule: int, paths: Collection[str] | None) -> None:
        """These paths of a rule's source changed; None: anything may have."""
        if paths is None or any(path.rpartition("/")[2] in IGNORE_FILES for path in paths):
            # Other ignore rules: what was kept because it was ignored may have to go now, by whichever rule brought it.
            for each in self._sharing(rule):
                self._pending[each] = None
            return
        pending = self._pending[rule]
        self._pending[rule] = pending if pending is None else pending | set(paths)

    def adopt(self, indexes: Sequence[Index], seen: Sequence[Collection[str]]) -> None:
        """Ask the container what it has of the sources, and what else was synced into it before. SyncError."""
        targets = dict.fromkeys(claim.target for claim in self._claims)
        recorded = {target: self._rows([protocol.Record(target)]) for target in targets}
        for rule, claim in enumerate(self._claims):
            local = dict(indexes[rule].entries)
            known = recorded[claim.target]
            acked = {path: known.pop(path) for path in local.keys() & known.keys()}
            found = self.have(rule, sorted(local.keys() - acked.keys()))
            self._acked[rule] = acked | found
            self._lacking[rule] = local.keys() - self._acked[rule].keys()
            equal = tuple(path for path in found if found[path] == local[path].digest)
            self._claimed[rule] = () if self._doubtful else equal
            self._pending[rule] = None
        self._doubtful = False
        for rule, claim in enumerate(self._claims):
            if claim.leads:
                left = recorded[claim.target].items()
                self._acked[rule] |= {path: digest for path, digest in left if not claim.is_elsewhere(path)}
        self._starts = self.stream.state.starts if self.stream.state else None

    def send(self, indexes: Sequence[Index], *, kept: Callable[[int, str], bool] = lambda rule, path: False) -> Outcome:
        """Send what was marked and differs; `kept` says of a rule's path that it must not be deleted.

        What failed is in the outcome's problem and stays marked. Raises SyncError.
        """
        started = time.monotonic()
        if self._doubtful:
            self.adopt(indexes, ())
        total, number = Total(), self.stream.number()
        plans = self._plans(indexes, kept)
        busy = {rule: plan for rule, plan in plans.items() if plan[1] or self._claimed[rule]}
        problem = None
        if busy:
            sent = self._carry(busy, number)
            ack = self._receive_ack(number)
            if self._touched.keys() & busy.keys():
                self._starts = self.stream.starts_at_ack
            failures = self._settle(busy, sent, ack, total)
            if failures:
                problem = describe(failures, service=self._service.name, uid=self.stream.welcome.uid)
        for rule in plans.keys() - busy.keys():
            self._pending[rule] = set()
        if not self._told_complete and not problem and not total.again and not self._doubtful:
            self._finish()
        self._accepts_loss = False
        return total.outcome(self._service, self.pod, seconds=time.monotonic() - started, problem=problem)

    def _carry(self, plans: Mapping[int, tuple[Index, Batch]], number: int) -> dict[int, Sent]:
        sent = {rule: Sent() for rule in plans}

        def frames() -> Iterator[bytes]:
            for rule, (index, batch) in plans.items():
                sending = Sending(index, self._claims[rule].target, number, self._acked[rule], sent[rule])
                yield from sending.claims(self._claimed[rule])
                yield from sending.frames(batch)
            yield encode(protocol.Commit(protocol.COMPLETE if self._told_complete else 0), number)

        for rule, (_, batch) in plans.items():
            if batch:
                self._touch(rule, batch)
        self.stream.write(frames())
        return sent

    def _receive_ack(self, number: int) -> replies.Ack:
        [ack] = self.stream.receive(number)
        return ack if isinstance(ack, replies.Ack) else replies.Ack(())

    def _settle(
        self, plans: Mapping[int, tuple[Index, Batch]], sent: Mapping[int, Sent], ack: replies.Ack, total: Total
    ) -> list[Failure]:
        """Note what came of a batch; gives what failed and must be told."""
        told: list[Failure] = []
        # An empty path: more failed than an answer can list, so that nothing is known of the batch.
        unlisted = [number for _, number, path in ack.failed if not path]
        self._doubtful = bool(unlisted)
        told += [Failure(self._claims[0].folder, number) for number in unlisted]
        refused = {(target, path): number for target, number, path in ack.failed}
        for rule, (index, batch) in plans.items():
            claim, went = self._claims[rule], sent[rule]
            failed = {path: number for (target, path), number in refused.items() if target == claim.target}
            stay = [path for path in batch.gone if path in failed and not is_foreign(failed[path])]
            broken = sorted(failed.keys() & went.digests.keys())
            again = [path for path in went.again if path not in index.notes]
            self._note(rule, batch, went, {*stay, *broken})
            self._pending[rule] = {*stay, *broken, *again}
            told += [Failure(claim.place(path), failed[path]) for path in (*broken, *stay)]
            total.size += went.size
            total.again += [(rule, path) for path in again]
            if batch:
                total.add(batch, files=len(set(batch.puts) & went.digests.keys() - set(broken)))
                total.rebuilds += self._rebuilds(rule, batch)
        return told

    def _note(self, rule: int, batch: Batch, sent: Sent, failed: Collection[str]) -> None:
        """What the container has now; nothing is known of what failed."""
        acked = self._acked[rule]
        for path in batch.gone:
            if path not in failed:
                acked.pop(path, None)
        acked.update((path, "?" if path in failed else digest) for path, digest in sent.digests.items())
        self._claimed[rule] = ()

    def _finish(self) -> None:
        """Tell the container that it now has everything: only then does its program start."""
        self._receive_ack(self.stream.send(protocol.Commit(protocol.COMPLETE)))
        self._told_complete = True

    def reload(self) -> Outcome:
        """Carry out what the rules of all files that came since the last reload ask for, each thing once.

        Commands run first, in the rules' order; then the program is restarted, or else signalled. SyncError.
        """
        state, known = self.stream.state, self._starts
        fresh = state is not None and known is not None and state.starts > known
        do = partial(carry_out, self.stream, service=self._service.name, fresh=fresh)
        return self._reload(do, alive=lambda: self.alive)
