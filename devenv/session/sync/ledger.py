"""What one container has acknowledged, what is marked to be sent, and what its program is owed, whichever way in."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from devenv.config.model import Reload, Service
from devenv.session.sync.claims import Claim
from devenv.session.sync.outcome import Outcome, first_path
from devenv.session.sync.reasons import Cause, label, reasons
from devenv.sync.batch import Batch, diff, refuse_missing, refuse_wipe, snapshot
from devenv.sync.index import Digest, Index


class Ledger:
    """By rule: digests that are there (`_acked`), paths to send (`_pending`; None: anything), and which files came
    since the last reload (`_touched`: the first of them). `_lacking` is what the container had nothing of at first."""

    def __init__(self, service: Service, claims: Sequence[Claim], *, pod: str) -> None:
        self.pod = pod
        self._claims = claims
        self._service = service
        self._acked: list[dict[str, Digest]] = [{} for _ in service.sync]
        self._pending: list[set[str] | None] = [None for _ in service.sync]
        self._lacking: list[set[str]] = [set() for _ in service.sync]
        self._touched: dict[int, str] = {}
        self._accepts_loss = False

    @property
    def complete(self) -> bool:
        """True where the container has all that was marked."""
        return all(paths is not None and not paths for paths in self._pending)

    @property
    def owed(self) -> Mapping[int, str]:
        """The rules whose files came since the last reload, each with the first of them."""
        return dict(self._touched)

    def owe(self, rules: Mapping[int, str]) -> None:
        """Take over what a lost connection to the same container left undone."""
        self._touched.update(rules)

    @property
    def wants_reload(self) -> bool:
        """True where files came whose rule asks for a reload."""
        return bool(self._touched)

    @property
    def files(self) -> int:
        """How many files the container has of the sources."""
        return sum(digest != "d" for acked in self._acked for digest in list(acked.values()))

    def acknowledge(self, rule: int, path: str, digest: Digest) -> None:
        """The container is known to have this."""
        self._acked[rule][path] = digest

    def amend(self, rule: int, there: Mapping[str, Digest | None]) -> None:
        """The container was found to have this at these paths (None: nothing): all of them are marked."""
        for path, digest in there.items():
            self._acked[rule].pop(path, None)
            if digest is not None:
                self._acked[rule][path] = digest
        pending = self._pending[rule]
        self._pending[rule] = pending if pending is None else pending | there.keys()

    def accept_loss(self) -> None:
        """The next batch may delete as much as it will."""
        self._accepts_loss = True

    def _plans(self, indexes: Sequence[Index], kept: Callable[[int, str], bool]) -> dict[int, tuple[Index, Batch]]:
        """What to do for each rule. What one rule loses and another has stays, and is the other's to send."""
        disputed: list[tuple[int, str]] = []

        def stays(rule: int, path: str) -> bool:
            owners = list(self._owners(rule, path, indexes))
            disputed.extend(owners)
            if owners:
                self._acked[rule].pop(path, None)
            return bool(owners) or self._claims[rule].keeps(path, kept)

        plans = {rule: self._plan(rule, index, partial(stays, rule)) for rule, index in enumerate(indexes)}
        for rule, path in disputed:
            self._acked[rule].pop(path, None)
            pending = self._pending[rule]
            self._pending[rule] = pending if pending is None else {*pending, path}
        for rule in {rule for rule, _ in disputed}:
            plans[rule] = self._plan(rule, indexes[rule], partial(stays, rule))
        return plans

    def _owners(self, rule: int, path: str, indexes: Sequence[Index]) -> Iterator[tuple[int, str]]:
        """The other rules whose source has what is at this path in the container, and its path there."""
        place = self._claims[rule].place(path)
        for other, claim in enumerate(self._claims):
            folder = claim.folder.rstrip("/") + "/"
            if other != rule and place.startswith(folder) and place[len(folder) :] in indexes[other].entries:
                yield other, place[len(folder) :]

    def _plan(self, rule: int, index: Index, kept: Callable[[str], bool]) -> tuple[Index, Batch]:
        """A rule's source as it is, and the batch that it asks for. SyncError where that may not be."""
        pending = self._pending[rule]
        if pending is not None and not pending:
            return index, Batch()
        acked, seen = self._acked[rule], self._sendable(snapshot(index, pending))
        if index.missing:  # asked after the snapshot, which may have been taken while it went
            raise refuse_missing(index.source, service=self._service.name)
        batch = diff(seen.entries, acked, within=pending, kept=kept)
        if not self._accepts_loss:
            refuse_wipe(batch, acked, service=self._service.name)
        return seen, batch

    def _sendable(self, seen: Index) -> Index:
        """What of a source this way can carry: all of it."""
        return seen

    def _touch(self, rule: int, batch: Batch) -> None:
        if self._service.sync[rule].reload.kind not in ("none", "rebuild"):
            self._touched.setdefault(rule, first_path(batch))

    def _rebuilds(self, rule: int, batch: Batch) -> list[Cause]:
        if self._service.sync[rule].reload.kind != "rebuild":
            return []
        # An image that never had a file is not behind it.
        behind = [path for path in batch.paths if path not in self._lacking[rule]]
        self._lacking[rule].difference_update(batch.paths)
        return [Cause(rule, path) for path in behind[:1]]

    def _reload(self, carry_out: Callable[[Sequence[Reload]], str], *, alive: Callable[[], bool]) -> Outcome:
        """Have the reloads carried out that the rules of all files that came ask for; gives what came of it."""
        started = time.monotonic()
        touched = dict(sorted(self._touched.items()))
        wanted = [self._service.sync[rule].reload for rule in touched]
        try:
            output = carry_out(wanted)
        finally:
            if alive():  # what a lost connection left undone is owed to the container still
                self._touched.clear()
        return Outcome(
            service=self._service.name,
            pod=self.pod,
            seconds=time.monotonic() - started,
            reloaded=tuple(dict.fromkeys(map(label, wanted))),
            reasons=reasons(self._service, [Cause(rule, path) for rule, path in touched.items()]),
            output=output,
        )
