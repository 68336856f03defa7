"""S19: random edits under random faults, against the fake agent."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from devenv.session.sync import replica
from tests import scale
from tests.unit.session.machine import SyncMachine
from tests.unit.session.worlds import FakeWorld

RUNS = scale.scaled(25, full=1000)
SETTINGS = settings(
    max_examples=RUNS,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    # What fails here fails by waiting, so that to look for a shorter run would take hours.
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)


@pytest.mark.timeout(scale.seconds())
def test_s19_nothing_diverges_whatever_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    # The waits between attempts are for clusters; here they would only make the runs longer.
    monkeypatch.setattr(replica, "FIRST_RETRY", 0.005)
    monkeypatch.setattr(replica, "LONGEST_RETRY", 0.05)

    class FakeMachine(SyncMachine):
        make_world = staticmethod(FakeWorld)

    run_state_machine_as_test(FakeMachine, settings=SETTINGS)
