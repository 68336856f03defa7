"""What a session answers about its sync on its control socket: sync-status, -verify, -pull, -explain, -accept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path

from devenv.errors import UsageError
from devenv.problems import NO_SYNC
from devenv.session.control import Handler, Message
from devenv.session.sync.sync_explain import explain
from devenv.session.sync.sync_pull import pull
from devenv.session.sync.sync_verify import Verdict, fix, verify
from devenv.session.sync.syncing import SyncLoop

VERIFY_SECONDS = 20.0


class SyncRequests:
    """The handlers, for one session's loops by service; each takes a `service`, or all are meant."""

    def __init__(self, loops: Mapping[str, SyncLoop]) -> None:
        self._loops = loops

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """By the name of the request."""
        return {
            "sync-status": self._status,
            "sync-verify": self._verify,
            "sync-pull": self._pull,
            "sync-explain": self._explain,
            "sync-accept": self._accept,
        }

    def _meant(self, request: Message) -> Iterable[SyncLoop]:
        name = request.get("service")
        if name and name not in self._loops:
            raise UsageError(NO_SYNC, name=name, nearest="", names=", ".join(self._loops) or "none")
        return [self._loops[name]] if name else list(self._loops.values())

    def _status(self, request: Message) -> Message:
        return {"services": [asdict(loop.status()) for loop in self._meant(request)]}

    def _verify(self, request: Message) -> Message:
        step = self._fixed if request.get("fix") else verify
        found = []
        for loop in self._meant(request):
            loop.wait_synced(VERIFY_SECONDS)  # what is on its way is no difference
            found.append(asdict(step(loop)))
        return {"services": found}

    def _fixed(self, loop: SyncLoop) -> Verdict:
        return fix(loop, lambda: loop.wait_synced(VERIFY_SECONDS))

    def _pull(self, request: Message) -> Message:
        force = bool(request.get("force"))
        [loop] = self._meant(request)
        return {"files": [asdict(done) for done in pull(loop, str(request["path"]), force=force)]}

    def _accept(self, request: Message) -> Message:
        loops = list(self._meant(request))
        for loop in loops:
            loop.each(lambda target: target.accept_loss())
        for loop in loops:
            loop.wait_synced(VERIFY_SECONDS)
        return self._status(request)

    def _explain(self, request: Message) -> Message:
        path = Path(str(request["path"]))
        return {"rules": [asdict(each) for loop in self._meant(request) for each in explain(loop, path)]}
