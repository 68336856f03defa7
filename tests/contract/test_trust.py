"""What every Trust does, on a fake and on a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from devenv.host.trust_file import TrustFile
from devenv.ports import Trust
from tests.fakes.host import FakeTrust

FILE = Path("/p/devenv.yaml")


@pytest.fixture(params=["fake", "real"])
def trust(request: pytest.FixtureRequest, tmp_path: Path) -> Trust:
    return FakeTrust() if request.param == "fake" else TrustFile(tmp_path / "state" / "trust.json")


def test_it_knows_what_was_added_and_not_removed(trust: Trust) -> None:
    assert trust.known() == frozenset()
    trust.add({"one": FILE, "two": FILE})
    trust.add({"two": FILE, "three": FILE})
    trust.remove(["one", "never there"])
    assert trust.known() == {"two", "three"}


def test_nothing_to_add_or_remove_changes_nothing(trust: Trust) -> None:
    trust.add({"one": FILE})
    trust.add({})
    trust.remove([])
    assert trust.known() == {"one"}
