"""Carries out steps as a graph: what is independent runs side by side; the first failure ends the rest."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from devenv.errors import DevenvError
from devenv.ports import Progress

Note = Callable[[str], None]

# So that Ctrl-C reaches the waiting main thread soon.
POLL_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Step:
    """One piece of work: what it needs by name, and its one effect, which may note a word on what it did."""

    name: str
    label: str
    run: Callable[[Note], None]
    needs: tuple[str, ...] = ()


class Cancelled(Exception):  # noqa: N818 - not an error a user sees
    """Raised inside a step that ends because the run is ending."""


def run_steps(steps: Sequence[Step], progress: Progress, stop: threading.Event, *, workers: int = 8) -> None:
    """Run all steps, each after those it needs (names not among `steps` count as done).

    The first error sets `stop`, waits for what still runs, and is raised; KeyboardInterrupt does the same.
    """
    names = {step.name for step in steps}
    open_steps = {step.name: step for step in steps}
    done: set[str] = set()
    running: dict[Future[None], str] = {}
    failures: list[BaseException] = []
    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="step") as pool:
        try:
            while (open_steps and not stop.is_set()) or running:
                ready = [s for s in open_steps.values() if all(n in done or n not in names for n in s.needs)]
                for step in ready if not stop.is_set() else []:
                    del open_steps[step.name]
                    running[pool.submit(_run_one, step, progress)] = step.name
                _collect(running, done, failures, stop)
        except KeyboardInterrupt:
            stop.set()
            raise
    if failures:
        raise _worst(failures)


def _run_one(step: Step, progress: Progress) -> None:
    with progress.step(step.label) as note:
        step.run(note)


def _collect(
    running: dict[Future[None], str], done: set[str], failures: list[BaseException], stop: threading.Event
) -> None:
    finished, _ = wait(running, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
    for future in finished:
        name = running.pop(future)
        with contextlib.suppress(Cancelled):
            error = future.exception()
            if error is None:
                done.add(name)
            else:
                if not isinstance(error, Cancelled):
                    failures.append(error)
                stop.set()


def _worst(failures: Sequence[BaseException]) -> BaseException:
    """The failure to tell: a bug before an expected error, else the first."""
    unexpected = [f for f in failures if not isinstance(f, DevenvError)]
    return (unexpected or list(failures))[0]
