"""What users get wrong, and the exact lines they are told."""

from __future__ import annotations

import pytest

from tests.unit.config.conftest import Write, faults

KNOWN_SERVICE = "build, command, deploy, env, image, needs, ports, sync, test"


def one(write: Write, text: str) -> list[str]:
    return faults(write({"devenv.yaml": text, "app/Dockerfile": ""}))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "services:\n  web:\n    build: app\n    prots: {http: 80}\n",
            f'devenv.yaml:4:5  services.web.prots  unknown key "prots" (did you mean "ports"?); known: {KNOWN_SERVICE}',
        ),
        (
            "services: {web: {build: app, helm: chart}}\n",
            f'devenv.yaml:1:30  services.web.helm  "helm" is not built in yet; known: {KNOWN_SERVICE}',
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
            "devenv.yaml:1:37  services.web.sync[0]  needs the key to",
        ),
        (
            "services: {Web: {build: app}}\n",
            'devenv.yaml:1:17  services.Web  expected a name of lowercase letters, digits and dashes, got "Web"',
        ),
        ("services:\n\tweb: {}\n", "devenv.yaml:2:1  a tab is used for indentation: YAML wants spaces"),
        ("a: 1\na: 2\n", "devenv.yaml:2:1  a  the key stands twice; first in line 1"),
        ("- a\n", "devenv.yaml:1:1  expected a mapping of keys, got a list"),
        ("a: [1\n", "devenv.yaml:2:1  not valid YAML: did not find expected ',' or ']'"),
        ("a: 1\n---\nb: 2\n", "devenv.yaml:3:1  expected one document, found a second"),
        ("a: &x {b: *x}\n", "devenv.yaml:1:4  "),
        ("services: {web: {}}\n", "devenv.yaml:1:17  services.web  needs build or image"),
        (
            "services: {web: {build: app, image: x}}\n",
            "devenv.yaml:1:17  services.web  has both build and image: only one counts",
        ),
        ("services: {web: {build: nope}}\n", "devenv.yaml:1:25  services.web.build  there is no folder nope"),
        (
            "services: {web: {build: app, needs: [redsi]}, redis: {image: x}}\n",
            'devenv.yaml:1:38  services.web.needs[0]  "redsi" is no service or dependency (did you mean "redis"?); '
            "known: web, redis",
        ),
        (
            "services: {a: {image: x, needs: [b]}, b: {image: x, needs: [a]}}\n",
            "devenv.yaml:1:34  services.a.needs  services need each other: a → b → a",
        ),
        (
            "services: {web: {build: app, sync: [{from: app, to: ../x}]}}\n",
            'devenv.yaml:1:53  services.web.sync[0].to  expected an absolute path in the container, got "../x"',
        ),
        (
            "profile: nope\n",
            'devenv.yaml:1:10  profile  there is no profile "nope"; known: postgres, redis',
        ),
    ],
)
def test_a_fault_is_told_with_its_place(write: Write, text: str, line: str) -> None:
    assert any(found.startswith(line) for found in one(write, text)), one(write, text)


def test_faults_of_all_files_come_at_once(write: Write) -> None:
    root = write(
        {
            "devenv.yaml": "nmae: shop\nservices: {web: {image: 3}}\n",
            "profiles/default.yaml": "include: [postgers]\ndependencies:\n  payments:\n    mode: stubb\n",
        }
    )
    assert faults(root) == [
        'devenv.yaml:1:1  nmae  unknown key "nmae" (did you mean "name"?); known: name, profile, services, version',
        "devenv.yaml:2:25  services.web.image  expected text, got the number 3",
        'profiles/default.yaml:1:11  include[0]  there is no profile "postgers" (did you mean "postgres"?); '
        "known: default, postgres, redis",
        "profiles/default.yaml:4:11  dependencies.payments.mode  expected stub, real or off, "
        'got "stubb" (did you mean "stub"?)',
    ]


def test_profiles_that_include_each_other(write: Write) -> None:
    root = write(
        {"devenv.yaml": "", "profiles/default.yaml": "include: [other]", "profiles/other.yaml": "include: [default]"}
    )
    assert faults(root) == [
        "profiles/other.yaml:1:11  include[0]  profiles include each other: default → other → default"
    ]


def test_a_broken_profile_and_a_fault_elsewhere_come_together(write: Write) -> None:
    root = write({"devenv.yaml": "x: 1\n", "profiles/default.yaml": "a: [\n"})
    assert [line.split("  ")[0] for line in faults(root)] == ["devenv.yaml:1:1", "profiles/default.yaml:2:1"]


def test_a_name_may_not_be_both(write: Write) -> None:
    root = write({"devenv.yaml": "services: {redis: {image: x}}", "profiles/default.yaml": "include: [redis]"})
    (line,) = faults(root)
    assert line.startswith("devenv.yaml:1:12  services.redis  a dependency has that name too (")


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
    assert any("3:43  dependencies.postgres  there is no file gone.sql beside default.yaml" in line for line in lines)
    assert any("4:36  dependencies.a.stub.wiremock  there is no folder ../none" in line for line in lines)
    assert any("4:13  dependencies.a  mode is real, and there is no real form" in line for line in lines)
    assert any('5:21  dependencies.b.real.image  no parameter "tag"; known: none' in line for line in lines)
    assert any('6:14  dependencies.c.stub.openapi  "openapi" is not built in yet' in line for line in lines)


def test_text_that_is_not_utf8(write: Write) -> None:
    root = write({"devenv.yaml": ""})
    (root / "devenv.yaml").write_bytes(b"name: \xff\xfe")
    assert faults(root) == ["devenv.yaml:1:1  expected UTF-8 text"]
