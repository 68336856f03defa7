from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from devenv.sync.debounce import Debounce, Decision, is_held


def test_nothing_happened_nothing_is_due() -> None:
    debounce = Debounce()
    assert debounce.decide(now=1.0) == Decision()
    assert debounce.wait(now=1.0) == math.inf


def test_a_settled_change_goes_at_once() -> None:
    debounce = Debounce()
    debounce.note("a", settled=True, now=1.0)
    assert debounce.wait(now=1.0) == 0
    assert debounce.decide(now=1.0).send == {"a"}
    assert debounce.idle


def test_an_unsettled_change_waits_for_quiet() -> None:
    debounce = Debounce()
    debounce.note("a", settled=False, now=1.0)
    assert not debounce.decide(now=1.01).send
    assert 0 < debounce.wait(now=1.01) <= 0.015
    assert debounce.decide(now=1.016).send == {"a"}


def test_a_write_that_goes_on_is_sent_after_100_ms() -> None:
    debounce = Debounce()
    for tick in range(10):
        debounce.note("a", settled=False, now=1.0 + tick / 100)
        assert not debounce.decide(now=1.0 + tick / 100).send
    debounce.note("a", settled=False, now=1.1)
    assert debounce.decide(now=1.1).send == {"a"}


def test_closing_a_file_settles_it() -> None:
    debounce = Debounce()
    debounce.note("a", settled=False, now=1.0)
    debounce.note("a", settled=True, now=1.001)
    assert debounce.decide(now=1.001).send == {"a"}
    assert debounce.idle


def test_a_reload_waits_for_quiet() -> None:
    debounce = Debounce()
    debounce.note("a", settled=True, now=1.0)
    debounce.decide(now=1.0)
    debounce.want_reload(now=1.005)
    assert not debounce.decide(now=1.01).reload
    assert debounce.decide(now=1.016).reload
    assert debounce.idle


def test_a_reload_comes_after_a_second_even_without_quiet() -> None:
    debounce = Debounce()
    debounce.want_reload(now=1.0)
    debounce.note("a", settled=True, now=1.999)
    assert not debounce.decide(now=1.999).reload
    debounce.note("b", settled=False, now=2.0)
    assert debounce.decide(now=2.0).reload


def test_a_lock_holds_until_it_is_old() -> None:
    assert not is_held(None)
    assert is_held(4.9)
    assert not is_held(5.0)


EVENTS = st.lists(st.tuples(st.sampled_from("abc"), st.booleans(), st.floats(0, 0.03)), max_size=30)


@given(events=EVENTS)
def test_every_path_is_sent_after_its_last_event(events: list[tuple[str, bool, float]]) -> None:
    debounce, now, owed = Debounce(), 0.0, set()
    for path, settled, pause in events:
        now += pause
        debounce.note(path, settled=settled, now=now)
        owed.add(path)
        owed -= debounce.decide(now=now).send
    now += debounce.wait(now=now) if owed else 0
    assert owed == debounce.decide(now=now).send
    assert debounce.idle
