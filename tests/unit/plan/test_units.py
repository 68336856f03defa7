from __future__ import annotations

import json
from pathlib import Path

import pytest

from devenv.config.model import (
    Build,
    Dependency,
    Deploy,
    Environment,
    Origin,
    Real,
    Reload,
    Service,
    Stub,
    SyncRule,
    Volume,
)
from devenv.errors import ConfigError
from devenv.plan.engine import engine_objects
from devenv.plan.image import Image
from devenv.plan.marks import HASH, UNIT, hash_of
from devenv.plan.units import Files, Unit, unit_objects, units_of
from devenv.plan.workloads import file_keys

HERE = Origin(Path("/p/devenv.yaml"), 1, 1)
SEED = Path("/p/db/schema.sql")
STUBS = Path("/p/stubs/payments")


def service(**changes: object) -> Service:
    values: dict[str, object] = {
        "name": "orders",
        "build": Build(Path("/p"), Path("/p/Dockerfile")),
        "image": None,
        "ports": {"http": 8000},
        "env": {"A": "1"},
        "deploy": None,
        "sync": (),
        "test": None,
        "needs": ("postgres", "payments"),
        "command": (),
        "origin": HERE,
    }
    return Service(**{**values, **changes})  # type: ignore[arg-type]


def environment(*, orders: Service | None = None, payments: str = "stub") -> Environment:
    real = Real(
        image="postgres:15",
        ports={"postgres": 5432},
        env={"POSTGRES_USER": "app"},
        volumes={"data": Volume("/data", "1Gi")},
        files={"/docker-entrypoint-initdb.d": (SEED,)},
        ready=("pg_isready",),
    )
    return Environment(
        name="shop",
        root=Path("/p"),
        profile="default",
        services={"orders": orders or service()},
        dependencies={
            "postgres": Dependency("postgres", "real", None, real, HERE),
            "payments": Dependency("payments", payments, Stub(STUBS, {"http": 8080}), None, HERE),  # type: ignore[arg-type]
        },
    )


FILES = Files(
    single={SEED: b"create table t();"},
    stubs={"payments": {"mappings/a.json": b'{"request": {"url": "/x"}, "response": {"status": 200}}'}},
)
IMAGE = Image("localhost:5001/shop-orders:abc", ("python", "-m", "orders"))


def test_units_wait_for_what_they_need() -> None:
    units = units_of(environment())
    assert {name: unit.needs for name, unit in units.items()} == {
        "postgres": (),
        "payments": ("devenv-stubs",),
        "devenv-stubs": (),
        "orders": ("postgres", "payments"),
    }


def test_a_dependency_that_is_off_is_no_unit_and_nobody_waits_for_it() -> None:
    units = units_of(environment(payments="off"))
    assert set(units) == {"postgres", "orders"}
    assert units["orders"].needs == ("postgres",)


def test_choosing_one_unit_takes_in_what_it_needs() -> None:
    assert set(units_of(environment(), ["payments"])) == {"payments", "devenv-stubs"}
    assert set(units_of(environment(), ["orders"])) == {"postgres", "payments", "devenv-stubs", "orders"}


def test_a_service_becomes_a_deployment_and_a_service() -> None:
    deployment, front = unit_objects(environment(), Unit("orders", "service"), FILES, IMAGE)
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == IMAGE.reference
    assert "command" not in container
    assert container["env"] == [{"name": "A", "value": "1"}]
    assert front["spec"]["selector"] == {UNIT: "orders"}
    assert front["spec"]["ports"] == [{"name": "http", "port": 8000, "targetPort": 8000}]
    assert {o["metadata"]["namespace"] for o in (deployment, front)} == {"shop"}


def test_a_service_that_restarts_runs_its_program_under_the_supervisor() -> None:
    rule = SyncRule(Path("/p/src"), "/app/src", Reload("restart"))
    spec = environment(orders=service(sync=(rule,)))
    deployment = unit_objects(spec, Unit("orders", "service"), FILES, IMAGE)[0]
    command = deployment["spec"]["template"]["spec"]["containers"][0]["command"]
    assert command[:2] == ["sh", "-c"]
    assert command[3:] == ["devenv", "python", "-m", "orders"]


def test_a_real_dependency_keeps_its_data_and_mounts_its_files() -> None:
    claim, files, deployment, _ = unit_objects(environment(), Unit("postgres", "real"), FILES)
    assert claim["metadata"]["name"] == "postgres-data"
    assert files["data"] == {"schema.sql": "create table t();"}
    pod = deployment["spec"]["template"]["spec"]
    assert deployment["spec"]["strategy"] == {"type": "Recreate"}
    mounts = [m["mountPath"] for m in pod["containers"][0]["volumeMounts"]]
    assert mounts == ["/data", "/docker-entrypoint-initdb.d/schema.sql"]
    assert pod["containers"][0]["readinessProbe"]["exec"] == {"command": ["pg_isready"]}


def test_files_keep_their_names_where_these_are_in_order() -> None:
    assert file_keys([Path("a/1.sql"), Path("b/2.sql")]) == ["1.sql", "2.sql"]
    assert file_keys([Path("b.sql"), Path("a.sql")]) == ["00-b.sql", "01-a.sql"]
    assert file_keys([Path("x/a.sql"), Path("y/a.sql")]) == ["00-a.sql", "01-a.sql"]


def test_pods_are_not_told_of_services_by_variables() -> None:
    deployment = unit_objects(environment(), Unit("orders", "service"), FILES, IMAGE)[0]
    assert deployment["spec"]["template"]["spec"]["enableServiceLinks"] is False


def test_changed_files_change_the_pods_that_mount_them() -> None:
    def annotation(content: bytes) -> str:
        files = Files({SEED: content}, FILES.stubs)
        deployment = unit_objects(environment(), Unit("postgres", "real"), files)[2]
        return str(deployment["spec"]["template"]["metadata"]["annotations"]["dev.devenv/files"])

    assert annotation(b"a") == annotation(b"a") != annotation(b"b")


def test_the_same_input_gives_the_same_hash() -> None:
    first, second = (unit_objects(environment(), Unit("orders", "service"), FILES, IMAGE) for _ in range(2))
    assert [hash_of(o) for o in first] == [hash_of(o) for o in second]
    changed = unit_objects(environment(), Unit("orders", "service"), FILES, Image("other:1"))
    assert changed[0]["metadata"]["annotations"][HASH] != hash_of(first[0])


def test_the_engine_gets_every_stub_bound_to_its_host() -> None:
    mappings, _, deployment = unit_objects(environment(), Unit("devenv-stubs", "engine"), FILES)
    assert '"matches":"payments(\\\\..+)?"' in mappings["data"]["payments.json"]
    assert deployment["spec"]["template"]["spec"]["containers"][0]["image"].startswith("wiremock/wiremock:")


def test_files_too_large_for_a_config_map_are_refused() -> None:
    files = Files({SEED: b"x" * 1_100_000}, FILES.stubs)
    with pytest.raises(ConfigError, match=r"the files of postgres-files-0 are 1\.0 MiB together") as caught:
        unit_objects(environment(), Unit("postgres", "real"), files)
    assert caught.value.code == "files-too-large"
    assert caught.value.details == ("schema.sql: 1.05 MiB",)


def test_of_stubs_that_are_too_large_together_the_largest_are_named() -> None:
    def folder(size: int) -> dict[str, bytes]:
        stub = {"request": {"url": "/x"}, "response": {"body": "x" * size}}
        return {"mappings/a.json": json.dumps(stub).encode()}

    place = Origin(Path("/p/profiles/default.yaml"), 1, 1)
    sizes = {name: 150_000 * (index + 1) for index, name in enumerate("abcdef")}
    stubbed = {name: Dependency(name, "stub", Stub(STUBS, {"http": 80}), None, place) for name in sizes}
    with pytest.raises(ConfigError, match=r"the files of devenv-stubs-mappings are 3\.0 MiB together") as caught:
        engine_objects(stubbed, {name: folder(size) for name, size in sizes.items()})
    named = [line.partition(": ")[0] for line in caught.value.details]
    assert named == ["f.json", "e.json", "d.json", "c.json", "b.json"]


MANIFEST = b"""
apiVersion: apps/v1
kind: Deployment
metadata: {name: %s}
spec:
  template:
    metadata: {labels: {app: x}}
    spec:
      containers:
      - {name: side, image: envoy}
      - {name: main, image: "orders:latest", args: [serve], env: [{name: A, value: "0"}, {name: B, value: "2"}]}
"""


def own(content: bytes, **deploy: str) -> list[dict[str, object]]:
    path = Path("/p/deploy.yaml")
    spec = environment(orders=service(deploy=Deploy(path, **deploy)))
    files = Files({**FILES.single, path: content}, FILES.stubs)
    return unit_objects(spec, Unit("orders", "service"), files, IMAGE)


def test_own_manifests_get_the_image_and_environment_of_the_service_and_nothing_else() -> None:
    (deployment,) = own(MANIFEST % b"any")
    side, main = deployment["spec"]["template"]["spec"]["containers"]  # type: ignore[index]
    assert side == {"name": "side", "image": "envoy"}
    assert main["image"] == IMAGE.reference
    assert main["args"] == ["serve"]
    assert main["env"] == [{"name": "B", "value": "2"}, {"name": "A", "value": "1"}]


def test_own_manifests_without_the_service_list_the_candidates() -> None:
    with pytest.raises(ConfigError) as caught:
        own(MANIFEST.replace(b"orders:latest", b"other") % b"any")
    assert caught.value.details == (
        "no workload is the service's; candidates: deployment/any container side, deployment/any container main",
    )


def test_own_manifests_may_not_leave_the_namespace() -> None:
    with pytest.raises(ConfigError) as caught:
        own(b"{apiVersion: v1, kind: Service, metadata: {name: a, namespace: prod}}")
    assert caught.value.code == "manifest-invalid"
    assert caught.value.details == ("these objects name a namespace of their own: service/a",)
