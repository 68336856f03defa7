"""Replicas, resources, volumes, init steps and seeds as Kubernetes objects."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from devenv.config.model import (
    ContainerStep,
    Deploy,
    Environment,
    Origin,
    Resources,
    Running,
    Secret,
    Service,
    Volume,
)
from devenv.plan.jobs import outlives_pods
from devenv.plan.marks import ROLE, UNIT, hash_of
from devenv.plan.marks import SEED as SEED_MARK
from devenv.plan.resources import resources_of
from devenv.plan.secrets import Sealed
from devenv.plan.units import Files, Unit, unit_objects, units_of
from tests.unit.plan.test_units import FILES, IMAGE, SEED, environment, service

LOAD = ContainerStep("load", ("load", "it"), env={"A": "2", "B": "3"})
MIGRATE = ContainerStep("migrate", ("migrate",), image="acme/tools:1")


def with_orders(**changes: Any) -> Environment:
    return environment(orders=service(**changes))


def with_postgres(**changes: Any) -> Environment:
    base = environment()
    postgres = base.dependencies["postgres"]
    assert postgres.real
    real = replace(postgres.real, **changes)
    return replace(base, dependencies={**base.dependencies, "postgres": replace(postgres, real=real)})


def objects(spec: Environment, name: str, files: Files = FILES) -> dict[str, Any]:
    unit = units_of(spec)[name]
    image = IMAGE if unit.name in spec.services or unit.of in spec.services else None
    return {obj["kind"]: obj for obj in unit_objects(spec, unit, files, image)}


def pod_of(obj: Any) -> Any:
    return obj["spec"]["template"]["spec"]


def test_a_service_with_volumes_init_steps_and_replicas() -> None:
    running = Running(replicas=3, resources=Resources({"cpu": "1"}), init=(MIGRATE, LOAD))
    made = objects(with_orders(volumes={"data": Volume("/data", "2Gi")}, running=running), "orders")
    assert made["PersistentVolumeClaim"]["metadata"]["name"] == "orders-data"
    assert made["PersistentVolumeClaim"]["spec"]["resources"] == {"requests": {"storage": "2Gi"}}
    assert made["Deployment"]["spec"]["replicas"] == 3
    assert made["Deployment"]["spec"]["strategy"] == {"type": "Recreate"}
    pod = pod_of(made["Deployment"])
    mounts = [{"name": "data", "mountPath": "/data"}]
    assert pod["containers"][0]["volumeMounts"] == mounts
    assert pod["containers"][0]["resources"] == {"requests": {"cpu": "1"}}
    migrate, load = pod["initContainers"]
    assert migrate == {
        "name": "migrate",
        "image": "acme/tools:1",
        "imagePullPolicy": "IfNotPresent",
        "command": ["migrate"],
        "env": [{"name": "A", "value": "1"}],
        "volumeMounts": mounts,
    }
    assert load["image"] == IMAGE.reference
    assert load["env"] == [{"name": "A", "value": "2"}, {"name": "B", "value": "3"}]


def test_without_any_of_it_nothing_is_said() -> None:
    pod = pod_of(objects(environment(), "orders")["Deployment"])
    assert set(pod) == {"containers", "terminationGracePeriodSeconds", "enableServiceLinks"}
    assert "resources" not in pod["containers"][0]


def test_a_real_dependency_with_an_init_step_and_resources() -> None:
    running = Running(replicas=2, resources=Resources(limits={"memory": "1Gi"}), init=(MIGRATE,))
    deployment = objects(with_postgres(running=running), "postgres")["Deployment"]
    assert deployment["spec"]["replicas"] == 2
    pod = pod_of(deployment)
    assert pod["containers"][0]["resources"] == {"limits": {"memory": "1Gi"}}
    assert [m["mountPath"] for m in pod["initContainers"][0]["volumeMounts"]] == [
        "/data",
        "/docker-entrypoint-initdb.d/schema.sql",
    ]


def test_seeds_come_in_order_after_their_unit_and_before_what_needs_it() -> None:
    spec = with_postgres(running=Running(seed=(LOAD, MIGRATE)))
    spec = replace(spec, services={"orders": service(running=Running(seed=(LOAD,)))})
    units = units_of(spec)
    assert units["postgres.load"] == Unit("postgres.load", "seed", ("postgres",), of="postgres")
    assert units["postgres.migrate"].needs == ("postgres.load",)
    assert units["orders"].needs == ("postgres", "postgres.load", "postgres.migrate", "payments")
    assert units["orders.load"].needs == ("orders",)
    assert set(units_of(spec, ["postgres"])) == {"postgres", "postgres.load", "postgres.migrate"}
    off = replace(spec.dependencies["postgres"], mode="off")
    assert "postgres.load" not in units_of(replace(spec, dependencies={"postgres": off}))


def test_a_seed_of_a_service_runs_in_its_image_with_its_variables() -> None:
    job = objects(with_orders(running=Running(seed=(LOAD,))), "orders.load")["Job"]
    assert job["metadata"]["name"] == "orders-load"
    assert job["metadata"]["labels"][UNIT] == "orders.load"
    assert job["spec"]["template"]["metadata"]["labels"][UNIT] == "orders.load"
    assert job["spec"]["template"]["metadata"]["labels"][ROLE] == SEED_MARK
    assert job["spec"]["backoffLimit"] == 0
    (container,) = pod_of(job)["containers"]
    assert (container["image"], container["command"]) == (IMAGE.reference, ["load", "it"])
    assert container["env"] == [{"name": "A", "value": "2"}, {"name": "B", "value": "3"}]


def test_a_seed_of_a_dependency_sees_its_files_and_not_its_volumes() -> None:
    pod = pod_of(objects(with_postgres(running=Running(seed=(LOAD,))), "postgres.load")["Job"])
    assert pod["restartPolicy"] == "Never"
    assert [volume["name"] for volume in pod["volumes"]] == ["files-0"]
    assert [m["mountPath"] for m in pod["containers"][0]["volumeMounts"]] == ["/docker-entrypoint-initdb.d/schema.sql"]


def hash_with(content: bytes = b"a", **changes: Any) -> str | None:
    files = Files({SEED: content}, FILES.stubs)
    return hash_of(objects(with_postgres(running=Running(seed=(LOAD,)), **changes), "postgres.load", files)["Job"])


def test_a_seed_is_another_one_when_its_content_is() -> None:
    assert hash_with() == hash_with()
    assert hash_with() != hash_with(b"b")
    assert hash_with() != hash_with(image="postgres:16")


def test_a_seed_whose_data_go_with_the_pods_is_another_one_when_those_are() -> None:
    assert hash_with(args=("x",)) == hash_with(args=("y",))
    assert hash_with(volumes={}, args=("x",)) != hash_with(volumes={}, args=("y",))


@pytest.mark.parametrize(("volumes", "status", "kept"), [(True, 1, True), (True, 0, False), (False, 1, False)])
def test_a_seed_stays_where_its_data_stay(volumes: bool, status: int, kept: bool) -> None:
    changes: dict[str, Any] = {} if volumes else {"volumes": {}}
    job = objects(with_postgres(running=Running(seed=(LOAD,)), **changes), "postgres.load")["Job"]
    assert outlives_pods({**job, "status": {"succeeded": status}}) is kept


def own(manifest: bytes, running: Running) -> Any:
    path = Path("/p/deploy.yaml")
    spec: Service = service(deploy=Deploy(path), running=running)
    files = Files({**FILES.single, path: manifest}, FILES.stubs)
    return unit_objects(environment(orders=spec), Unit("orders", "service"), files, IMAGE)[0]


MANIFEST = b"""
apiVersion: apps/v1
kind: %s
metadata: {name: orders}
spec:
  replicas: 5
  template:
    spec:
      containers:
      - {name: main, image: x, resources: {requests: {cpu: 4, memory: 8Gi}, limits: {memory: 8Gi}}}
"""


def test_own_manifests_get_replicas_and_trimmed_requests_and_keep_their_limits() -> None:
    made = own(MANIFEST % b"Deployment", Running(replicas=2, resources=Resources(trim=True)))
    assert made["spec"]["replicas"] == 2
    resources = pod_of(made)["containers"][0]["resources"]
    assert resources == {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "8Gi"}}
    assert own(MANIFEST % b"Deployment", Running())["spec"]["replicas"] == 5
    assert own(MANIFEST % b"DaemonSet", Running(replicas=2))["spec"]["replicas"] == 5


def test_resources() -> None:
    assert resources_of(Resources()) == {}
    assert resources_of(Resources(trim=True, limits={"cpu": "5m"})) == {
        "requests": {"cpu": "5m", "memory": "32Mi"},
        "limits": {"cpu": "5m"},
    }
    given = {"requests": {"cpu": "1"}, "limits": {"cpu": "2"}, "claims": []}
    assert resources_of(Resources(), given) == given
    assert resources_of(Resources({"memory": "1Gi"}), given) == {**given, "requests": {"memory": "1Gi"}}


def test_a_seed_and_an_init_step_read_the_secrets_of_their_unit() -> None:
    secret = {"KEY": Secret("env", Origin(Path("/p/devenv.yaml"), 1, 1), env="KEY")}
    spec = with_orders(secrets=secret, running=Running(init=(MIGRATE,), seed=(LOAD,)))
    reference = {"name": "orders-devenv-secrets", "key": "KEY"}
    wanted = {"name": "KEY", "valueFrom": {"secretKeyRef": reference}}
    seed = unit_objects(spec, units_of(spec)["orders.load"], FILES, IMAGE)
    assert [obj["kind"] for obj in seed] == ["Job"]
    assert pod_of(seed[0])["containers"][0]["env"][0] == wanted
    sealed = Sealed({"KEY": "hidden"}, "token")
    made = {obj["kind"]: obj for obj in unit_objects(spec, units_of(spec)["orders"], FILES, IMAGE, sealed)}
    assert pod_of(made["Deployment"])["initContainers"][0]["env"][0] == wanted
