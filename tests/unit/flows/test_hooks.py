from __future__ import annotations

from pathlib import Path

import pytest

from devenv.config.model import Environment, Hook, Origin
from devenv.errors import ToolError
from devenv.flows.hooks import run_hooks
from devenv.host.commands import LocalCommands
from tests.fakes.clusters import FakeClusters
from tests.fakes.host import FakeCommands
from tests.fakes.terminal import FakeProgress
from tests.fakes.world import FakeKube, fake_world


def environment(root: Path, *hooks: tuple[str, tuple[str, ...]]) -> Environment:
    here = Origin(root / "devenv.yaml", 1, 1)
    return Environment("shop", root, "default", {}, {}, tuple(Hook(when, command, here) for when, command in hooks))


def test_the_commands_of_one_hook_run_in_order_in_the_projects_folder(tmp_path: Path) -> None:
    commands, progress = FakeCommands(), FakeProgress()
    commands.answers["one"] = (0, "hello\nthere\n")
    shop = environment(
        tmp_path, ("before_up", ("one", "a b")), ("after_up", ("no",)), ("before_up", ("sh", "-c", "two | x\n"))
    )
    run_hooks(shop, "before_up", fake_world(tmp_path, FakeKube(), commands=commands, progress=progress))
    assert commands.lines == ["one a b", "sh -c two | x\n"]
    assert {command.cwd for command in commands.calls} == {tmp_path}
    assert commands.calls[0].env == {
        "DEVENV_ENVIRONMENT": "shop",
        "DEVENV_NAMESPACE": "shop",
        "DEVENV_CONTEXT": "kind-devenv",
    }
    assert progress.notes == ["  hello", "  there"]
    assert [step[:2] for step in progress.steps] == [("before_up: one 'a b'", "done"), ("before_up: two | x", "done")]


def test_before_there_is_a_cluster_there_is_no_context(tmp_path: Path) -> None:
    commands = FakeCommands()
    world = fake_world(tmp_path, FakeKube(), commands=commands, clusters=FakeClusters())
    run_hooks(environment(tmp_path, ("before_up", ("one",))), "before_up", world)
    assert commands.calls[0].env["DEVENV_CONTEXT"] == ""


def test_the_first_failure_ends_it_with_its_last_lines(tmp_path: Path) -> None:
    commands = FakeCommands()
    commands.answers["bad"] = (3, "".join(f"line {n}\n" for n in range(40)))
    shop = environment(tmp_path, ("after_up", ("bad",)), ("after_up", ("never",)))
    with pytest.raises(ToolError) as caught:
        run_hooks(shop, "after_up", fake_world(tmp_path, FakeKube(), commands=commands))
    assert caught.value.code == "hook-failed"
    assert caught.value.message == "the hook after_up failed: bad ended with code 3"
    assert caught.value.details[0] == "line 25"
    assert caught.value.details[-1] == "line 39"
    assert commands.lines == ["bad"]


def test_real_commands_see_the_variables(tmp_path: Path) -> None:
    script = tmp_path / "hook.sh"
    script.write_text('#!/bin/sh\necho "$DEVENV_ENVIRONMENT/$DEVENV_NAMESPACE/$DEVENV_CONTEXT" > seen\n')
    script.chmod(0o755)
    world = fake_world(tmp_path, FakeKube(), commands=LocalCommands({}))
    run_hooks(environment(tmp_path, ("before_up", ("./hook.sh",))), "before_up", world)
    assert (tmp_path / "seen").read_text() == "shop/shop/kind-devenv\n"
