from __future__ import annotations

import threading

import pytest

from devenv import problems
from devenv.errors import ToolError
from devenv.flows.steps import Cancelled, Note, Step, run_steps
from tests.fakes.terminal import FakeProgress


class Recorder:
    def __init__(self) -> None:
        self.order: list[str] = []
        self.progress = FakeProgress()
        self.stop = threading.Event()

    def step(self, name: str, *needs: str) -> Step:
        return Step(name, name, lambda note: self.order.append(name), needs)

    def run(self, *steps: Step) -> None:
        run_steps(steps, self.progress, self.stop)


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


def test_a_step_comes_after_what_it_needs(recorder: Recorder) -> None:
    recorder.run(recorder.step("c", "b"), recorder.step("b", "a"), recorder.step("a"))
    assert recorder.order == ["a", "b", "c"]


def test_a_need_that_is_no_step_counts_as_done(recorder: Recorder) -> None:
    recorder.run(recorder.step("a", "elsewhere"))
    assert recorder.order == ["a"]


def test_independent_steps_run_side_by_side(recorder: Recorder) -> None:
    meeting = threading.Barrier(2, timeout=10)

    def meet(note: Note) -> None:
        meeting.wait()

    recorder.run(*(Step(name, name, meet) for name in ("a", "b")))
    assert {step[:2] for step in recorder.progress.steps} == {("a", "done"), ("b", "done")}


def test_a_failure_ends_the_rest_and_is_raised(recorder: Recorder) -> None:
    def fail(note: Note) -> None:
        raise ToolError(problems.KIND_MISSING)

    with pytest.raises(ToolError):
        recorder.run(Step("a", "a", fail), recorder.step("b", "a"))
    assert recorder.order == []
    assert recorder.stop.is_set()


def test_who_is_cancelled_by_a_failure_does_not_hide_it(recorder: Recorder) -> None:
    def fail(note: Note) -> None:
        raise ToolError(problems.KIND_MISSING)

    def wait(note: Note) -> None:
        assert recorder.stop.wait(10)
        raise Cancelled

    with pytest.raises(ToolError):
        recorder.run(Step("a", "a", wait), Step("b", "b", fail))


def test_a_bug_is_told_before_an_expected_error(recorder: Recorder) -> None:
    both = threading.Barrier(2, timeout=10)

    def fail(note: Note) -> None:
        both.wait()
        raise ToolError(problems.KIND_MISSING)

    def bug(note: Note) -> None:
        both.wait()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        recorder.run(Step("a", "a", fail), Step("b", "b", bug))


def test_notes_stand_beside_their_step(recorder: Recorder) -> None:
    recorder.run(Step("a", "label", lambda note: note("3 files")))
    assert recorder.progress.steps == [("label", "done", "3 files")]
