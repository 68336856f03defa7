from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from devenv.config.model import Dependency, Environment, Hook, Origin, Real, Secret, Service
from devenv.errors import Refused
from devenv.flows.trust import FileCommand, commands_of, hook_commands, require_trust
from tests.fakes.host import FakeTrust

ROOT = Path("/p")
HERE = Origin(ROOT / "devenv.yaml", 4, 9)
COMMAND = FileCommand("hooks.before_up", ("make", "certs"), HERE, ROOT)


def shop(mode: str = "real") -> Environment:
    secrets = {
        "A": Secret("exec", HERE, exec=("vault", "read", "a")),
        "B": Secret("env", HERE, env="B"),
        "C": Secret("exec", HERE, exec=("vault", "read", "a")),
    }
    web = Service("web", None, "x", {}, {}, None, (), None, (), (), HERE, secrets)
    there = Origin(Path("/elsewhere/p.yaml"), 2, 2)
    real = Real("x", {}, secrets={"P": Secret("exec", there, exec=("sh", "-c", "pass p"))})
    db = Dependency("db", mode, None, real, HERE)  # type: ignore[arg-type]
    hooks = (Hook("before_up", ("make",), HERE), Hook("before_down", ("dump",), HERE))
    return Environment("shop", ROOT, "default", {"web": web}, {"db": db}, hooks)


def refuse(commands: Sequence[FileCommand]) -> bool:
    return False


def test_the_commands_of_an_environment_each_once() -> None:
    assert [command.line for command in commands_of(shop())] == [
        "devenv.yaml:4  hooks.before_up  make",
        "devenv.yaml:4  hooks.before_down  dump",
        "devenv.yaml:4  services.web.env.A  vault read a",
        "/elsewhere/p.yaml:2  dependencies.db.real.env.P  pass p",
    ]
    assert [c.where for c in commands_of(shop("off"), hooks=())] == ["services.web.env.A"]
    assert [c.command for c in hook_commands(shop(), "before_down")] == [("dump",)]


@pytest.mark.parametrize(
    "changed",
    [
        replace(COMMAND, command=("make", "certs2")),
        replace(COMMAND, command=("make certs",)),
        replace(COMMAND, origin=replace(HERE, file=ROOT / "devenv.local.yaml")),
        replace(COMMAND, root=Path("/q")),
    ],
)
def test_a_yes_is_for_exactly_this_command_of_this_file_in_this_folder(changed: FileCommand) -> None:
    assert changed.digest != COMMAND.digest


def test_a_yes_holds_wherever_in_its_file_the_command_stands() -> None:
    assert replace(COMMAND, origin=replace(HERE, line=9), where="hooks.after_up").digest == COMMAND.digest


def test_it_is_asked_once() -> None:
    trust, asked = FakeTrust(), []

    def ask(commands: Sequence[FileCommand]) -> bool:
        asked.append([command.where for command in commands])
        return True

    commands = commands_of(shop())
    require_trust(commands[:1], trust, ask)
    require_trust(commands[:1], trust, ask)
    require_trust(commands, trust, ask)
    assert asked == [["hooks.before_up"], [command.where for command in commands[1:]]]
    require_trust(commands, trust, refuse)
    trust.remove([commands[0].digest])
    with pytest.raises(Refused):
        require_trust(commands, trust, refuse)


def test_a_no_is_refused_with_what_would_have_run_and_not_remembered() -> None:
    trust = FakeTrust()
    with pytest.raises(Refused) as caught:
        require_trust([COMMAND], trust, refuse)
    assert caught.value.code == "trust-missing"
    assert caught.value.message == "1 command of your files may not run on this machine yet"
    assert caught.value.details == ("devenv.yaml:4  hooks.before_up  make certs",)
    assert trust.known() == frozenset()


def test_nothing_to_run_asks_nothing() -> None:
    require_trust([], FakeTrust(), refuse)


def test_nothing_of_a_command_can_hide_at_the_prompt() -> None:
    sly = replace(COMMAND, command=("sh", "-c", "echo hi\x1b[2K\r; rm -rf ~\n\u202egnp.exe \u00e4"))
    assert sly.line.endswith("echo hi\\x1b[2K\\r; rm -rf ~\\n\\u202egnp.exe ä")
