"""What `devenv status` tells of a session."""

from __future__ import annotations

from dataclasses import asdict

from devenv import problems
from devenv.cli.status import session_lines
from devenv.errors import SyncError
from devenv.health.program import Program
from devenv.session.sync.outcome import Outcome
from devenv.session.sync.reasons import Reason
from devenv.session.sync.troubles import Troubles, rebuilds


def lines_of(troubles: Troubles) -> list[str]:
    return session_lines({"pid": 7, "synced": False, "problems": [asdict(each) for each in troubles.all()]})


def test_a_loss_of_files_that_waits_for_a_yes_is_told_with_the_command() -> None:
    troubles = Troubles()
    loss = SyncError(problems.SYNC_LOSS, service="orders", gone=30, files=31)
    troubles.note(Outcome("orders", "orders-1", problem=loss))
    head, what, cure = lines_of(troubles)
    assert head == "session 7: not in sync yet"
    assert what.startswith("  orders held: orders can't be synced: 30 of its 31 files are gone")
    assert cure == "    bring the files back; if they are gone for good: devenv sync accept orders"


def test_what_another_pod_did_well_does_not_hide_a_problem() -> None:
    troubles = Troubles()
    failed = SyncError(problems.SYNC_FAILED, service="orders", reason="it is read-only")
    troubles.note(Outcome("orders", "orders-1", problem=failed))
    troubles.note(Outcome("orders", "orders-2", files=1))
    troubles.note(Outcome("orders", "orders-1", program=Program("crashed", 1, 1, synced=True)))
    assert [line.partition(":")[0] for line in lines_of(troubles)[1:2]] == ["  orders failed"]
    assert troubles.of("orders") is failed
    troubles.keep({"orders": {"orders-2"}})
    assert troubles.of("orders") is None
    assert lines_of(troubles)[1:] == []


def test_what_is_mended_is_told_no_more() -> None:
    troubles = Troubles()
    failed = SyncError(problems.SYNC_FAILED, service="orders", reason="it is read-only")
    troubles.note(Outcome("orders", "orders-1", problem=failed))
    troubles.note(Outcome("orders", "orders-1"))
    assert troubles.all() == []


def test_an_image_that_must_be_built_anew_is_told_with_the_command() -> None:
    reason = Reason("rebuild", "orders/uv.lock", "devenv.yaml:14", "rebuild")
    rebuild = [asdict(each) for each in rebuilds({"orders": (reason,), "users": ()})]
    assert session_lines({"pid": 7, "synced": True, "problems": [], "rebuild": rebuild}) == [
        "session 7: in sync",
        "  orders stale: orders/uv.lock matches rebuild rule at devenv.yaml:14",
        "    build it anew: devenv up",
    ]
