"""Compose files as proposals: single keys, and any mapping of the supported subset gives files that load."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devenv.config.load import load
from devenv.flows.init import InitRequest, propose
from devenv.scan.proposal import Dependency, Proposal, Service
from devenv.scan.write import write
from tests.fakes.project_files import FakeProjectFiles

DOCKERFILE = 'FROM python:3.11\nWORKDIR /app\nCOPY . .\nENTRYPOINT ["tini", "--"]\nCMD ["python", "app.py"]\n'


def proposed(compose: str, **files: str) -> Proposal:
    given = {path.replace("__", "/"): text for path, text in files.items()}
    fake = FakeProjectFiles({"compose.yaml": compose, "web/Dockerfile": DOCKERFILE, "web/app.py": "", **given})
    return propose(InitRequest(fake.root), fake.read(fake.root), fake)


def web(keys: str, **files: str) -> Service:
    (service,) = proposed(f"services:\n  web: {{build: ./web, {keys}}}\n", **files).services
    return service


def dependency(text: str, **files: str) -> Dependency:
    (found,) = proposed(f"services:\n  x: {text}\n", **files).dependencies
    return found


def notes(text: str, **files: str) -> list[str]:
    return [str(note) for note in proposed(text, **files).notes]


@pytest.mark.parametrize(
    ("ports", "named"),
    [
        (
            '["8080:80", "127.0.0.1:1:81", "[::1]:2:82", "83"]',
            {"http": 80, "http-81": 81, "http-82": 82, "http-83": 83},
        ),
        ('["3000-3001:3000-3001"]', {"http": 3000, "http-3001": 3001}),
        ('[{target: 5000, published: "1"}]', {"http": 5000}),
        ('["53:53/udp", "x", 0]', {}),
        ('["5678:5678", "8000:8000"]', {"http": 8000, "http-5678": 5678}),
    ],
)
def test_ports(ports: str, named: dict[str, int]) -> None:
    assert dict(web(f"ports: {ports}").ports) == named


@pytest.mark.parametrize(
    ("keys", "command"),
    [
        ("command: python -m 'a b'", ("tini", "--", "python", "-m", "a b")),
        ("entrypoint: [sh], command: [-c, 'echo $$X']", ("sh", "-c", "echo $X")),
        ("entrypoint: run.sh", ("run.sh",)),
        ("working_dir: /srv", ("sh", "-c", 'cd /srv && exec "$@"', "sh", "tini", "--", "python", "app.py")),
        ("restart: always", ()),
    ],
)
def test_commands(keys: str, command: tuple[str, ...]) -> None:
    assert web(keys).command == command


def test_environment_files_are_named_and_environment_wins() -> None:
    service = web(
        "env_file: [conf/a.env, {path: b.conf}], environment: [A=2, C]",
        **{"conf__a.env": "A=1\nB=1\n", "b.conf": "D=4\n"},
    )
    assert (service.env_file, dict(service.env)) == (("conf/a.env", "b.conf"), {"A": "2"})
    assert service.values == {"A": "2", "B": "1", "D": "4"}


@pytest.mark.parametrize(
    ("text", "told"), [("U=http://My_Api:1\n", "another name here"), ("A='x' y\n", "read in another way")]
)
def test_environment_files_that_mean_something_else_here_are_written_out(text: str, told: str) -> None:
    compose = "services:\n  My_Api: {build: web}\n  web: {build: web, env_file: [ok.env, x.env]}\n"
    found = proposed(compose, **{"ok.env": "B=1\n", "x.env": text})
    service = found.services[1]
    assert (service.env_file, service.env["B"], len(service.env)) == ((), "1", 2)
    assert any(told in str(note) for note in found.notes)


def test_a_password_of_an_environment_file_is_not_written_down() -> None:
    text = "services:\n  postgres: {image: 'postgres:15', env_file: db.env}\n"
    found = proposed(text, **{"db.env": "POSTGRES_PASSWORD=hidden\nPOSTGRES_USER=u\n"})
    files = write(found)
    assert "hidden" not in "".join(files.values())
    assert "env_file: ../db.env" in files["profiles/default.yaml"]
    assert "u" in found.dependencies[0].ready


def test_volumes_of_services_are_kept_but_not_where_they_hide_the_image() -> None:
    mounts = "['./web:/app', 'up:/app/uploads', 'mods:/app/node_modules', 'all:/app', 'root:/', '/other', 'Da_ta:/d']"
    text = f"services:\n  web: {{build: web, volumes: {mounts}}}\n  b: {{build: web, volumes: ['Da_ta:/e']}}\n"
    found = proposed(text)
    assert dict(found.services[0].volumes) == {"up": "/app/uploads", "da-ta": "/d"}
    said = "\n".join(map(str, found.notes))
    assert "the volume mods is not carried over" in said
    assert "the volume root is not carried over" in said
    assert "each of web, b has a volume Da_ta of its own" in said


@pytest.mark.parametrize(
    ("keys", "limits", "told"),
    [
        ("cpus: 0.5, mem_limit: 512m", {"cpu": "500m", "memory": "512Mi"}, 0),
        ("cpus: '2', mem_limit: 1.5g", {"cpu": "2", "memory": "1536Mi"}, 0),
        ("deploy: {resources: {limits: {cpus: '.25', memory: 1000}}}", {"cpu": "250m", "memory": "1000"}, 0),
        ("deploy: {resources: {limits: {memory: 1GB, pids: 3}}}", {"memory": "1Gi"}, 1),
        ("deploy: {resources: {reservations: {memory: 1G}}}", {}, 1),
        ("mem_limit: 0, cpus: 0", {}, 0),
        ("mem_limit: lots", {}, 1),
    ],
)
def test_limits(keys: str, limits: dict[str, str], told: int) -> None:
    text = f"services:\n  x: {{image: 'redis', ports: ['1:1'], {keys}}}\n"
    assert (dict(proposed(text).dependencies[0].limits), len(notes(text))) == (limits, told)
    assert dict(web(keys).limits) == limits


def test_a_missing_environment_file_and_a_passed_variable_are_told() -> None:
    told = notes("services:\n  web:\n    build: web\n    env_file: none.env\n    environment: [C]\n")
    assert told[0] == "compose.yaml:4: web: env_file none.env is not there: write what it would say under env"
    assert told[1] == "compose.yaml:5: web: C is passed on from the shell: give it a value under env"


def test_mounts_of_sources_become_sync_rules() -> None:
    service = web("volumes: ['./web:/app', './web/app.py:/x.py:ro', '/app/cache', 'v:/data', './none:/none']")
    assert [(rule.source, rule.to, rule.reload) for rule in service.sync] == [
        ("web", "/app", "restart"),
        ("web/app.py", "/x.py", "restart"),
    ]


def test_without_mounts_what_is_copied_is_synced() -> None:
    assert [(rule.source, rule.to) for rule in web("environment: {}").sync] == [("web", "/app")]


def test_sources_of_a_user_that_is_not_root_are_synced_but_into_system_folders() -> None:
    def text(to: str) -> str:
        return "services: {web: {build: web, volumes: ['./web:" + to + "']}}"

    image = f"{DOCKERFILE}USER app\n"
    assert notes(text("/app"), web__Dockerfile=image) == []
    told = notes(text("/opt"), web__Dockerfile=image)[0]
    assert "runs as app, which can't write into system folders: these are not synced" in told


def test_extends_override_include_and_merge_keys() -> None:
    found = proposed(
        "include: [inc/more.yaml]\nservices:\n"
        "  web:\n    extends: {file: base.yaml, service: b}\n    environment: {C: 3}\n",
        **{
            "base.yaml": "services:\n  a: {environment: [A=1, B=1]}\n"
            "  b: {extends: a, build: ./web, environment: {B: 2}, ports: ['1:1']}\n",
            "inc__more.yaml": "services: {db: {image: 'redis:7', env_file: x.env}}\n",
            "inc__x.env": "E=1\n",
            "compose.override.yaml": "services: {web: {environment: {C: 4}, ports: ['2:2']}, db: {profiles: [p]}}\n",
        },
    )
    (service,) = found.services
    assert dict(service.env) == {"A": "1", "B": "2", "C": "4"}
    assert sorted(service.ports.values()) == [1, 2]
    assert found.dependencies[0].env_file == ("inc/x.env",)
    assert (found.dependencies[0].off, dict(found.dependencies[0].env)) == (True, {})


def test_reset_and_override() -> None:
    (service,) = proposed(
        "services: {web: {build: web, ports: ['1:1'], environment: {A: 1}}}",
        **{"compose.override.yaml": "services: {web: {ports: !override ['2:2'], environment: !reset null}}"},
    ).services
    assert (dict(service.ports), dict(service.env)) == ({"http": 2}, {})


def test_names_that_a_service_cant_have_are_rewritten_where_they_are_used() -> None:
    text = "services:\n  My_Api: {build: web}\n  web: {build: web, environment: {U: 'http://My_Api:8000/My_Api'}}\n"
    api, other = proposed(text).services
    assert (api.name, dict(api.ports), dict(other.env)) == (
        "my-api",
        {"http": 8000},
        {"U": "http://my-api:8000/My_Api"},
    )


def test_postgres_of_that_name_is_the_shipped_one() -> None:
    text = "services:\n  postgres:\n    image: postgres:15\n    environment: {POSTGRES_USER: u, POSTGRES_PASSWORD: p}\n"
    found = proposed(
        f"{text}    volumes: ['./db:/docker-entrypoint-initdb.d', 'd:/var/lib/postgresql/data']\n", **{"db__a.sql": ""}
    )
    (postgres,) = found.dependencies
    assert postgres.profile == "postgres"
    assert dict(postgres.arguments) == {"version": "15", "database": "u", "user": "u", "password": "p"}
    assert postgres.seed == ("db/a.sql",)
    assert proposed(f"{text}    command: -c fsync=off\n").dependencies[0].args == ("-c", "fsync=off")


def test_files_are_mounted_where_they_keep_their_name() -> None:
    text = "{image: nginx, volumes: ['./a.conf:/etc/a.conf', './b.conf:/etc/c.conf', './d:/d']}"
    found = dependency(text, **{"a.conf": "", "b.conf": "", "d__x": "", "d__y": ""})
    assert dict(found.files) == {"/etc": ("a.conf",), "/d": ("d/x", "d/y")}


@pytest.mark.parametrize(
    ("test", "ready"),
    [
        ("[CMD, a, b]", ("a", "b")),
        ("[CMD-SHELL, 'a $$b']", ("sh", "-c", "a $b")),
        ("a b", ("sh", "-c", "a b")),
        ("[NONE]", ()),
    ],
)
def test_health_becomes_readiness(test: str, ready: tuple[str, ...]) -> None:
    assert dependency(f"{{image: y, healthcheck: {{test: {test}}}}}").ready == ready


KEYS = ("privileged: true", "network_mode: host", "cap_add: [X]", "networks: [a]", "secrets: [a]", "configs: [a]",
        "links: [a]", "deploy: {replicas: 2}", "devices: [/dev/x]", "user: '1'", "tmpfs: [/x]", "labels: {a: b}",
        "extra_hosts: [a:1]", "dns: 1.1.1.1", "ulimits: {}", "unheard_of: 1", "logging: {}")  # fmt: skip


@pytest.mark.parametrize("key", KEYS)
def test_nothing_is_dropped_silently(key: str) -> None:
    told = notes(f"services:\n  x:\n    image: y\n    ports: ['1:1']\n    {key}\n")
    assert len(told) == 1
    assert told[0].startswith("compose.yaml:5: ")
    assert ": " in told[0].removeprefix("compose.yaml:5: ")


def test_what_runs_once_is_left_out_and_told() -> None:
    waits = "depends_on: {m: {condition: service_completed_successfully}}"
    text = f"services:\n  web: {{build: web, {waits}}}\n  m: {{build: web}}\n"
    found = proposed(text)
    assert [service.name for service in found.services] == ["web"]
    assert found.services[0].needs == ()
    assert "m runs once and ends" in str(found.notes[0])


WORDS = st.sampled_from(["a", "b_c", "D", "db", "1x", "postgres", "redis", "web", "my.host"])
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ["", "yes", "$X", "${Y:-z}", "$$", "5432", "postgres://a:b@db/c", "http://b_c:1"]
)
SCALARS = TEXTS | st.integers(0, 99999) | st.booleans() | st.none()
PORTS = st.lists(st.sampled_from(["80", "1:2", "1-3:1-3", "9/udp", 70, 99999, "x", "127.0.0.1:8:8"]), max_size=3)
PAIRS = st.dictionaries(st.sampled_from(["A", "B_HOST", "DB_URL"]), SCALARS) | st.lists(
    st.sampled_from(["A=1", "B", "=", ""])
)
MOUNTS = st.lists(
    st.sampled_from(["./web:/app", "./web:/app/", "v:/var/lib/postgresql/data", "V_1:/x", "/a", "./none:/n", "~/x:/y",
                     "./web/app.py:/app/app.py:ro", "../out:/out", "C:\\x:/c", ":", "a", "./web/Dockerfile:/etc/Other"])
    | st.fixed_dictionaries({"type": st.sampled_from(["bind", "volume", "tmpfs"]), "source": TEXTS, "target": TEXTS}),
    max_size=3,
)  # fmt: skip
COMMANDS = TEXTS | st.lists(TEXTS, max_size=3) | st.none()
COMPOSE_SERVICES = st.fixed_dictionaries(
    {},
    optional={
        "build": st.sampled_from(["./web", "web/", {"context": "web", "target": "x", "args": ["A=1"]}, None]),
        "image": st.sampled_from(["postgres:15", "redis", "mysql:8", "nginx@sha256:0", "r.io:5/a/b:1"]) | TEXTS,
        "ports": PORTS, "expose": PORTS, "environment": PAIRS, "volumes": MOUNTS, "command": COMMANDS,
        "entrypoint": COMMANDS, "depends_on": st.lists(WORDS, max_size=2),
        "env_file": st.sampled_from([".env", ["x"], ["web/b.env", ".env"], "web/app.py"]),
        "healthcheck": st.fixed_dictionaries({"test": COMMANDS}), "profiles": st.lists(WORDS, max_size=1),
        "extends": st.fixed_dictionaries({"service": WORDS}), "restart": st.sampled_from(["no", "always"]),
        "cpus": SCALARS | st.floats(), "mem_limit": SCALARS | st.sampled_from(["64m", "1.5GB", "9t"]),
        "working_dir": TEXTS, "container_name": WORDS, "hostname": WORDS, "networks": st.lists(WORDS, max_size=2),
    },
)  # fmt: skip


def lay_out(folder: Path, files: Mapping[str, str]) -> None:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")


@pytest.mark.timeout(240)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(services=st.dictionaries(WORDS, COMPOSE_SERVICES, min_size=1, max_size=4))
def test_any_compose_file_gives_files_that_load(services: Any, tmp_path: Path) -> None:
    text = yaml.safe_dump({"services": services}, allow_unicode=True)
    fake = FakeProjectFiles({"compose.yaml": text, "web/Dockerfile": DOCKERFILE, "web/app.py": "", ".env": "X=1\n",
                             "web/b.env": "A='q' # c\nU=redis://b_c\nX=2\n"})  # fmt: skip
    lay_out(tmp_path / "p", fake.files)
    (tmp_path / "out").mkdir(exist_ok=True)
    try:
        proposal = propose(InitRequest(fake.root), fake.read(fake.root), fake)
    except Exception as error:
        if getattr(error, "code", "") in ("init-nothing", "compose-invalid"):
            return
        raise
    files = write(proposal)
    lay_out(tmp_path / "p", files)
    if "profiles/default.yaml" not in files:
        (tmp_path / "p/profiles/default.yaml").unlink(missing_ok=True)
    environment = load(tmp_path / "p/devenv.yaml", start=tmp_path)
    for service in proposal.services:
        assert dict(environment.services[service.name].env) == service.values
        assert {volume.path for volume in environment.services[service.name].volumes.values()} == set(
            service.volumes.values()
        )
        assert environment.services[service.name].running.resources.limits == dict(service.limits)
        assert environment.services[service.name].command == service.command
    for one in proposal.dependencies:
        real = environment.dependencies[one.name].real
        assert real is not None
        if not one.profile:
            assert (dict(real.env), real.args, real.ready) == ({**one.from_files, **one.env}, one.args, one.ready)
