"""Brings an environment up with its session beside it; what fails is shown, and tried again after a change."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from devenv.config.model import Environment
from devenv.errors import DevenvError, Refused, UsageError
from devenv.flows.up import UpRequest, UpResult, up
from devenv.flows.world import World
from devenv.ports import Change
from devenv.problems import BUILD_FAILED, DOCKERFILE_MISSING
from devenv.session.live import fingerprint
from devenv.session.start import Start, Started, Starting
from devenv.sync.ignore import Ignore

QUIET_SECONDS = 0.2
LONGEST_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Patience:
    """What to do with a failure: `tell` it, wait for a change, and `load` the environment anew."""

    tell: Callable[[DevenvError], None]
    load: Callable[[], Environment]


class Attempts:
    """One `up` with its session, as often as it takes."""

    def __init__(self, request: UpRequest, start: Start, world: World) -> None:
        self._request = request
        self._start = start
        self._world = world
        self._starting = Starting(start, world)

    def run(self, patience: Patience | None) -> tuple[UpResult, Started]:
        """Until it succeeds where there is patience, else once. Raises as `up` and `Starting`; the session is closed
        then where it lives in this process."""
        self._starting.look()
        try:
            while True:
                try:
                    return self._once()
                except DevenvError as error:
                    if patience is None or not self._may_mend(error):
                        raise
                    self._await_mending(error, patience)
        except BaseException:
            self.leave()
            raise

    def leave(self) -> None:
        """Give up: end the session that lives in this process, and say what of one there is now."""
        self._starting.leave()

    def _once(self) -> tuple[UpResult, Started]:
        # A failure sets the flag that ends the other steps: the session goes on.
        world = replace(self._world, stop=threading.Event())
        result = up(self._request, world, self._starting.begin)
        return result, self._starting.finish()

    def _may_mend(self, error: DevenvError) -> bool:
        """True for what an edit may mend: nothing that kept the cluster from being reached."""
        begun = self._starting.begun and not isinstance(error, UsageError | Refused)
        return begun or error.code in (BUILD_FAILED.code, DOCKERFILE_MISSING.code)

    def _await_mending(self, error: DevenvError, patience: Patience) -> None:
        faulty: DevenvError | None = error
        while faulty:
            path = wait_for_change(self._request.environment, self._world, partial(self._ask, faulty, patience))
            self._world.progress.note(f"{path} changed")
            try:
                self._renew(patience.load())
                faulty = None
            except DevenvError as another:
                faulty = another

    def _ask(self, error: DevenvError, patience: Patience) -> None:
        patience.tell(error)
        self._world.progress.note("waiting for a change to try again (Ctrl-C ends)")

    def _renew(self, environment: Environment) -> None:
        """What was changed may be the environment itself: its session is then another."""
        if fingerprint(environment) == fingerprint(self._request.environment):
            return
        self._starting.close()
        self._request = replace(self._request, environment=environment)
        self._start = replace(self._start, environment=environment)
        self._starting = Starting(self._start, self._world)


def wait_for_change(environment: Environment, world: World, ask: Callable[[], None]) -> Path:
    """Wait until something of the project changes that is not ignored, and is quiet again; gives its path.

    `ask` is called once changes are heard: whoever it tells may be quick.
    """
    roots = _roots(environment)
    ignores = {root: Ignore(root) for root in roots}
    seen: list[tuple[float, Path]] = []
    changed = threading.Event()

    def note(change: Change) -> None:
        if change.overflow or not _is_ignored(change.path, ignores):
            seen.append((time.monotonic(), change.path))
            changed.set()

    with world.watcher.watch(roots, note):
        ask()
        while not changed.wait(QUIET_SECONDS):  # in slices, so that Ctrl-C comes through
            pass
        while time.monotonic() < min(seen[-1][0] + QUIET_SECONDS, seen[0][0] + LONGEST_SECONDS):
            time.sleep(QUIET_SECONDS / 4)
    path = seen[0][1]
    return path.relative_to(environment.root) if path.is_relative_to(environment.root) else path


def _roots(environment: Environment) -> list[Path]:
    """The project's folder, and the build contexts that lie elsewhere."""
    contexts = {service.build.context for service in environment.services.values() if service.build}
    outside = [context for context in sorted(contexts) if not context.is_relative_to(environment.root)]
    return [environment.root, *outside]


def _is_ignored(path: Path, ignores: dict[Path, Ignore]) -> bool:
    for root, ignore in ignores.items():
        if path.is_relative_to(root) and path != root:
            return ignore.matches(path.relative_to(root).as_posix(), is_dir=path.is_dir())
    return True
