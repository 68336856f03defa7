"""What `devenv sync` prints and exits with, for what a session answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer

from devenv import problems
from devenv.cli import sync
from devenv.cli.reach import Reach
from devenv.config.model import Origin, Service, SyncRule
from devenv.errors import ClusterError, SyncError, UsageError
from devenv.health.program import Program
from devenv.session.sync.reasons import Reason
from devenv.session.sync.sync_explain import Explanation
from devenv.session.sync.sync_pull import Pulled
from devenv.session.sync.sync_status import Lag, LastBatch, ReplicaStatus, SyncStatus
from devenv.session.sync.sync_verify import Difference, Verdict
from devenv.session.sync.troubles import state_of, trouble

Answer = Callable[[dict[str, Any]], None]


ORDERS_1 = ReplicaStatus(
    "orders-1",
    "orders",
    "agent",
    "synced",
    connected=True,
    synced=True,
    files=1,
    batches=0,
    last=None,
    lag=None,
    program=None,
    problem=None,
)


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Answer:
    """Sets what the session answers; without a call, there is none."""
    rules = {name: (SyncRule(tmp_path / name, f"/app/{name}"),) for name in ("orders", "users")}
    origin = Origin(tmp_path, 1, 1)
    services = {
        name: Service(name, None, "x", {}, {}, None, rule, None, (), (), origin) for name, rule in rules.items()
    }
    environment = SimpleNamespace(name="shop", services=services)
    world = SimpleNamespace()
    box: dict[str, Any] = {"session": None}
    monkeypatch.setattr(
        sync,
        "reach_session",
        lambda file: Reach(environment, world, None, box["session"]),  # type: ignore[arg-type]
    )

    def set_answer(values: dict[str, Any]) -> None:
        box["session"] = SimpleNamespace(ask=lambda op, **parameters: {"ok": True, **values})

    return set_answer


def test_verify_exits_with_14_where_something_differs(answer: Answer, capsys: pytest.CaptureFixture[str]) -> None:
    difference = Difference("orders-1", "content", "/src/main.py", "/app/main.py")
    answer({"services": [asdict(Verdict("orders", 3, ("orders-1",), (difference,)))]})
    with pytest.raises(SyncError, match="pods of orders: 1 path$") as error:
        sync.verify()
    assert (error.value.code, error.value.exit_code) == ("sync-differs", 14)
    assert "/app/main.py" in capsys.readouterr().out
    with pytest.raises(typer.Exit) as ended:
        sync.verify(output="json")
    assert ended.value.exit_code == 14
    assert json.loads(capsys.readouterr().out)[0]["differences"][0]["what"] == "content"


def test_verify_says_what_it_fixed_and_where_to_look_for_the_rest(
    answer: Answer, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = (Difference("orders-1", "content", f"/src/{name}", f"/app/{name}") for name in ("a.py", "b.py"))
    with pytest.raises(ClusterError, match="no live session"):
        sync.verify(fix=True)
    answer({"services": [asdict(Verdict("orders", 3, ("orders-1",), (), (one,)))]})
    sync.verify(fix=True)
    assert capsys.readouterr().out.startswith("fixed: orders-1:/app/a.py (content)\norders: 3 paths are the same")
    answer({"services": [asdict(Verdict("orders", 3, ("orders-1",), (other,), (one,)))]})
    with pytest.raises(SyncError) as error:
        sync.verify(fix=True)
    assert error.value.hint == "devenv sync status says what keeps it from arriving"


def test_verify_tells_what_it_compared(answer: Answer, capsys: pytest.CaptureFixture[str]) -> None:
    answer({"services": [asdict(Verdict("orders", 3, ("orders-1", "orders-2"), ()))]})
    sync.verify()
    assert capsys.readouterr().out == "orders: 3 paths are the same in orders-1, orders-2\n"


def test_the_status_shows_each_pod(answer: Answer, capsys: pytest.CaptureFixture[str]) -> None:
    replica = replace(
        ORDERS_1,
        files=3,
        batches=2,
        last=LastBatch(1.0, 1, 5, 0, 0.004),
        lag=Lag(2, 0.004, 0.005, 0.006),
        program=Program("crashed", 3, 2, synced=True),
    )
    answer({"services": [asdict(SyncStatus("orders", True, 3, {"/src/pipe": "neither file"}, (replica,)))]})
    sync.status()
    shown = capsys.readouterr().out
    assert "crashed (3)" in shown
    assert "4/5/6 ms" in shown
    assert "not sent: /src/pipe: neither file" in shown
    with pytest.raises(UsageError):
        sync.status("nobody")


@pytest.mark.parametrize("command", [sync.status, sync.verify, sync.accept])
def test_a_service_that_is_mistyped_is_recognized(answer: Answer, command: Callable[[str], None]) -> None:
    answer({"services": []})
    with pytest.raises(UsageError) as error:
        command("ordres")
    assert error.value.message == 'ordres is no service with sync: (did you mean "orders"?)'
    assert error.value.hint == "with sync: there are orders, users"
    with pytest.raises(UsageError, match="no service with sync:$"):
        command("postgres")


def test_what_is_held_is_a_word_in_the_table_and_a_sentence_with_the_way_out_below(
    answer: Answer, capsys: pytest.CaptureFixture[str]
) -> None:
    loss = SyncError(problems.SYNC_LOSS, service="orders", gone=30, files=31)
    state = state_of(loss, synced=False, connected=True)
    replica = replace(ORDERS_1, state=state, synced=False, problem=trouble(loss))
    answer({"services": [asdict(SyncStatus("orders", False, 1, {}, (replica,)))]})
    sync.status()
    head, names, row, *below = capsys.readouterr().out.splitlines()
    assert head == "orders: not in sync, 1 file"
    assert row.split()[:4] == ["orders-1", "held", "1", "0"]
    assert names.index("FILES") == row.index("1", len("orders-1"))
    assert below[0].startswith("  orders-1 held: orders can't be synced: 30 of its 31 files are gone")
    assert below[1].endswith("devenv sync accept orders")
    sync.status(output="json")
    [shown] = json.loads(capsys.readouterr().out)[0]["replicas"]
    assert (shown["state"], shown["problem"]["code"]) == ("held", "sync-loss")


def test_an_image_that_must_be_built_anew_is_a_word_and_a_line_with_the_command(
    answer: Answer, capsys: pytest.CaptureFixture[str]
) -> None:
    reason = Reason("rebuild", "orders/uv.lock", "devenv.yaml:14", "rebuild")
    state = state_of(None, synced=True, connected=True, stale=True)
    replica = replace(ORDERS_1, state=state, rebuild=(reason,))
    answer({"services": [asdict(SyncStatus("orders", True, 1, {}, (replica,)))]})
    sync.status()
    _, _, row, *below = capsys.readouterr().out.splitlines()
    assert row.split()[:2] == ["orders-1", "stale"]
    assert below[:2] == [
        "  orders-1 stale: orders/uv.lock matches rebuild rule at devenv.yaml:14",
        "    build it anew: devenv up",
    ]


def test_what_is_gone_is_accepted(answer: Answer, capsys: pytest.CaptureFixture[str]) -> None:
    answer({"services": [asdict(SyncStatus("orders", True, 3, {}, ()))]})
    sync.accept("orders")
    assert capsys.readouterr().out.startswith("orders: in sync, 3 files")


def test_the_status_needs_a_session(answer: Answer) -> None:
    with pytest.raises(ClusterError) as error:
        sync.status()
    assert error.value.code == "no-session"


def test_pull_says_what_it_left_alone(answer: Answer, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    answer({"files": [asdict(Pulled("/app/orders/x", "/src/x", "pulled"))]})
    sync.pull(str(tmp_path / "orders/x"))
    answer({"files": [asdict(Pulled("/app/orders/x", "/src/x", "differs", "the local file is newer"))]})
    with pytest.raises(typer.Exit) as ended:
        sync.pull(str(tmp_path / "orders/x"))
    assert ended.value.exit_code == 14
    assert capsys.readouterr().out == "pulled: /src/x\ndiffers: /src/x (the local file is newer)\n"


def test_pull_must_know_the_service(answer: Answer) -> None:
    with pytest.raises(UsageError, match="several services: orders, users") as error:
        sync.pull("/app/generated")
    assert error.value.code == "which-service"


def test_explain_shows_where_a_path_goes(answer: Answer, capsys: pytest.CaptureFixture[str]) -> None:
    told = Explanation("orders", "/src/x", "behind", "devenv.yaml:3", "/app/x", "by the rule", (("orders-1", False),))
    answer({"rules": [asdict(told), asdict(Explanation("users", "/src/x", "outside", why="no rule"))]})
    sync.explain(Path("x"))
    assert capsys.readouterr().out == "behind → orders:/app/x: by the rule; not yet in orders-1\n"
