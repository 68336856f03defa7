from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from devenv.config.model import Dependency, Deploy, Environment, Origin, Real, Secret, Service
from devenv.plan.image import Image
from devenv.plan.marks import HASH, UNIT
from devenv.plan.secrets import TOKEN, Sealed, secret_name, token_of
from devenv.plan.units import Files, unit_objects, units_of

HERE = Origin(Path("/p/devenv.yaml"), 1, 1)
SECRET = Secret("env", HERE, env="NAME")
OWN = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}, annotations: {mine: "1"}}
    spec:
      containers:
        - {name: sidecar, image: envoy}
        - {name: web, image: web, env: [{name: KEY, value: old}, {name: MORE, value: "1"}]}
"""


def environment(*, own: bool = False) -> Environment:
    deploy = Deploy(Path("/p/web.yaml")) if own else None
    web = Service("web", None, "web", {}, {"PLAIN": "1"}, deploy, (), None, (), (), HERE, {"KEY": SECRET})
    real = Real("postgres", {"db": 5432}, env={"USER": "app"}, secrets={"PASSWORD": SECRET})
    return Environment("shop", Path("/p"), "default", {"web": web}, {"db": Dependency("db", "real", None, real, HERE)})


def objects(unit: str = "web", *, own: bool = False, value: str = "s3cret", token: str = "t1") -> list[dict[str, Any]]:
    shop = environment(own=own)
    sealed = Sealed({"KEY" if unit == "web" else "PASSWORD": value}, token)
    files = Files({Path("/p/web.yaml"): OWN.encode()})
    return unit_objects(shop, units_of(shop)[unit], files, Image("web:1"), sealed)


def test_a_unit_has_one_secret_of_its_own_and_its_container_refers_to_it() -> None:
    secret, deployment = objects()
    assert (secret["kind"], secret["metadata"]["name"], secret["type"]) == ("Secret", "web-devenv-secrets", "Opaque")
    assert secret["data"] == {"KEY": "czNjcmV0"}
    assert secret["metadata"]["labels"][UNIT] == "web"
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    reference = {"secretKeyRef": {"name": "web-devenv-secrets", "key": "KEY"}}
    assert container["env"] == [{"name": "KEY", "valueFrom": reference}, {"name": "PLAIN", "value": "1"}]


def test_a_real_dependency_may_have_secrets_too() -> None:
    kinds = [obj["kind"] for obj in objects("db")]
    assert kinds == ["Secret", "Deployment", "Service"]
    env = objects("db")[1]["spec"]["template"]["spec"]["containers"][0]["env"]
    assert [entry["name"] for entry in env] == ["PASSWORD", "USER"]


def test_in_own_manifests_only_the_services_container_gets_it() -> None:
    _, deployment = objects(own=True)
    template = deployment["spec"]["template"]
    sidecar, web = template["spec"]["containers"]
    assert "env" not in sidecar
    assert [(e["name"], "valueFrom" in e) for e in web["env"]] == [("KEY", True), ("MORE", False), ("PLAIN", False)]
    assert template["metadata"]["annotations"] == {"mine": "1", TOKEN: "t1"}


@pytest.mark.parametrize("own", [False, True])
def test_nothing_outside_the_secrets_data_depends_on_the_value(own: bool) -> None:
    def rest(value: str) -> str:
        secret, *others = objects(own=own, value=value)
        return json.dumps([{**secret, "data": None}, *others])

    assert rest("s3cret") == rest("another")


def test_another_token_is_another_hash_of_the_secret_and_of_the_pods() -> None:
    old, new = objects(token="t1"), objects(token="t2")
    for before, after in zip(old, new, strict=True):
        assert before["metadata"]["annotations"][HASH] != after["metadata"]["annotations"][HASH]


def test_the_token_in_the_cluster_stands_for_the_values_that_are_there() -> None:
    live = objects()[0]
    assert token_of(live, {"KEY": "s3cret"}) == "t1"
    assert token_of(live, {"KEY": "other"}) is None
    assert token_of(live, {"KEY": "s3cret", "MORE": "x"}) is None
    assert token_of({**live, "metadata": {}}, {"KEY": "s3cret"}) is None
    assert token_of(None, {"KEY": "s3cret"}) is None


def test_values_are_in_no_text_of_them() -> None:
    assert "s3cret" not in repr(Sealed({"KEY": "s3cret"}, "t1"))
    assert secret_name("web") == "web-devenv-secrets"
