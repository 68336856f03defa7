"""`devenv doctor`: looks at this machine, mends it with consent, and explains a command that failed."""

from __future__ import annotations

import logging
import queue
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Literal

from devenv.checks.catalogue import CHECKS, EXPLAINS, checks_of
from devenv.checks.check import Argv, Check, Scene, Verdict, of_error, skipped
from devenv.errors import DevenvError, Finding, Status

LOG = logging.getLogger("devenv.doctor")
EXPLAIN_SECONDS = 2.0
END_SECONDS = 0.5
"""How long a check that is late gets to end the program it waits for."""
SETTLE_SECONDS = 10.0
"""How long what commands have started may take until its check sees it."""
LOOK_AGAIN_SECONDS = 0.3


# --- looking -----------------------------------------------------------------------------------------------------
@dataclass(slots=True)
class _Running:
    """A check under way in a thread of its own."""

    check: Check
    seconds: float
    deadline: float
    stop: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None


Answers = queue.SimpleQueue[tuple[str, Finding]]


def examine(
    scene: Scene, checks: Sequence[Check] = CHECKS, *, online: bool = False, seconds: float | None = None
) -> list[Finding]:
    """What the checks find, in their order. They run side by side, each on its own: none keeps another from ending.

    `seconds` shortens what each of them may take; `online` runs those that go out to the network, too.
    """
    answers: Answers = queue.SimpleQueue()
    found = {check.id: _not_asked(check) for check in checks if check.online and not online}
    asked = [check for check in checks if check.id not in found]
    running = {c.id: _start(c, scene, answers, min(c.seconds, seconds or c.seconds)) for c in asked}
    while open_ids := running.keys() - found.keys():
        deadline = min(running[id].deadline for id in open_ids)
        try:
            id, finding = answers.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            late = [running[id] for id in open_ids if running[id].deadline <= time.monotonic()]
            found |= {finding.id: finding for finding in _end_late(late)}
        else:
            found.setdefault(id, finding)
    return [_in_context(check, found) for check in checks]


def examine_some(
    scene: Scene, ids: Sequence[str], *, online: bool = False, seconds: float | None = None
) -> list[Finding]:
    """What the checks of some ids find; all of them where none is named."""
    findings = examine(scene, checks_of(tuple(ids)) if ids else CHECKS, online=online, seconds=seconds)
    return [finding for finding in findings if not ids or finding.id in ids]


def _start(check: Check, scene: Scene, answers: Answers, seconds: float) -> _Running:
    running = _Running(check, seconds, time.monotonic() + seconds)
    own = replace(scene, stop=running.stop)
    running.thread = threading.Thread(
        target=lambda: answers.put((check.id, _look(check, own))), name=f"check-{check.id}", daemon=True
    )
    running.thread.start()
    return running


def _look(check: Check, scene: Scene) -> Finding:
    """The finding of one check; whatever goes wrong in it becomes one, too."""
    try:
        verdict = check.look(scene)
    except DevenvError as error:
        verdict = of_error(error)
    except Exception as error:  # noqa: BLE001 - a check that breaks must not take the others with it
        LOG.exception("check %s", check.id)
        return replace(_broken(check, error), detail=traceback.format_exc())
    return _finding(check, verdict)


def _broken(check: Check, error: Exception) -> Finding:
    cause = "The check itself came upon something that it does not expect; what it looks at may be fine."
    reason = " ".join(str(error).split()) or "no reason given"
    text = f"the check failed: {type(error).__name__}: {reason}"
    return _finding(check, Verdict("warn", text, cause, "-v shows the trace; devenv doctor -o json is good to report"))


def _finding(check: Check, verdict: Verdict) -> Finding:
    return Finding(
        check.id,
        verdict.status,
        check.title,
        verdict.text,
        cause=verdict.cause,
        cure=verdict.cure,
        code=verdict.code,
        fixes=verdict.fixes,
    )


def _not_asked(check: Check) -> Finding:
    return _finding(check, skipped("needs the network; --online asks"))


def _end_late(late: Sequence[_Running]) -> list[Finding]:
    deadline = time.monotonic() + END_SECONDS
    for running in late:
        running.stop.set()
    for running in late:
        if running.thread:
            running.thread.join(max(0.0, deadline - time.monotonic()))
    return [_finding(running.check, _late(running.seconds)) for running in late]


def _late(seconds: float) -> Verdict:
    cause = "What it asks is very busy or hangs."
    return Verdict("warn", f"did not answer in {seconds:g} s", cause, "run devenv doctor again; restart what hangs")


def _in_context(check: Check, found: dict[str, Finding]) -> Finding:
    """A check that can say nothing because of another one's failure is skipped: one cause is told once."""
    finding, needed = found[check.id], found.get(check.needs)
    if needed is None or needed.status == "ok" or finding.status in ("ok", "skipped"):
        return finding
    return _finding(check, skipped(f"needs {check.needs}"))


# --- mending -----------------------------------------------------------------------------------------------------
Outcome = Literal["done", "failed", "declined", "changed"]


@dataclass(frozen=True, slots=True)
class Repair:
    """One attempt to mend: the check's id, its commands, how that went, and the finding's status before and after.

    `outcome` is done, failed (a command did), declined, or changed (the machine did, between question and answer).
    """

    id: str
    commands: tuple[Argv, ...]
    outcome: Outcome
    before: Status
    after: Status
    text: str


def fixable(findings: Sequence[Finding]) -> list[Finding]:
    """The findings that commands can put right."""
    return [finding for finding in findings if finding.fixes]


def mend(
    scene: Scene,
    findings: Sequence[Finding],
    *,
    consent: Callable[[Finding], bool],
    run: Callable[[Argv], int],
) -> Iterator[Repair]:
    """Mend what commands can put right, each after a yes; a check is looked at again before, and after.

    A later check is looked at when its turn comes, so that what an earlier repair made possible is seen; so is the same
    check, whose next fix may be another: what is installed may have to be started.
    """
    unwell = {finding.id for finding in findings if finding.status != "ok"}
    for check in CHECKS:
        if check.id not in unwell or check.online:
            continue
        tried: set[tuple[Argv, ...]] = set()
        while (before := _look_once(check, scene)).fixes and before.fixes not in tried:
            tried.add(before.fixes)
            repair = _repair(check, scene, before, agreed=consent(before), run=run)
            yield repair
            if repair.outcome != "done":
                break


def _look_once(check: Check, scene: Scene) -> Finding:
    return examine_some(scene, (check.id,))[0]


def _repair(check: Check, scene: Scene, before: Finding, *, agreed: bool, run: Callable[[Argv], int]) -> Repair:
    if not agreed:
        return Repair(check.id, before.fixes, "declined", before.status, before.status, before.text)
    again = _look_once(check, scene)
    if again.fixes != before.fixes:
        return Repair(check.id, before.fixes, "changed", before.status, again.status, again.text)
    done = all(run(command) == 0 for command in before.fixes)
    after = _settled(check, scene, before) if done else _look_once(check, scene)
    return Repair(check.id, before.fixes, "done" if done else "failed", before.status, after.status, after.text)


def _settled(check: Check, scene: Scene, before: Finding) -> Finding:
    """What a check finds after its commands were run: a daemon that they started answers only a moment later."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while (after := _look_once(check, scene)).fixes == before.fixes and time.monotonic() < deadline:
        time.sleep(LOOK_AGAIN_SECONDS)
    return after


# --- explaining --------------------------------------------------------------------------------------------------
@contextmanager
def explaining(make_scene: Callable[[], Scene]) -> Iterator[None]:
    """While entered, an error gets the findings that may explain it: only those that are not well, within 2 s."""
    try:
        yield
    except DevenvError as error:
        try:
            error.checks = explain(error, make_scene)
        except Exception:  # noqa: BLE001 - what failed first is what must be told
            LOG.exception("explaining %s", error.code)
        raise


def explain(error: DevenvError, make_scene: Callable[[], Scene]) -> tuple[Finding, ...]:
    """The findings that may explain an error and say more than it; nothing where no check has to do with its code."""
    ids = EXPLAINS.get(error.code)
    if not ids:
        return ()
    findings = examine_some(make_scene(), ids, seconds=EXPLAIN_SECONDS)
    unwell = [found for found in findings if found.status in ("warn", "fail")]
    return tuple(f for f in unwell if f.fixes or (f.text, f.cure) != (error.message, error.hint))
