"""What `devenv sync` answers, by the session's handlers and without a session."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devenv.config.model import SyncRule
from devenv.errors import ClusterError, SyncError, UsageError
from devenv.plan.marks import ENVIRONMENT, MANAGED_BY, UNIT
from devenv.session.sync.reached import reach_for_a_moment
from devenv.session.sync.sync_requests import SyncRequests
from devenv.session.sync.sync_verify import verify
from devenv.sync.places import AGENT
from tests.fakes.kube import FakeObjects
from tests.unit.session.agent_scene import AgentScene


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[AgentScene]:
    scene = AgentScene(tmp_path)
    scene.write("main.py", "one")
    scene.write("pkg/mod.py", "one")
    scene.write(".gitignore", "*.log\n")
    with scene.loop:
        scene.wait_synced()
        yield scene


def ask(scene: AgentScene, op: str, **parameters: Any) -> Any:
    return SyncRequests({"orders": scene.loop}).handlers[op]({"op": op, **parameters})


def pull(scene: AgentScene, path: object, *, force: bool = False) -> list[tuple[str, str]]:
    files = ask(scene, "sync-pull", service="orders", path=str(path), force=force)["files"]
    return [(os.path.basename(done["local"]), done["result"]) for done in files]


def test_the_status_is_plain_values(scene: AgentScene) -> None:
    [status] = ask(scene, "sync-status")["services"]
    assert status["replicas"][0]["program"]["state"] == "runs"
    with pytest.raises(UsageError, match="no service with sync") as error:
        ask(scene, "sync-status", service="nobody")
    assert error.value.code == "no-sync"
    assert error.value.hint == "with sync: there are orders"


def test_verify_names_what_differs(scene: AgentScene) -> None:
    [same] = ask(scene, "sync-verify")["services"]
    assert (same["compared"], same["differences"]) == (4, ())
    (scene.target / "main.py").write_text("two")
    (scene.target / "pkg/mod.py").chmod(0o755)
    (scene.target / ".gitignore").unlink()
    (scene.target / ".gitignore").mkdir()
    (scene.target / "foreign").touch()
    [found] = ask(scene, "sync-verify")["services"]
    told = {os.path.basename(one["place"]): one["what"] for one in found["differences"]}
    assert told == {"main.py": "content", "mod.py": "mode", ".gitignore": "kind"}
    assert found["differences"][0]["local"].startswith(str(scene.source))


def test_verify_finds_what_is_missing(scene: AgentScene) -> None:
    (scene.target / "main.py").unlink()
    [found] = ask(scene, "sync-verify", service="orders")["services"]
    assert [(one["what"], one["pod"]) for one in found["differences"]] == [("missing", "orders-1")]


def test_verify_has_the_running_session_send_what_differs(scene: AgentScene) -> None:
    (scene.target / "main.py").write_text("by hand")
    (scene.target / "pkg/mod.py").chmod(0o755)
    (scene.target / ".gitignore").unlink()
    (scene.target / "ours").touch()
    scene.box.records[str(scene.target)].add("ours")
    (scene.target / "foreign").touch()
    streams = len(scene.boxes.streams)
    [found] = ask(scene, "sync-verify", fix=True)["services"]
    assert found["differences"] == ()
    told = {os.path.basename(one["place"]): one["what"] for one in found["fixed"]}
    assert told == {"main.py": "content", "mod.py": "mode", ".gitignore": "missing", "ours": "extra"}
    (scene.target / "foreign").unlink()
    scene.expect_equal()
    assert len(scene.boxes.streams) == streams
    [same] = ask(scene, "sync-verify", fix=True)["services"]
    assert (same["differences"], same["fixed"]) == ((), ())


def test_what_can_not_be_fixed_is_still_named(scene: AgentScene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devenv.session.sync.sync_requests.VERIFY_SECONDS", 0.5)
    (scene.target / "main.py").write_text("by hand")
    (scene.target / "pkg/mod.py").write_text("by hand")
    scene.box.refusals["main.py"] = errno.EACCES
    [found] = ask(scene, "sync-verify", fix=True)["services"]
    assert [os.path.basename(one["place"]) for one in found["differences"]] == ["main.py"]
    assert [os.path.basename(one["place"]) for one in found["fixed"]] == ["mod.py"]
    scene.box.refusals.clear()
    scene.wait_synced()


def test_verify_alone_changes_nothing(scene: AgentScene) -> None:
    (scene.target / "main.py").write_text("by hand")
    for _ in range(2):
        [found] = ask(scene, "sync-verify")["services"]
        assert [one["what"] for one in found["differences"]] == ["content"]
    assert (scene.target / "main.py").read_text() == "by hand"


def test_a_generated_file_comes_back_and_is_not_sent_again(scene: AgentScene) -> None:
    (scene.target / "gen").mkdir()
    (scene.target / "gen/out.py").write_text("made")
    (scene.target / "gen/out.py").chmod(0o755)
    starts = scene.box.starts
    assert pull(scene, scene.source / "gen/out.py") == [("out.py", "pulled")]
    assert (scene.source / "gen/out.py").read_text() == "made"
    assert os.access(scene.source / "gen/out.py", os.X_OK)
    scene.changed(scene.source / "gen/out.py")
    scene.wait_synced()
    assert pull(scene, scene.source / "gen") == [("out.py", "same")]
    assert scene.box.starts <= starts + 1  # for the folder, which is new


def test_a_glob_and_a_path_of_the_container(scene: AgentScene) -> None:
    for name in ("a.lock", "b.lock", "c.txt"):
        (scene.target / name).write_text(name)
    assert pull(scene, scene.target / "*.lock") == [("a.lock", "pulled"), ("b.lock", "pulled")]
    assert pull(scene, scene.source / "c*") == [("c.txt", "pulled")]
    assert sorted(path.name for path in scene.source.glob("*.*")) == [
        ".gitignore",
        "a.lock",
        "b.lock",
        "c.txt",
        "main.py",
    ]


def test_a_local_file_that_differs_is_left_alone_unless_forced(scene: AgentScene) -> None:
    scene.write("out.lock", "mine")
    scene.wait_synced()
    (scene.target / "out.lock").write_text("theirs")
    assert pull(scene, scene.source / "out.lock") == [("out.lock", "differs")]
    assert (scene.source / "out.lock").read_text() == "mine"
    assert pull(scene, scene.source / "out.lock", force=True) == [("out.lock", "pulled")]
    assert (scene.source / "out.lock").read_text() == "theirs"


def test_nothing_is_written_outside_the_source(scene: AgentScene, tmp_path: Path) -> None:
    (scene.source / "away").symlink_to(tmp_path)
    (scene.target / "away").mkdir()
    (scene.target / "away/x").write_text("x")
    (tmp_path / "other").write_text("x")
    assert pull(scene, scene.target / "away/x") == [("x", "refused")]
    assert pull(scene, tmp_path / "other") == [("", "refused")]
    assert pull(scene, f"{scene.target}/pkg/../../../other") == [("other", "refused")]
    assert not (tmp_path / "x").exists()
    with pytest.raises(SyncError, match="nothing at"):
        pull(scene, scene.target / "*.nothing")


def explain(scene: AgentScene, path: object) -> tuple[str, str]:
    [found] = ask(scene, "sync-explain", path=str(path))["rules"]
    return found["state"], found["why"]


def test_explain_says_why(scene: AgentScene) -> None:
    (scene.source / "out").symlink_to("/etc/passwd")
    scene.save("x.log", "x")
    scene.changed(scene.source / "out")
    scene.wait_synced()
    assert explain(scene, scene.source / "main.py") == ("synced", "by the rule at devenv.yaml:14")
    assert explain(scene, scene.source / "x.log") == ("ignored", "x.log is ignored by .gitignore:1: *.log")
    assert explain(scene, scene.source / "out") == ("skipped", "a link that leads out of its source is not sent")
    assert explain(scene, scene.source / "no") == ("absent", "it is not there")
    assert explain(scene, "/elsewhere") == ("outside", "no sync rule's source holds it")
    (scene.target / "main.py").write_text("two")
    assert explain(scene, scene.source / "main.py")[0] == "behind"


class Cluster:
    context = "fake"

    def __init__(self, scene: AgentScene, *pods: dict[str, Any]) -> None:
        self.objects = FakeObjects(*pods)
        self.pods = scene.pods

    def uid(self) -> str:
        return "uid"


def pod(name: str) -> dict[str, Any]:
    running = {"name": "orders", "containerID": "containerd://x", "state": {"running": {"startedAt": "now"}}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": "shop",
            "labels": {MANAGED_BY: "devenv", ENVIRONMENT: "shop", UNIT: "orders"},
            "annotations": {AGENT: "orders"},
        },
        "status": {"containerStatuses": [running]},
    }


def test_without_a_session_nothing_is_sent_and_both_sides_are_compared(scene: AgentScene) -> None:
    scene.loop.__exit__(None, None, None)
    scene.write("main.py", "changed since")
    cluster = Cluster(scene, pod("orders-1"))
    with reach_for_a_moment(scene.loop.service, cluster, environment="shop", namespace="shop") as reached:
        found = verify(reached)
    assert [(one.what, Path(one.local).name) for one in found.differences] == [("content", "main.py")]
    assert (scene.target / "main.py").read_text() == "one"


def test_without_a_pod_there_is_nothing_to_compare(scene: AgentScene) -> None:
    with (
        pytest.raises(ClusterError) as error,
        reach_for_a_moment(scene.loop.service, Cluster(scene), environment="shop", namespace="shop"),
    ):
        pass
    assert error.value.code == "no-pod"


def test_a_rule_of_one_file_is_explained_and_verified(tmp_path: Path) -> None:
    scene = AgentScene(tmp_path)
    (tmp_path / "single.toml").write_text("x")
    scene.rules = [SyncRule(tmp_path / "single.toml", f"{scene.target}/renamed.toml", is_file=True)]
    with scene.make_loop():
        scene.wait_synced()
        assert explain(scene, tmp_path / "single.toml")[0] == "synced"
        (scene.target / "renamed.toml").write_text("y")
        assert pull(scene, tmp_path / "single.toml", force=True) == [("single.toml", "pulled")]
    assert (tmp_path / "single.toml").read_text() == "y"


def test_what_is_gits_own_is_not_pulled(scene: AgentScene) -> None:
    hook = scene.target / ".git/hooks/post-checkout"
    hook.parent.mkdir(parents=True)
    hook.write_text("#!/bin/sh\n")
    assert ("post-checkout", "refused") in pull(scene, f"{scene.target}/**")
    assert not (scene.source / ".git").exists()
