"""Steps with a hash of their inputs, carried out in two lanes side by side: what is already there is skipped."""

import json
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.testbed.commands import TestbedError, stop_all
from tests.testbed.places import Places


@dataclass(frozen=True, slots=True)
class Step:
    """One piece of work: what it makes is kept as long as `key` gives the same text and `present` is true."""

    name: str
    lane: str
    key: Callable[[], str]
    present: Callable[[], bool]
    carry_out: Callable[[Path], None]
    needs: tuple[str, ...] = ()


@dataclass(slots=True)
class Progress:
    """What the lanes know of each other: the steps done, and the first failure."""

    done: set[str] = field(default_factory=set)
    failure: Exception | None = None
    changed: threading.Condition = field(default_factory=threading.Condition)

    def finish(self, name: str) -> None:
        """Tell the other lane that a step is done."""
        with self.changed:
            self.done.add(name)
            self.changed.notify_all()

    def fail(self, error: Exception) -> None:
        """Keep the first failure and wake the other lane so that it stops too."""
        with self.changed:
            self.failure = self.failure or error
            self.changed.notify_all()

    def await_next(self, steps: Sequence[Step]) -> Step | None:
        """Wait until one of the steps has all that it needs, and give the first; None if something failed meanwhile."""
        with self.changed:
            self.changed.wait_for(lambda: self.failure is not None or self._find_ready(steps) is not None)
            return None if self.failure else self._find_ready(steps)

    def _find_ready(self, steps: Sequence[Step]) -> Step | None:
        return next((step for step in steps if self.done.issuperset(step.needs)), None)


def say(text: str) -> None:
    """Print a line for the person who waits."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def is_there(step: Step, places: Places) -> bool:
    """Whether the step's result was made from the inputs of now and still exists."""
    stamp = _stamp_path(step, places)
    return stamp.is_file() and json.loads(stamp.read_text())["key"] == step.key() and step.present()


def carry_out_all(steps: Sequence[Step], places: Places) -> None:
    """Carry out what is not there, each lane one step at a time; raises TestbedError on the first failure."""
    unknown = {need for step in steps for need in step.needs} - {step.name for step in steps}
    if unknown:
        raise ValueError(f"steps that nobody makes: {sorted(unknown)}")
    progress = Progress()
    lanes = {step.lane: [other for other in steps if other.lane == step.lane] for step in steps}
    threads = [
        threading.Thread(target=_run_lane, args=(lane, places, progress), daemon=True) for lane in lanes.values()
    ]
    for thread in threads:
        thread.start()
    try:
        _await_end(threads, progress)
    except BaseException:
        stop_all()
        raise


def _await_end(threads: list[threading.Thread], progress: Progress) -> None:
    while progress.failure is None and any(thread.is_alive() for thread in threads):
        for thread in threads:
            thread.join(0.2)
    if progress.failure is not None:
        raise progress.failure


def _run_lane(steps: list[Step], places: Places, progress: Progress) -> None:
    try:
        waiting = list(steps)
        while waiting and (step := progress.await_next(waiting)) is not None:
            _run_step(step, places)
            waiting.remove(step)
            progress.finish(step.name)
    except Exception as error:  # handed to the main thread, which raises it again
        progress.fail(error)


def _run_step(step: Step, places: Places) -> None:
    if is_there(step, places):
        say(f"- {step.name}  (there)")
        return
    say(f"· {step.name} …")
    start = time.monotonic()
    log = places.logs / f"{step.name.replace(' ', '-').replace('/', '-').replace(':', '-')}.log"
    log.unlink(missing_ok=True)
    try:
        step.carry_out(log)
    except TestbedError as error:
        raise TestbedError(f"{step.name}: {error}") from error
    seconds = round(time.monotonic() - start, 1)
    _write_stamp(step, places, seconds)
    say(f"✓ {step.name}  {seconds} s")


def _write_stamp(step: Step, places: Places, seconds: float) -> None:
    write_file(_stamp_path(step, places), json.dumps({"key": step.key(), "seconds": seconds}) + "\n")


def _stamp_path(step: Step, places: Places) -> Path:
    return places.stamps / step.name.replace(" ", "-").replace("/", "_")


def write_file(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.new")
    draft.write_text(text)
    draft.replace(path)
