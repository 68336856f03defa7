"""What users get wrong, and the exact lines they are told."""

from __future__ import annotations

from itertools import pairwise

import pytest

from devenv.config.load import load
from devenv.errors import ConfigError
from tests.unit.config.conftest import Write, faults


def one(write: Write, text: str) -> list[str]:
    return faults(write({"devenv.yaml": text, "app/Dockerfile": ""}))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "services:\n  web:\n    build: app\n    prots: {http: 80}\n",
            'devenv.yaml:4:5  services.web.prots  unknown key "prots" (did you mean "ports"?)',
        ),
        (
            "services: {web: {build: app, helm: chart}}\n",
            'devenv.yaml:1:30  services.web.helm  "helm" is planned for a later version: leave it out for now',
        ),
        (
            "services: {web: {build: app, ports: {http: eighty}}}\n",
            'devenv.yaml:1:44  services.web.ports.http  expected a whole number, got "eighty"',
        ),
        (
            "services: {web: {build: app, ports: {http: 80000}}}\n",
            "devenv.yaml:1:44  services.web.ports.http  expected a port from 1 to 65535, got the number 80000",
        ),
        (
            "services: {web: {build: [app]}}\n",
            "devenv.yaml:1:25  services.web.build  expected text or a mapping, got a list",
        ),
        (
            "services: {web: {build: app, sync: [{from: app, to: /a, reload: restrat}]}}\n",
            "devenv.yaml:1:65  services.web.sync[0].reload  expected none, restart or rebuild, "
            'got "restrat" (did you mean "restart"?)',
        ),
        (
            "services: {web: {build: app, sync: [{from: app}]}}\n",
            "devenv.yaml:1:37  services.web.sync[0]  needs the key to (the absolute path in the container; "
            "with / at its end a folder)",
        ),
        (
            "services: {Web: {build: app}}\n",
            'devenv.yaml:1:12  services.Web  expected a name of lowercase letters, digits and dashes, got "Web" '
            '(such as "web")',
        ),
        ("services:\n\tweb: {}\n", "devenv.yaml:2:1  a tab is used for indentation: YAML wants spaces"),
        ("name: a\nname: b\n", "devenv.yaml:2:1  name  the key stands twice, first in line 1: remove one of them"),
        ("- a\n", "devenv.yaml:1:1  expected keys at the top, such as services:, got a list"),
        (
            "a: [1\n",
            "devenv.yaml:1:4  the [ that is opened here is not closed; expected , or ] before line 2, column 1",
        ),
        (
            "a: 1\n---\nb: 2\n",
            "devenv.yaml:3:1  a second document begins here: remove the --- before it, only one is read",
        ),
        ("services: {web: {}}\n", "devenv.yaml:1:17  services.web  needs build (a folder with a Dockerfile) or image"),
        (
            "services: {web: {build: app, image: x}}\n",
            "devenv.yaml:1:17  services.web  has both build and image: remove one of them",
        ),
        (
            "services: {web: {build: nope}}\n",
            "devenv.yaml:1:25  services.web.build  there is no folder nope beside devenv.yaml",
        ),
        (
            "services: {web: {build: app, needs: [redsi]}, redis: {image: x}}\n",
            'devenv.yaml:1:38  services.web.needs[0]  "redsi" is no service or dependency (did you mean "redis"?)',
        ),
        (
            "services: {a: {image: x, needs: [b]}, b: {image: x, needs: [a]}}\n",
            "devenv.yaml:1:34  services.a.needs  services need each other: a → b → a; one of them must go without",
        ),
        (
            "services: {web: {build: app, sync: [{from: app, to: ../x}]}}\n",
            'devenv.yaml:1:53  services.web.sync[0].to  expected an absolute path in the container, got "../x"',
        ),
        ("name: !env x\n", "devenv.yaml:1:7  name  the tag !env is not known here: write the value alone"),
        ("name: x\na: \x01\n", "devenv.yaml:2:4  the character U+0001 may not stand here: remove it"),
        (
            "services: &x {b: *x}\n",
            "devenv.yaml:1:11  services.b  an alias stands inside its own anchor: it can't contain itself",
        ),
        (
            "<<: {name: b}\n",
            "devenv.yaml:1:1  merge keys (<<) are not known here: write the keys out, or give a whole value an alias",
        ),
        ("? [a]\n: 1\n", "devenv.yaml:1:3  expected a word as key: remove this one"),
        (
            "services:\n",
            "devenv.yaml:1:10  services  expected a mapping, got nothing: remove the key, or indent what belongs to it",
        ),
        (
            "services: {a: {image: x, env: {A: [1]}}}\n",
            "devenv.yaml:1:35  services.a.env.A  expected text or a mapping, got a list",
        ),
        (
            "services: {a: {image: x, ports: {much-too-long-name: 1}}}\n",
            "devenv.yaml:1:34  services.a.ports.much-too-long-name  expected a port name of at most 15 lowercase "
            'letters, digits and dashes, got "much-too-long-name" (such as "much-too-long-n")',
        ),
        (
            "services: {web: {build: app, sync: [{form: app, to: /a}]}}\n",
            'devenv.yaml:1:38  services.web.sync[0].form  unknown key "form" (did you mean "from"?)',
        ),
        (
            "services: {web: {build: app, sync: [{from: app, to: /a/../b}]}}\n",
            'devenv.yaml:1:53  services.web.sync[0].to  expected a path without "..", got "/a/../b"',
        ),
        (
            "services: {web: {build: app, sync: [{from: app, to: /a}, {from: app, to: //a/./}]}}\n",
            "devenv.yaml:1:74  services.web.sync[1].to  /a is the target of another rule too: each needs its own",
        ),
        (
            "services: {web: {build: app, sync: [{from: app, to: /a, reload: {signal: HUB}}]}}\n",
            'devenv.yaml:1:74  services.web.sync[0].reload.signal  expected a signal, got "HUB" (did you mean "HUP"?)',
        ),
        (
            "services: {web: {build: app, sync: [{from: app, to: /a, reload: {sginal: HUP}}]}}\n",
            'devenv.yaml:1:66  services.web.sync[0].reload.sginal  unknown key "sginal" (did you mean "signal"?)',
        ),
        (
            "services: {web: {build: app, sync: [{from: app, to: /a, reload: {signal: HUP, exec: [a]}}]}}\n",
            "devenv.yaml:1:65  services.web.sync[0].reload  expected one key, signal or exec",
        ),
        (
            "services: {web: {image: x, deploy: app}}\n",
            "devenv.yaml:1:36  services.web.deploy  expected a file of manifests, got the folder app",
        ),
        (
            "services: {a: {image: x, needs: [a]}}\n",
            "devenv.yaml:1:34  services.a.needs  a service can't need itself: remove it here",
        ),
        (
            "profile: nope\n",
            'devenv.yaml:1:10  profile  there is no profile "nope"; known: postgres, redis',
        ),
    ],
)
def test_a_fault_is_told_with_its_place(write: Write, text: str, line: str) -> None:
    assert one(write, text) == [line]


def test_faults_of_all_files_come_at_once(write: Write) -> None:
    root = write(
        {
            "devenv.yaml": "nmae: shop\nservices: {web: {image: 3}}\n",
            "profiles/default.yaml": "include: [postgers]\ndependencies:\n  payments:\n    mode: stubb\n",
        }
    )
    assert faults(root) == [
        'devenv.yaml:1:1  nmae  unknown key "nmae" (did you mean "name"?)',
        "devenv.yaml:2:25  services.web.image  expected text, got the number 3: put it in quotes",
        'profiles/default.yaml:1:11  include[0]  there is no profile "postgers" (did you mean "postgres"?)',
        "profiles/default.yaml:4:11  dependencies.payments.mode  expected stub, real or off, "
        'got "stubb" (did you mean "stub"?)',
    ]


def test_profiles_that_include_each_other(write: Write) -> None:
    root = write(
        {"devenv.yaml": "", "profiles/default.yaml": "include: [other]", "profiles/other.yaml": "include: [default]"}
    )
    assert faults(root) == [
        "profiles/other.yaml:1:11  include[0]  profiles include each other: default → other → default; "
        "one of them must go without"
    ]


def test_a_broken_profile_and_a_fault_elsewhere_come_together(write: Write) -> None:
    root = write({"devenv.yaml": "x: 1\n", "profiles/default.yaml": "a: [\n"})
    assert [line.split("  ")[0] for line in faults(root)] == ["devenv.yaml:1:1", "profiles/default.yaml:2:1"]


def test_a_name_may_not_be_both(write: Write) -> None:
    root = write({"devenv.yaml": "services: {redis: {image: x}}", "profiles/default.yaml": "include: [redis]"})
    (line,) = faults(root)
    assert line.startswith("devenv.yaml:1:12  services.redis  a dependency has that name too, in profiles/redis.yaml:")


def test_forms_and_parameters(write: Write) -> None:
    profile = """\
include: [postgres]
dependencies:
  postgres: {with: {verison: "15", seed: [gone.sql]}}
  a: {mode: real, stub: {wiremock: ../none, ports: {http: 1}}}
  b: {real: {image: "x:${with.tag}"}}
  c: {stub: {openapi: spec.yaml, ports: {http: 1}}}
"""
    lines = faults(write({"devenv.yaml": "", "profiles/default.yaml": profile}))
    assert any("3:21  dependencies.postgres.with.verison  unknown parameter" in line for line in lines)
    assert any('did you mean "version"?' in line for line in lines)
    assert any(
        "3:43  dependencies.postgres.real.files./docker-entrypoint-initdb.d[0]  there is no file gone.sql" in line
        for line in lines
    )
    assert any("4:36  dependencies.a.stub.wiremock  there is no folder ../none" in line for line in lines)
    assert any("4:13  dependencies.a  mode is real, and there is no real form" in line for line in lines)
    assert any('5:21  dependencies.b.real.image  there is no parameter "tag"; known: none' in line for line in lines)
    assert any("6:23  dependencies.c.stub.openapi  there is no file spec.yaml" in line for line in lines)


def test_text_that_is_not_utf8(write: Write) -> None:
    root = write({"devenv.yaml": ""})
    (root / "devenv.yaml").write_bytes(b"name: \xff\xfe")
    assert faults(root) == ["devenv.yaml:1:7  expected UTF-8 text, got the byte 0xFF: save the file as UTF-8"]


def test_one_fault_does_not_hide_another(write: Write) -> None:
    text = "nmae: x\nservices: {a: {image: x, needs: [nope]}, b: {build: gone}}\n"
    assert [line.split("  ")[1] for line in one(write, text)] == ["nmae", "services.a.needs[0]", "services.b.build"]


def test_a_missing_profile_does_not_make_its_names_unknown(write: Write) -> None:
    profile = "include: [postgers]\ndependencies: {postgres: {with: {version: 15}}}"
    text = "services: {a: {image: x, needs: [postgres, redis]}}"
    lines = faults(write({"devenv.yaml": text, "profiles/default.yaml": profile}))
    assert [line.split("  ")[0] for line in lines] == ["profiles/default.yaml:1:11"]


def test_a_profile_included_twice_is_told_of_once(write: Write) -> None:
    root = write(
        {
            "devenv.yaml": "",
            "profiles/default.yaml": "include: [a, b]",
            "profiles/a.yaml": "include: [c]",
            "profiles/b.yaml": "include: [c]",
            "profiles/c.yaml": "x: 1",
        }
    )
    with pytest.raises(ConfigError, match="^1 fault in the configuration$"):
        load(None, start=root)


@pytest.mark.parametrize(
    ("profile", "lines"),
    [
        (
            "include: [default]",
            ['profiles/default.yaml:1:11  include[0]  no profile "default" ships with devenv; known: postgres, redis'],
        ),
        ("include: [./gone]", ["profiles/default.yaml:1:11  include[0]  there is no file ./gone beside default.yaml"]),
        ("dependencies: {a: {}}", ["profiles/default.yaml:1:19  dependencies.a  needs a form: stub or real"]),
        (
            "dependencies: {a: {real: {image: x, build: y}}}",
            [
                'profiles/default.yaml:1:37  dependencies.a.real.build  "build" is planned for a later '
                "version: leave it out for now"
            ],
        ),
        (
            "dependencies: {a: {real: {ports: {x: 1}}}}",
            ["profiles/default.yaml:1:26  dependencies.a.real  needs the key image (the image that runs)"],
        ),
        (
            "dependencies: {a: {real: {image: x, volumes: {d: {path: rel, size: lots}}}}}",
            [
                "profiles/default.yaml:1:57  dependencies.a.real.volumes.d.path  expected an absolute path in the "
                'container, got "rel"',
                "profiles/default.yaml:1:68  dependencies.a.real.volumes.d.size  expected a size such as 1Gi, "
                'got "lots"',
            ],
        ),
        (
            "include: [redis]\ndependencies: {redis: {real: {+image: y}}}",
            [
                'profiles/default.yaml:2:31  dependencies.redis.real.+image  + adds to a list, got "y": write image to '
                "replace the value"
            ],
        ),
        (
            "dependencies: {a: {real: {image: x, args: [a], +args: [b]}}}",
            [
                "profiles/default.yaml:1:48  dependencies.a.real.+args  args stands beside it: either replace the list "
                "or add to it"
            ],
        ),
        (
            "include: [postgres]\ndependencies: {postgres: {with: {user: [a], seed: x}}}",
            [
                "profiles/default.yaml:2:40  dependencies.postgres.with.user  expected text, got a list",
                "profiles/default.yaml:2:51  dependencies.postgres.with.seed  expected a list of files, got "
                '"x": write [x]',
            ],
        ),
        (
            "dependencies: {a: {parameters: {p: {type: files}}, real: {image: 'x:${with.p}${with.q}'}}}",
            [
                'profiles/default.yaml:1:66  dependencies.a.real.image  parameter "p" is a list of files: it must '
                "stand alone, as ${with.p}",
                'profiles/default.yaml:1:66  dependencies.a.real.image  there is no parameter "q"; known: p',
            ],
        ),
    ],
)
def test_faults_of_a_profile(write: Write, profile: str, lines: list[str]) -> None:
    assert faults(write({"devenv.yaml": "", "profiles/default.yaml": profile})) == lines


def test_a_mode_without_its_form_on_the_command_line(write: Write) -> None:
    root = write({"devenv.yaml": "", "profiles/default.yaml": "dependencies: {a: {real: {image: x}}}"})
    with pytest.raises(ConfigError) as caught:
        load(None, start=root, modes={"a": "stub"})
    assert caught.value.details == (
        "profiles/default.yaml:1:19  dependencies.a  mode is stub on the command line, and there is no stub form",
    )


def test_aliases_of_aliases_do_not_take_all_memory(write: Write) -> None:
    names = "abcdefghi"
    lines = ["a: &a [1, 2, 3, 4, 5, 6, 7, 8]"]
    lines += [f"{name}: &{name} [{', '.join([f'*{before}'] * 8)}]" for before, name in pairwise(names)]
    assert any("more than 20000 values" in line for line in one(write, "\n".join(lines)))
