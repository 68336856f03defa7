"""Sync on the real cluster: what it must survive, by the numbers of the suite in docs/explanation/sync.md."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cluster.trees import TreeProject, tree
from tests.conftest import CLUSTER
from tests.scale import scaled, seconds

__all__ = ["tree"]
pytestmark = [pytest.mark.cluster, pytest.mark.timeout(seconds(300))]

READS = 10_000
READER = f"""
import sys
torn = missing = 0
print("reads", flush=True)
for _ in range({READS}):
    try:
        with open("/app/src/page", "rb") as file:
            content = file.read()
    except FileNotFoundError:
        missing += 1
        continue
    torn += len(set(content)) != 1 or len(content) != 50_000
print(torn, missing, flush=True)
"""
KILL = """
import os, signal, sys
for pid in set(filter(str.isdigit, os.listdir("/proc"))) - {str(os.getpid())}:
    try:
        words = open(f"/proc/{pid}/cmdline", "rb").read().split(b"\\0")
    except OSError:
        continue
    if all(word.encode() in words for word in sys.argv[1:]):
        os.kill(int(pid), signal.SIGKILL)
"""


def restarts(tree: TreeProject) -> int:
    """How often the container was started anew."""
    path = "jsonpath={.items[*].status.containerStatuses[*].restartCount}"
    return sum(map(int, tree.kubectl("get", "pods", "-l", "dev.devenv/unit=app", "-o", path).split()))


def fill(folder: Path, count: int, *, text: str) -> None:
    for index in range(count):
        place = folder / f"part-{index // 50}" / f"file-{index}.txt"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"{text} {index}\n")


def test_s5_a_checkout_is_one_batch_and_one_reload(tree: TreeProject) -> None:
    count = scaled(1000, full=10_000)
    tree.git("init", "-q", "-b", "one")
    fill(tree.source / "many", count, text="one")
    tree.git("add", ".")
    tree.git("commit", "-qm", "one")
    tree.git("checkout", "-qb", "two")
    fill(tree.source / "many", count // 5, text="two")
    tree.git("commit", "-qam", "two")
    tree.git("checkout", "-q", "one")
    tree.settle()
    before = tree.session_log().count("reloaded app")
    tree.git("checkout", "-q", "two")
    tree.settle()
    assert tree.session_log().count("reloaded app") == before + 1
    tree.git("checkout", "-q", "one")
    tree.settle()


def test_s9_s8_links_and_names_of_all_kinds(tree: TreeProject) -> None:
    odd = tree.source / "odd"
    odd.mkdir()
    for name in ("a b", 'quo"te', "new\nline", "-dash", "*", "caf\u00e9", "cafe\u0301", "co:lon", "n" * 255):
        (odd / name).write_text(name)
    Path(os.fsdecode(os.fsencode(odd) + b"/\xff\xfe")).write_text("no UTF-8")
    (odd / "dangling").symlink_to("nothing")
    (odd / "to-folder").symlink_to(".")
    (odd / "run").write_text("#!/bin/sh\n")
    (odd / "run").chmod(0o755)
    tree.settle()


def test_s16_a_reader_never_sees_half_a_file_or_none(tree: TreeProject) -> None:
    page = tree.source / "page"
    page.write_bytes(b"a" * 50_000)
    tree.settle()
    said: list[str] = []
    reader = threading.Thread(target=lambda: said.append(tree.exec("python", "-c", READER)))
    reader.start()
    saves = 0
    while reader.is_alive():
        beside = page.with_name(".page.swp")
        beside.write_bytes(bytes([97 + saves % 26]) * 50_000)
        beside.rename(page)
        saves += 1
        time.sleep(0.005)
    reader.join()
    assert said[0].split() == ["reads", "0", "0"]
    assert saves > 20
    tree.settle()


def test_s14_streams_killed_in_the_midst(tree: TreeProject) -> None:
    for round_ in range(scaled(2, full=20)):
        fill(tree.source / "storm", 300, text=f"round {round_}")
        tree.exec("python", "-c", KILL, "serve")
        fill(tree.source / "storm", 100, text=f"later {round_}")
        tree.exec("python", "-c", KILL, "serve")
    tree.settle()
    assert not any(".devenv-stage" in path for path in tree.there())


def test_s14_a_program_killed_keeps_its_container(tree: TreeProject) -> None:
    before = restarts(tree)
    tree.exec("python", "-c", KILL, "python", "/app/src/main.py")
    tree.write("src/main.py", (tree.source / "main.py").read_text() + "# again\n")
    tree.settle()
    deadline = time.monotonic() + 20
    while "main.py" not in tree.exec("sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"):
        assert time.monotonic() < deadline
    assert restarts(tree) == before


def test_s14_a_container_that_dies_starts_at_once_from_what_was_synced(tree: TreeProject) -> None:
    before = restarts(tree)
    node = f"{CLUSTER}-control-plane"
    kill = (
        "for p in /proc/[0-9]*; do "
        "tr '\\0' ' ' <$p/cmdline 2>/dev/null | grep -q '^/.devenv/bin/agent init .*/app/src/main.py' "
        "&& kill -9 ${p#/proc/}; done; true"
    )
    tree.write("src/late.txt", "saved before it died")
    tree.settle()
    assert tree.machine.run("docker", "exec", node, "sh", "-c", kill).code == 0
    deadline = time.monotonic() + 60
    while restarts(tree) == before:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    tree.write("src/late.txt", "saved after it died")
    tree.settle()


def test_s14_a_pod_that_goes_and_one_that_is_rolled_out_get_everything(tree: TreeProject) -> None:
    tree.kubectl("delete", "pod", "-l", "dev.devenv/unit=app", "--wait=false")
    tree.write("src/late.txt", "saved while there was no pod")
    tree.kubectl("rollout", "status", "deploy/app", "--timeout=60s")
    tree.settle()
    tree.edit("devenv.yaml", 'ROUND: "0"', 'ROUND: "1"')
    assert tree.devenv("up", "-d").code == 0
    tree.settle()


def test_s15_another_machine_is_told_who_holds_the_pods_and_may_take_over(tree: TreeProject, tmp_path: Path) -> None:
    folders = {"XDG_RUNTIME_DIR": str(tmp_path / "r"), "XDG_STATE_HOME": str(tmp_path / "s")}
    machine = replace(tree.machine, env={**tree.machine.env, **folders})
    other = TreeProject(machine, tree.folder, tree.name)
    refused = other.devenv("up", "-d")
    assert (refused.code != 0, "process" in refused.text, "--take-over" in refused.text) == (True, True, True), refused
    taken = other.devenv("up", "-d", "--take-over")
    assert taken.code == 0, taken.text
    other.write("src/late.txt", "by the other machine")
    other.settle()
    back = tree.devenv("up", "-d", "--take-over")
    assert back.code == 0, back.text
    tree.write("src/late.txt", "by the first again")
    tree.settle()


def test_s18_what_is_not_ours_stays_and_a_wipe_is_refused(tree: TreeProject) -> None:
    tree.exec("touch", "/app/src/foreign")
    tree.write("src/mine.txt", "mine")
    assert tree.devenv("wait", "--for", "synced").code == 0
    assert "foreign" in tree.there()
    tree.exec("rm", "/app/src/foreign")
    gone = tree.folder / "away"
    (tree.source / "many").rename(gone)
    done = tree.devenv("wait", "--for", "synced", "--timeout", "3s")
    assert done.code != 0
    assert "nothing was deleted" in done.err, done.text
    assert "devenv sync accept" in done.err
    for command in (["status"], ["sync", "status"]):
        told = tree.devenv(*command).text
        assert " held: app can't be synced: " in told, told
        assert "devenv sync accept app" in told
    assert any(path.startswith("many/") for path in tree.there())
    gone.rename(tree.source / "many")
    tree.settle()


def test_what_was_changed_in_a_container_is_put_right_by_the_running_session(tree: TreeProject) -> None:
    tree.write("src/mine.txt", "mine")
    assert tree.devenv("wait", "--for", "synced").code == 0
    tree.exec("sh", "-c", "echo by hand > /app/src/mine.txt")
    found = tree.devenv("sync", "verify")
    assert (found.code, "verify --fix" in found.err) == (14, True), found.text
    fixed = tree.devenv("sync", "verify", "--fix")
    assert (fixed.code, "fixed: " in fixed.out) == (0, True), fixed.text
    tree.settle()
