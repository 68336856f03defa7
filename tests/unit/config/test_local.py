from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devenv.config.load import load
from devenv.config.local import local_file
from devenv.config.model import Environment, Origin
from tests.unit.config.conftest import Write, faults, read

BASE = """\
name: shop
services:
  web:
    image: "acme/web:1"
    ports: {http: 8000}
    env: {A: one, B: two}
    needs: [db]
"""
PROFILE = 'dependencies:\n  db: {real: {image: "db:1", args: [a], env: {X: "1"}}}\n'


def project(write: Write, local: str | None, base: str = BASE) -> Path:
    files = {"devenv.yaml": base, "profiles/default.yaml": PROFILE}
    return write(files if local is None else {**files, "devenv.local.yaml": local})


@pytest.mark.parametrize(("file", "local"), [("devenv.yaml", "devenv.local.yaml"), ("shop.yml", "shop.local.yml")])
def test_the_file_beside(file: str, local: str) -> None:
    assert local_file(Path("/p") / file) == Path("/p") / local


def test_it_is_laid_onto_devenv_yaml(write: Write) -> None:
    local = 'services:\n  web:\n    env: {B: mine, C: three}\n    +needs: [cache]\n  cache: {image: "redis:7"}\n'
    environment = read(project(write, local))
    web = environment.services["web"]
    assert web.env == {"A": "one", "B": "mine", "C": "three"}
    assert web.needs == ("db", "cache")
    assert (web.image, web.ports) == ("acme/web:1", {"http": 8000})
    assert environment.services["cache"].origin == Origin(environment.root / "devenv.local.yaml", 5, 10)
    assert environment.name == "shop"


def test_rules_are_added_to_a_plain_list_of_them(write: Write) -> None:
    base = BASE + "    sync: [{from: src, to: /app/src}]\n"
    local = "services: {web: {sync: {watch: poll, +rules: [{from: libs, to: /app/libs}]}}}\n"
    root = project(write, local, base)
    for folder in ("src", "libs"):
        (root / folder).mkdir()
    web = read(root).services["web"]
    assert [rule.target for rule in web.sync] == ["/app/src", "/app/libs"]
    assert web.syncing.watch == "poll"


def test_its_dependencies_are_laid_onto_the_profile(write: Write) -> None:
    local = "dependencies:\n  db: {real: {env: {X: '${MINE}'}, +args: [b]}}\n  more: {real: {image: more}}\n"
    environment = load(None, start=project(write, local), environ={"MINE": "9"})
    real = environment.dependencies["db"].real
    assert real
    assert (real.image, real.args, real.env) == ("db:1", ("a", "b"), {"X": "9"})
    assert list(environment.dependencies) == ["db", "more"]


def test_dependencies_need_no_profile(write: Write) -> None:
    root = write({"devenv.yaml": "", "devenv.local.yaml": "dependencies: {db: {real: {image: x}}}\n"})
    assert list(read(root).dependencies) == ["db"]


def test_it_may_choose_the_profile_and_the_command_line_still_wins(write: Write) -> None:
    root = project(write, "profile: mine\n")
    write({"profiles/mine.yaml": "dependencies: {db: {real: {image: mine}}}\n"})
    assert (read(root).profile, read(root, profile="default").profile) == ("mine", "default")


def test_an_addition_to_nothing_is_the_list(write: Write) -> None:
    root = write(
        {
            "devenv.yaml": "services: {web: {image: x}}",
            "devenv.local.yaml": "services: {web: {+needs: [y]}, y: {image: z}}",
        }
    )
    assert read(root).services["web"].needs == ("y",)


def test_a_key_is_taken_back_by_nothing(write: Write) -> None:
    root = write(
        {
            "devenv.yaml": "services: {web: {build: app}}",
            "devenv.local.yaml": "services: {web: {build: , image: ready}}",
            "app/Dockerfile": "",
        }
    )
    assert (read(root).services["web"].build, read(root).services["web"].image) == (None, "ready")


def test_its_faults_have_its_own_places(write: Write) -> None:
    local = (
        "nmae: x\nservices:\n  web: {prots: {}, +env: {A: b}, ports: {http: many}}\ndependencies: {db: {rael: {}}}\n"
    )
    assert faults(project(write, local)) == [
        'devenv.local.yaml:1:1  nmae  unknown key "nmae" (did you mean "name"?)',
        'devenv.local.yaml:3:9  services.web.prots  unknown key "prots" (did you mean "ports"?)',
        "devenv.local.yaml:3:20  services.web.+env  + adds to a list, got a mapping: write env to replace the value",
        'devenv.local.yaml:3:48  services.web.ports.http  expected a whole number, got "many"',
        'devenv.local.yaml:4:21  dependencies.db.rael  unknown key "rael" (did you mean "real"?)',
    ]


def test_devenv_yaml_must_be_right_by_itself(write: Write) -> None:
    root = project(write, "services: {web: {needs: []}}\n", base=BASE.replace("needs: [db]", "+needs: [db]"))
    assert faults(root) == [
        'devenv.yaml:7:5  services.web.+needs  "+needs" adds to a list of an included profile, '
        "and there is none here: write needs"
    ]


def test_a_file_that_is_no_yaml_is_told(write: Write) -> None:
    assert faults(project(write, "- a\n")) == [
        "devenv.local.yaml:1:1  expected keys at the top, such as services:, got a list",
    ]


def test_dependencies_belong_to_profiles_elsewhere(write: Write) -> None:
    told = faults(write({"devenv.yaml": "dependencies: {}\n"}))
    assert told[0].startswith('devenv.yaml:1:1  dependencies  "dependencies" belongs into a profile')


def without_places(environment: Environment) -> str:
    return repr(replace(environment, root=Path("/p"))).replace(str(environment.root), "/p")


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(st.sampled_from(["A", "B", "C"]), st.text("ab ${}:-", max_size=8), max_size=3),
    st.sampled_from(["", "{}\n", "services: {}\n", "services: {web: {}}\n", "# nothing\n", "dependencies: {}\n"]),
)
def test_an_empty_local_file_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, env: dict[str, str], local: str
) -> None:
    values = ", ".join(f"{key}: {value.replace('${', '$${')!r}" for key, value in env.items())
    text = f"services: {{web: {{image: x, env: {{{values}}}}}}}\n"
    root = tmp_path_factory.mktemp("p")
    (root / "devenv.yaml").write_text(text)
    before = read(root)
    assert before.services["web"].env == env
    (root / "devenv.local.yaml").write_text(local)
    # The place of a map that both files write is that of the later.
    assert replace(read(root).services["web"], origin=before.services["web"].origin) == before.services["web"]
    assert read(root).dependencies == before.dependencies
