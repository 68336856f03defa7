from __future__ import annotations

from pathlib import Path

import pytest

from devenv.config.load import load, name_of
from devenv.config.model import Build, Reload, SyncRule, Test, Volume
from devenv.config.search import shipped_folder, shipped_names
from devenv.errors import ConfigError, UsageError
from tests.unit.config.conftest import Write, read

FULL = """\
name: shop
services:
  orders:
    build: services/orders
    ports: {http: 8000}
    env: {A: text, B: 1, C: true, D: no}
    sync:
      - {from: services/orders/src, to: /app/src, reload: restart}
      - {from: services/orders/src/a.py, to: /app/, reload: {exec: [pip, install]}}
      - {from: services/orders/src/a.py, to: /etc/b, reload: {signal: SIGHUP}}
    test: {command: "pytest -q", reports: [/tmp/junit.xml]}
    needs: [postgres, payments]
"""
PROFILE = """\
include: [postgres]
dependencies:
  postgres: {with: {version: "16", seed: [../db/schema.sql]}}
  payments:
    mode: stub
    stub: {wiremock: ../stubs/payments, ports: {http: 8080}}
    real: {image: "acme/payments:2.3", ports: {http: 8080}}
"""
FILES = {
    "devenv.yaml": FULL,
    "profiles/default.yaml": PROFILE,
    "db/schema.sql": "select 1;",
    "stubs/payments/mappings/a.json": "{}",
    "services/orders/Dockerfile": "FROM x",
    "services/orders/src/a.py": "",
}


def test_a_service(write: Write) -> None:
    root = write(FILES)
    orders = read(root).services["orders"]
    source = root / "services/orders/src"
    assert orders.build == Build(root / "services/orders", root / "services/orders/Dockerfile", None, {})
    assert orders.env == {"A": "text", "B": "1", "C": "true", "D": "no"}
    assert orders.sync == (
        SyncRule(source, "/app/src", Reload("restart")),
        SyncRule(source / "a.py", "/app/a.py", Reload("exec", command=("pip", "install")), is_file=True),
        SyncRule(source / "a.py", "/etc/b", Reload("signal", signal="HUP"), is_file=True),
    )
    assert orders.test == Test(("sh", "-c", "pytest -q"), ("/tmp/junit.xml",))
    assert str(orders.origin) == f"{root}/devenv.yaml:4:5"


def test_a_shipped_profile_with_parameters(write: Write) -> None:
    root = write(FILES)
    postgres = read(root).dependencies["postgres"]
    assert postgres.mode == "real"
    assert postgres.real
    assert postgres.real.image == "postgres:16"
    assert postgres.real.volumes == {"data": Volume("/var/lib/postgresql/data", "1Gi")}
    assert postgres.real.files == {"/docker-entrypoint-initdb.d": (root / "db/schema.sql",)}


def test_a_mode_chosen_on_the_command_line_wins(write: Write) -> None:
    root = write(FILES)
    assert read(root).dependencies["payments"].mode == "stub"
    assert read(root, modes={"payments": "real"}).dependencies["payments"].mode == "real"
    with pytest.raises(UsageError, match="dependency 'nope' is not in this environment"):
        read(root, modes={"nope": "real"})


def test_inside_a_profile_of_that_name_the_shipped_one_is_meant(write: Write) -> None:
    own = 'include: [postgres]\ndependencies:\n  postgres: {with: {version: "14"}}\n'
    root = write({"devenv.yaml": "profile: postgres\n", "profiles/postgres.yaml": own})
    real = read(root).dependencies["postgres"].real
    assert real
    assert real.image == "postgres:14"


def test_another_profile(write: Write) -> None:
    root = write({**FILES, "profiles/other.yaml": "include: [./default]\ndependencies: {payments: {mode: real}}"})
    assert read(root, profile="other").dependencies["payments"].mode == "real"


def test_the_file_is_found_from_below_and_names_the_environment(write: Write) -> None:
    root = write({"devenv.yaml": "services: {}\n", "a/b/c.txt": ""})
    assert read(root / "a/b").root == root
    assert read(root).name == name_of(root)


@pytest.mark.parametrize(
    ("folder", "name"), [("Shop", "shop"), ("my_shop.v2", "my-shop-v2"), ("2024", "env-2024"), ("x" * 60, "x" * 40)]
)
def test_a_name_from_a_folder(folder: str, name: str) -> None:
    assert name_of(Path("/p") / folder) == name


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no devenv.yaml in"):
        load(None, start=tmp_path)
    with pytest.raises(ConfigError, match=r"there is no file .*/x\.yaml"):
        load(tmp_path / "x.yaml", start=tmp_path)


def test_an_overlay_needs_only_what_it_changes(write: Write) -> None:
    overlay = "include: [redis]\ndependencies: {redis: {real: {env: {A: 1}, +args: [--loglevel, debug]}}}\n"
    real = read(write({"devenv.yaml": "", "profiles/default.yaml": overlay})).dependencies["redis"].real
    assert real
    assert real.image == "redis:7"
    assert real.env == {"A": "1"}
    assert real.args == ("redis-server", "--save", "", "--appendonly", "no", "--loglevel", "debug")


def test_an_addition_to_nothing_is_the_list(write: Write) -> None:
    profile = "dependencies: {a: {real: {image: x, +args: [b]}}}"
    real = read(write({"devenv.yaml": "", "profiles/default.yaml": profile})).dependencies["a"].real
    assert real
    assert real.args == ("b",)


def test_numbers_given_to_parameters_are_text(write: Write) -> None:
    profile = "include: [postgres]\ndependencies: {postgres: {with: {version: 17, password: true, user: 5}}}"
    real = read(write({"devenv.yaml": "", "profiles/default.yaml": profile})).dependencies["postgres"].real
    assert real
    assert (real.image, real.env["POSTGRES_PASSWORD"], real.env["POSTGRES_USER"]) == ("postgres:17", "true", "5")


def test_without_a_profile_there_are_no_dependencies(write: Write) -> None:
    environment = read(write({"devenv.yaml": ""}))
    assert environment.dependencies == {}
    assert environment.profile == "default"


def test_off_needs_no_form(write: Write) -> None:
    root = write({"devenv.yaml": "", "profiles/default.yaml": "dependencies: {a: {mode: off}}"})
    assert read(root).dependencies["a"].mode == "off"


def test_paths_are_seen_from_the_file_that_names_them(write: Write) -> None:
    files = {
        "devenv.yaml": "",
        "profiles/default.yaml": "include: [../team/base]\n",
        "team/base.yaml": "include: [postgres]\ndependencies: {postgres: {with: {seed: [a.sql]}}}",
        "team/a.sql": "",
    }
    root = write(files)
    real = read(root).dependencies["postgres"].real
    assert real
    assert real.files == {"/docker-entrypoint-initdb.d": (root / "team/a.sql",)}


@pytest.mark.parametrize("name", shipped_names())
def test_a_shipped_profile_is_complete(write: Write, name: str) -> None:
    text = (shipped_folder() / f"{name}.yaml").read_text()
    dependencies = read(write({"devenv.yaml": f"profile: {name}"})).dependencies
    assert text.startswith("# ")
    assert list(dependencies) == [name]
    assert dependencies[name].mode == "real"


def test_several_profiles_are_merged_and_the_later_wins(write: Write) -> None:
    files = {
        "devenv.yaml": "",
        "profiles/one.yaml": 'dependencies:\n  a: {real: {image: "a:1", args: [x], env: {A: "1"}}}\n',
        "profiles/two.yaml": 'dependencies:\n  a: {real: {image: "a:2", +args: [y]}}\n  b: {real: {image: b}}\n',
    }
    root = write(files)
    environment = load(None, start=root, profiles=["one", "two"])
    real = environment.dependencies["a"].real
    assert real
    assert (real.image, real.args, real.env) == ("a:2", ("x", "y"), {"A": "1"})
    assert (list(environment.dependencies), environment.profile) == (["a", "b"], "one, two")
    assert list(load(None, start=root, profiles=["one"]).dependencies) == ["a"]


def test_every_profile_that_is_not_there_is_told(write: Write) -> None:
    root = write({"devenv.yaml": "\nprofile: redis\n"})
    with pytest.raises(UsageError) as caught:
        load(None, start=root, profiles=["postgers", "redis", "nada"])
    assert caught.value.message == "there is no profile 'postgers' (did you mean \"postgres\"?)"
    assert caught.value.details == ("-p postgers on the command line", "-p nada on the command line")
    assert caught.value.hint == "known: postgres, redis"
