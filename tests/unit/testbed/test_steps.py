"""Steps: skipped when there, in the order of their needs, stopped by the first failure."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from tests.testbed.commands import TestbedError
from tests.testbed.places import Places
from tests.testbed.steps import Step, carry_out_all, is_there


@dataclass(slots=True)
class World:
    """Records what steps did, and holds what they made."""

    made: list[str] = field(default_factory=list)
    there: set[str] = field(default_factory=set)
    keys: dict[str, str] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)

    def make(self, name: str, log: Path) -> None:
        if name in self.broken:
            raise TestbedError("no luck")
        self.made.append(name)
        self.there.add(name)

    def step(self, name: str, lane: str = "a", needs: tuple[str, ...] = ()) -> Step:
        key: Callable[[], str] = partial(self.keys.get, name, "1")  # type: ignore[assignment]
        return Step(name, lane, key, lambda: name in self.there, partial(self.make, name), needs)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    for folder in ("logs", "stamps"):
        (tmp_path / folder).mkdir()
    return Places(tmp_path)


def test_a_second_run_does_nothing(places: Places) -> None:
    world = World()
    steps = [world.step("one"), world.step("two")]
    carry_out_all(steps, places)
    carry_out_all(steps, places)
    assert world.made == ["one", "two"]
    assert all(is_there(step, places) for step in steps)


def test_a_changed_input_makes_the_step_run_again(places: Places) -> None:
    world = World()
    carry_out_all([world.step("one"), world.step("two")], places)
    world.keys["two"] = "2"
    carry_out_all([world.step("one"), world.step("two")], places)
    assert world.made == ["one", "two", "two"]


def test_a_lost_result_makes_the_step_run_again(places: Places) -> None:
    world = World()
    carry_out_all([world.step("one")], places)
    world.there.clear()
    carry_out_all([world.step("one")], places)
    assert world.made == ["one", "one"]


def test_needs_are_met_across_lanes(places: Places) -> None:
    world = World()
    carry_out_all([world.step("late", "a", ("early",)), world.step("early", "b")], places)
    assert world.made == ["early", "late"]


def test_in_a_lane_the_first_step_that_can_run_runs(places: Places) -> None:
    world = World()
    carry_out_all([world.step("late", "a", ("early",)), world.step("early"), world.step("last")], places)
    assert world.made == ["early", "late", "last"]


def test_the_first_failure_stops_both_lanes(places: Places) -> None:
    world = World(broken={"bad"})
    steps = [world.step("bad"), world.step("after"), world.step("other", "b", ("after",))]
    with pytest.raises(TestbedError, match="bad: no luck"):
        carry_out_all(steps, places)
    assert world.made == []


def test_a_step_that_nobody_makes_is_a_mistake_of_the_plan(places: Places) -> None:
    with pytest.raises(ValueError, match="nowhere"):
        carry_out_all([World().step("one", "a", ("nowhere",))], places)
