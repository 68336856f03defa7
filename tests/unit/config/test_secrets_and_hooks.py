from __future__ import annotations

import pytest

from devenv.config.model import Hook, Origin, Secret
from tests.unit.config.conftest import Write, faults, read

TEXT = """\
services:
  web:
    image: x
    env:
      PLAIN: 1
      A: {secret: {env: NAME}}
      B: {secret: {file: keys/b.txt}}
      C: {secret: {exec: [vault, read, c]}}
      D: {secret: {exec: "pass show d | head -1"}}
hooks:
  before_down: [dump]
  before_up: [[make, certs], "echo hi"]
"""


def test_secrets_stand_apart_from_plain_variables(write: Write) -> None:
    root = write({"devenv.yaml": TEXT})
    web = read(root).services["web"]
    file = root / "devenv.yaml"
    assert web.env == {"PLAIN": "1"}
    assert web.secrets == {
        "A": Secret("env", Origin(file, 6, 25), env="NAME"),
        "B": Secret("file", Origin(file, 7, 26), file=root / "keys/b.txt"),
        "C": Secret("exec", Origin(file, 8, 26), exec=("vault", "read", "c")),
        "D": Secret("exec", Origin(file, 9, 26), exec=("sh", "-c", "pass show d | head -1")),
    }


def test_a_dependencys_secrets_and_where_its_files_are_seen_from(write: Write) -> None:
    profile = "dependencies: {db: {real: {image: x, env: {P: {secret: {file: ../p.txt}}, Q: q}}}}\n"
    root = write({"devenv.yaml": "", "profiles/default.yaml": profile})
    real = read(root).dependencies["db"].real
    assert real
    assert (real.env, real.secrets["P"].file) == ({"Q": "q"}, root / "p.txt")


def test_another_source_replaces_the_one_that_was_written(write: Write) -> None:
    local = "services: {web: {env: {A: {secret: {file: a.txt}}, B: plain, PLAIN: {secret: {env: P}}}}}\n"
    web = read(write({"devenv.yaml": TEXT, "devenv.local.yaml": local})).services["web"]
    assert web.env == {"B": "plain"}
    assert {key: secret.kind for key, secret in web.secrets.items()} == {
        "PLAIN": "env",
        "A": "file",
        "C": "exec",
        "D": "exec",
    }


def test_hooks_in_the_order_they_run_in(write: Write) -> None:
    root = write({"devenv.yaml": TEXT})
    file = root / "devenv.yaml"
    assert read(root).hooks == (
        Hook("before_up", ("make", "certs"), Origin(file, 12, 15)),
        Hook("before_up", ("sh", "-c", "echo hi"), Origin(file, 12, 30)),
        Hook("before_down", ("sh", "-c", "dump"), Origin(file, 11, 17)),
    )


@pytest.mark.parametrize(
    ("env", "line"),
    [
        ("{secret: {}}", "1:46  services.web.env.A.secret  expected one key, env, file or exec"),
        ("{secret: {env: A, file: b}}", "1:46  services.web.env.A.secret  expected one key, env, file or exec"),
        ("{secret: {evn: A}}", '1:47  services.web.env.A.secret.evn  unknown key "evn" (did you mean "env"?)'),
        ("{secert: {env: A}}", '1:38  services.web.env.A.secert  unknown key "secert" (did you mean "secret"?)'),
        ("{secret: plain}", '1:46  services.web.env.A.secret  expected a mapping, got "plain"'),
        ("{secret: {exec: []}}", "1:53  services.web.env.A.secret.exec  expected at least one item, got none"),
        ("{secret: {exec: {}}}", "1:53  services.web.env.A.secret.exec  expected text or a list, got a mapping"),
        ("{secret: {env: 5}}", "1:52  services.web.env.A.secret.env  expected text, got the number 5: put it in "
         "quotes"),
        ("{secret: {file: ' '}}", '1:53  services.web.env.A.secret.file  expected text that is not empty, got " "'),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_secret(write: Write, env: str, line: str) -> None:
    told = faults(write({"devenv.yaml": f"services: {{web: {{image: x, env: {{A: {env}}}}}}}\n"}))
    assert f"devenv.yaml:{line}" in told


@pytest.mark.parametrize(
    ("hooks", "line"),
    [
        ("{before: [x]}", '1:9  hooks.before  unknown key "before"'),
        ("{after_up: x}", '1:19  hooks.after_up  expected a list, got "x"'),
        ("{after_up: [[]]}", "1:20  hooks.after_up[0]  expected at least one item, got none"),
        ("{after_up: [{}]}", "1:20  hooks.after_up[0]  expected text or a list, got a mapping"),
        ("{after_up: ['']}", '1:20  hooks.after_up[0]  expected text that is not empty, got ""'),
    ],
)
def test_what_is_wrong_with_hooks(write: Write, hooks: str, line: str) -> None:
    (told,) = faults(write({"devenv.yaml": f"hooks: {hooks}\n"}))
    assert told.startswith(f"devenv.yaml:{line}")
