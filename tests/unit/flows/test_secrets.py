from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from devenv.config.model import Dependency, Environment, Origin, Real, Secret, Service, Stub
from devenv.errors import ToolError
from devenv.flows.secrets import look_up, sealed, wanted_secrets
from devenv.flows.world import World
from devenv.host.commands import LocalCommands
from devenv.plan.secrets import TOKEN, secret_name
from devenv.plan.units import units_of
from devenv.problems import COMMAND_FAILED
from tests.fakes.host import FakeCommands
from tests.fakes.terminal import FakeProgress
from tests.fakes.world import FakeKube, fake_world


def shop(root: Path, secrets: dict[str, Secret], *, mode: str = "off") -> Environment:
    here = Origin(root / "devenv.yaml", 4, 9)
    web = Service("web", None, "x", {}, {}, None, (), None, (), (), here, secrets)
    other = replace(web, name="other", secrets={})
    real = Real("x", {}, secrets={"PASSWORD": Secret("env", here, env="PASSWORD")})
    db = Dependency("db", mode, Stub(root, {}), real, here)  # type: ignore[arg-type]
    return Environment("shop", root, "default", {"web": web, "other": other}, {"db": db})


def secret(root: Path, **source: Any) -> Secret:
    return Secret(next(iter(source)), Origin(root / "devenv.yaml", 7, 25), **source)  # type: ignore[arg-type]


def find(environment: Environment, world: World, **options: float) -> dict[str, Any]:
    return dict(look_up(environment, units_of(environment), world, **options))


def missing(environment: Environment, world: World, **options: float) -> tuple[str, list[str]]:
    with pytest.raises(ToolError) as caught:
        find(environment, world, **options)
    assert caught.value.code == "secret-missing"
    return caught.value.message, list(caught.value.details)


def test_from_a_variable_a_file_and_a_command(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from file\n")
    commands = FakeCommands()
    commands.answers["vault read"] = (0, "from command\n\n")
    world = fake_world(tmp_path, FakeKube(), commands=commands, environ={"NAME": " from variable "})
    secrets = {
        "A": secret(tmp_path, env="NAME"),
        "B": secret(tmp_path, file=tmp_path / "key"),
        "C": secret(tmp_path, exec=("vault", "read")),
    }
    found = find(shop(tmp_path, secrets), world)
    assert found == {"web": {"A": " from variable ", "B": "from file", "C": "from command"}}
    (command,) = commands.calls
    assert (command.cwd, command.secret) == (tmp_path, True)
    assert isinstance(world.progress, FakeProgress)
    assert world.progress.steps == [("secrets", "done", "3 looked up")]


def test_nothing_is_said_where_there_are_none(tmp_path: Path) -> None:
    world = fake_world(tmp_path, FakeKube())
    assert find(shop(tmp_path, {}), world) == {}
    assert isinstance(world.progress, FakeProgress)
    assert world.progress.steps == []


def test_a_command_runs_once_a_run(tmp_path: Path) -> None:
    commands = FakeCommands()
    commands.answers["token"] = (0, "x")
    secrets = {"A": secret(tmp_path, exec=("token",)), "B": secret(tmp_path, exec=("token",))}
    found = find(shop(tmp_path, secrets), fake_world(tmp_path, FakeKube(), commands=commands))
    assert (found["web"], commands.lines) == ({"A": "x", "B": "x"}, ["token"])


def test_only_what_is_brought_up_is_looked_up(tmp_path: Path) -> None:
    environment = shop(tmp_path, {"A": secret(tmp_path, env="A")}, mode="real")
    assert list(wanted_secrets(environment, units_of(environment))) == ["db", "web"]
    assert list(wanted_secrets(environment, units_of(environment, ["other"]))) == []
    stubbed = shop(tmp_path, {}, mode="stub")
    assert wanted_secrets(stubbed, units_of(stubbed)) == {}


def test_everything_that_is_missing_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    commands = FakeCommands()
    commands.answers["vault"] = (2, "half-a-s3cret\n")
    commands.errors["vault"] = "permission denied\nsaw half-a-s3cret\n"
    secrets = {
        "A": secret(tmp_path, env="NONE"),
        "B": secret(tmp_path, file=tmp_path / "none"),
        "C": secret(tmp_path, exec=("vault", "read", "a b")),
        "D": secret(tmp_path, file=tmp_path / "empty"),
        "E": secret(tmp_path, file=tmp_path / "bytes"),
        "F": secret(tmp_path, env="ODD"),
    }
    world = fake_world(tmp_path, FakeKube(), commands=commands, environ={"ODD": "a\udcff"})
    message, details = missing(shop(tmp_path, secrets), world)
    assert message == "6 secrets can't be looked up"
    assert details == [
        "devenv.yaml:7:25  web.env.A  the environment variable NONE is not set",
        f"devenv.yaml:7:25  web.env.B  {tmp_path}/none: No such file or directory",
        "devenv.yaml:7:25  web.env.C  vault read 'a b' ended with code 2",
        "  permission denied",
        "  saw ***",
        "devenv.yaml:7:25  web.env.D  what was found is empty",
        f"devenv.yaml:7:25  web.env.E  {tmp_path}/bytes is not UTF-8 text",
        "devenv.yaml:7:25  web.env.F  what was found is not text",
    ]


def test_a_command_that_is_not_there(tmp_path: Path) -> None:
    commands = FakeCommands()
    commands.failures.append(ToolError(COMMAND_FAILED, command="vault", code=127, details=["it is not on PATH"]))
    world = fake_world(tmp_path, FakeKube(), commands=commands)
    _, details = missing(shop(tmp_path, {"A": secret(tmp_path, exec=("vault",))}), world)
    assert details == ["devenv.yaml:7:25  web.env.A  vault ended with code 127", "  it is not on PATH"]


def test_a_command_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    world = fake_world(tmp_path, FakeKube(), commands=LocalCommands({}))
    wait = {"A": secret(tmp_path, exec=("sh", "-c", "echo asking >&2; sleep 30"))}
    _, details = missing(shop(tmp_path, wait), world, seconds=0.3)
    assert details == [
        "devenv.yaml:7:25  web.env.A  echo asking >&2; sleep 30 took longer than 0.3 s and was ended",
        "  asking",
    ]


def test_a_program_beside_devenv_yaml_is_found_from_any_folder(tmp_path: Path) -> None:
    tool = tmp_path / "tool.sh"
    tool.write_text("#!/bin/sh\npwd\n")
    tool.chmod(0o755)
    world = fake_world(tmp_path, FakeKube(), commands=LocalCommands({}))
    assert find(shop(tmp_path, {"A": secret(tmp_path, exec=("./tool.sh",))}), world)["web"]["A"] == str(tmp_path)


def test_the_token_is_random_and_stays_while_the_values_do() -> None:
    first, second = sealed({}, "web", {"A": "x"}), sealed({}, "web", {"A": "x"})
    assert first
    assert second
    assert first.token != second.token
    metadata = {"name": secret_name("web"), "annotations": {TOKEN: first.token}}
    live = {("Secret", secret_name("web")): {"kind": "Secret", "metadata": metadata, "data": {"A": "eA=="}}}
    again, changed = sealed(live, "web", {"A": "x"}), sealed(live, "web", {"A": "y"})
    assert again == first
    assert changed
    assert changed.token != first.token
    assert sealed(live, "web", None) is None
