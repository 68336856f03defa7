"""The agent in the pods of generated and of own manifests."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
import yaml

from devenv import problems
from devenv.config.model import (
    ContainerStep,
    Deploy,
    Origin,
    Reload,
    Running,
    Secret,
    Service,
    Syncing,
    SyncRule,
    Volume,
)
from devenv.errors import ConfigError
from devenv.plan.agent import agent_config_map, program_of
from devenv.plan.changes import changes
from devenv.plan.image import Image
from devenv.plan.marks import HASH
from devenv.plan.secrets import Sealed
from devenv.plan.units import Files, Unit, notes_of, unit_objects
from tests.unit.plan.test_units import environment, service

PROGRAM = "/.devenv/bin/agent"
BINARIES = {"amd64": b"\x7fELF amd64", "arm64": b"\x7fELF arm64"}
IMAGE = Image("localhost:5001/shop-orders:abc", ("python", "-m", "orders"), ("python",))
RULE = SyncRule(Path("/p/src"), "/app/src", Reload("restart"))
MANIFEST = Path("/p/deploy.yaml")


def objects(spec: Service, *, image: Image = IMAGE, manifest: str = "", sealed: Sealed | None = None) -> list[Any]:
    files = Files({MANIFEST: manifest.encode()}, agents=BINARIES)
    return unit_objects(environment(orders=spec), Unit("orders", "service"), files, image, sealed)


def notes(spec: Service, manifest: str) -> list[str]:
    files = Files({MANIFEST: manifest.encode()}, agents=BINARIES)
    return notes_of(environment(orders=spec), Unit("orders", "service"), files, IMAGE)


def synced(*rules: SyncRule, syncing: Syncing | None = None, **changes: Any) -> Service:
    return service(sync=rules or (RULE,), syncing=syncing or Syncing(), **changes)


def own(*rules: SyncRule, syncing: Syncing | None = None, **changes: Any) -> Service:
    return synced(*rules, syncing=syncing, deploy=Deploy(MANIFEST), **changes)


def template(made: list[Any]) -> Any:
    kinds = ("Deployment", "StatefulSet", "DaemonSet")
    return next(obj for obj in made if obj["kind"] in kinds)["spec"]["template"]


def pod(made: list[Any]) -> Any:
    return template(made)["spec"]


def main(made: list[Any]) -> Any:
    return pod(made)["containers"][0]


def steps(made: list[Any]) -> dict[str, Any]:
    return {step["name"]: step for step in pod(made).get("initContainers", [])}


def mounts(container: Any) -> dict[str, str]:
    return {mount["mountPath"]: mount["name"] for mount in container.get("volumeMounts", [])}


def test_a_service_runs_under_the_agent() -> None:
    made = objects(synced())
    assert main(made)["command"] == [PROGRAM, "init", "--gate", "30", "--", "python", "-m", "orders"]
    assert mounts(main(made)) == {
        "/.devenv/bin": "devenv-agent",
        "/.devenv/state": "devenv-state",
        "/app/src": "devenv-sync-0",
    }
    assert template(made)["metadata"]["annotations"] == {
        "dev.devenv/agent": "orders",
        "kubectl.kubernetes.io/default-container": "orders",
    }
    volumes = {volume["name"]: volume for volume in pod(made)["volumes"]}
    program = made[0]
    assert volumes["devenv-agent"]["configMap"] == {"name": program["metadata"]["name"], "defaultMode": 0o555}
    assert volumes["devenv-state"] == {"name": "devenv-state", "emptyDir": {}}
    assert volumes["devenv-sync-0"] == {"name": "devenv-sync-0", "emptyDir": {}}
    assert main(made)["readinessProbe"]["tcpSocket"]
    assert "startupProbe" not in main(made)


def test_its_volumes_are_seeded_before_anything_else() -> None:
    rules = (RULE, SyncRule(Path("/p/t"), "/srv/t"), SyncRule(Path("/p/a"), "/app/src/deep"))
    made = objects(synced(*rules, running=Running(init=(ContainerStep("migrate", ("m",)),))))
    seeder = pod(made)["initContainers"][0]
    assert seeder["name"] == "devenv-seed"
    assert seeder["command"] == [PROGRAM, "seed", "/app/src", "/.devenv/seed/0", "/srv/t", "/.devenv/seed/1"]
    assert mounts(seeder) == {
        "/.devenv/bin": "devenv-agent",
        "/.devenv/state": "devenv-state",
        "/.devenv/seed/0": "devenv-sync-0",
        "/.devenv/seed/1": "devenv-sync-1",
    }
    assert seeder["image"] == IMAGE.reference
    assert seeder["imagePullPolicy"] == "IfNotPresent"
    assert "env" not in seeder


def test_the_config_map_has_the_program_for_the_images_processor() -> None:
    for arch, content in BINARIES.items():
        image = Image(IMAGE.reference, IMAGE.program, arch=arch)
        program = objects(synced(), image=image)[0]
        assert base64.b64decode(program["binaryData"]["agent"]) == content
        assert program["immutable"] is True
        assert program["metadata"]["namespace"] == "shop"
        assert program["metadata"]["annotations"][HASH]


def test_another_program_has_another_name_so_that_pods_are_made_anew() -> None:
    one, other = (agent_config_map("orders", content)["metadata"]["name"] for content in (b"a", b"b"))
    assert one != other
    assert one.startswith("orders-devenv-agent-")


def test_an_image_for_another_processor_is_refused() -> None:
    with pytest.raises(ConfigError, match="is for s390x, and devenv's agent only for amd64, arm64") as caught:
        objects(synced(), image=Image("x:1", ("a",), arch="s390x"))
    assert caught.value.code == problems.ARCH_UNKNOWN.code


@pytest.mark.parametrize(
    "spec", [service(), synced(syncing=Syncing(agent=False))], ids=["without sync", "without agent"]
)
def test_who_has_no_agent(spec: Service) -> None:
    made = objects(spec)
    assert [obj["kind"] for obj in made] == ["Deployment", "Service"]
    assert "volumes" not in pod(made)
    assert "annotations" not in template(made)["metadata"]


def test_a_service_without_the_agent_still_restarts_under_the_shell() -> None:
    assert main(objects(synced(syncing=Syncing(agent=False))))["command"][:2] == ["sh", "-c"]


def test_without_programs_nothing_changes() -> None:
    made = unit_objects(environment(orders=synced()), Unit("orders", "service"), Files(), IMAGE)
    assert [obj["kind"] for obj in made] == ["Deployment", "Service"]


def test_the_gate_and_the_services_command() -> None:
    made = objects(synced(command=("sh", "-c", "echo $$ $(A)"), syncing=Syncing(gate=0)))
    assert main(made)["command"] == [PROGRAM, "init", "--gate", "0", "--", "sh", "-c", "echo $$ $(A)"]


def test_in_place_there_are_no_volumes_and_a_new_container_waits_again() -> None:
    made = objects(synced(syncing=Syncing(in_place=True)))
    assert main(made)["command"][:5] == [PROGRAM, "init", "--fresh", "--gate", "30"]
    assert set(mounts(main(made))) == {"/.devenv/bin", "/.devenv/state"}
    assert "initContainers" not in pod(made)


def test_a_file_in_a_system_folder_stays_in_place() -> None:
    made = objects(synced(RULE, SyncRule(Path("/p/c"), "/etc/app.conf", is_file=True)))
    assert "--fresh" in main(made)["command"]
    assert set(mounts(main(made))) == {"/.devenv/bin", "/.devenv/state", "/app/src"}


def test_a_volume_of_the_services_own_is_used_as_it_is() -> None:
    made = objects(synced(SyncRule(Path("/p"), "/data/src"), volumes={"data": Volume("/data", "1Gi")}))
    assert mounts(main(made)) == {"/data": "data", "/.devenv/bin": "devenv-agent", "/.devenv/state": "devenv-state"}
    assert "--fresh" not in main(made)["command"]
    below = objects(synced(SyncRule(Path("/p"), "/app"), volumes={"data": Volume("/app/data", "1Gi")}))
    assert mounts(main(below))["/app"] == "devenv-sync-0"
    assert mounts(main(below))["/app/data"] == "data"


INIT = Running(init=(ContainerStep("migrate", ("migrate", "up")), ContainerStep("tool", ("t",), image="acme/tool:1")))


def test_init_steps_of_the_same_image_see_the_targets() -> None:
    made = objects(synced(running=INIT))
    assert list(steps(made)) == ["devenv-seed", "migrate", "tool"]
    assert mounts(steps(made)["migrate"]) == {"/app/src": "devenv-sync-0"}
    assert steps(made)["migrate"]["command"] == ["migrate", "up"]
    assert mounts(steps(made)["tool"]) == {}


def test_init_steps_may_wait_for_sync() -> None:
    made = objects(synced(running=INIT, syncing=Syncing(wait_for_sync=True)))
    migrate = steps(made)["migrate"]
    assert migrate["command"] == [PROGRAM, "init", "--gate", "30", "--", "migrate", "up"]
    assert set(mounts(migrate)) == {"/.devenv/bin", "/.devenv/state", "/app/src"}
    assert steps(made)["tool"]["command"] == ["t"]
    assert template(made)["metadata"]["annotations"]["dev.devenv/agent"] == "orders,migrate"


def test_secrets_are_not_given_to_the_seeder() -> None:
    secrets = {"KEY": Secret("env", Origin(Path("/p/devenv.yaml"), 1, 1), env="KEY")}
    made = objects(synced(running=INIT, secrets=secrets), sealed=Sealed({"KEY": "x"}, "t"))
    assert "env" not in steps(made)["devenv-seed"]
    assert steps(made)["migrate"]["env"][0]["name"] == "KEY"
    assert main(made)["env"][0]["name"] == "KEY"


def test_a_service_without_ports_is_ready_once_its_program_started() -> None:
    probe = main(objects(synced(ports={})))["startupProbe"]
    assert probe["exec"] == {"command": [PROGRAM, "ready"]}
    assert probe["periodSeconds"] == 1
    assert probe["failureThreshold"] > 1000000


OWN = """\
kind: {kind}
apiVersion: apps/v1
metadata: {{name: orders}}
spec:
  template:
    metadata: {{annotations: {{a: b}}}}
    spec:
      securityContext: {{runAsUser: 1000, fsGroup: 2000}}
      terminationGracePeriodSeconds: 60
      initContainers:
        - {{name: migrate, image: "orders:dev", args: [migrate]}}
        - {{name: proxy, image: orders, restartPolicy: Always}}
        - {{name: other, image: busybox}}
      containers:
        - {{name: sidecar, image: envoy, livenessProbe: {{exec: {{command: [a]}}}}}}
        - name: main
          image: orders
          imagePullPolicy: Always
          securityContext: {{readOnlyRootFilesystem: true, capabilities: {{drop: [ALL]}}}}
          resources: {{limits: {{memory: 64Mi}}}}
          {more}
          volumeMounts: [{{name: data, mountPath: /app/data}}]
      volumes: [{{name: data, emptyDir: {{}}}}]
"""
PROBES = "livenessProbe: {httpGet: {port: 1}}\n          startupProbe: {httpGet: {port: 1}}"


def manifest(*, kind: str = "Deployment", more: str = "") -> str:
    return OWN.format(kind=kind, more=more)


def by_name(made: list[Any]) -> dict[str, Any]:
    return {found["name"]: found for found in [*pod(made)["initContainers"], *pod(made)["containers"]]}


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet"])
def test_own_manifests(kind: str) -> None:
    made = objects(own(SyncRule(Path("/p"), "/app")), manifest=manifest(kind=kind))
    found = by_name(made)
    assert list(found) == ["devenv-seed", "migrate", "proxy", "other", "sidecar", "main"]
    seeder = found["devenv-seed"]
    assert seeder["securityContext"] == {"readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
    assert seeder["resources"] == {"limits": {"memory": "64Mi"}}
    assert seeder["imagePullPolicy"] == "Always"
    assert found["main"]["command"] == [PROGRAM, "init", "--gate", "30", "--", "python", "-m", "orders"]
    assert mounts(found["main"])["/app/data"] == "data"
    assert found["migrate"]["image"] == found["proxy"]["image"] == found["main"]["image"] == IMAGE.reference
    assert mounts(found["migrate"]) == {"/app": "devenv-sync-0"}
    assert mounts(found["proxy"]) == mounts(found["other"]) == mounts(found["sidecar"]) == {}
    assert found["sidecar"]["livenessProbe"]
    assert pod(made)["terminationGracePeriodSeconds"] == 60
    assert pod(made)["securityContext"] == {"runAsUser": 1000, "fsGroup": 2000}
    assert template(made)["metadata"]["annotations"] == {"a": "b", "dev.devenv/agent": "main"}
    assert [volume["name"] for volume in pod(made)["volumes"]] == [
        "data",
        "devenv-agent",
        "devenv-state",
        "devenv-sync-0",
    ]


def test_init_containers_of_own_manifests_may_wait_for_sync() -> None:
    made = objects(own(syncing=Syncing(wait_for_sync=True)), manifest=manifest())
    assert by_name(made)["migrate"]["command"][-3:] == ["--", "python", "migrate"]
    assert "args" not in by_name(made)["migrate"]
    assert template(made)["metadata"]["annotations"]["dev.devenv/agent"] == "main,migrate"


@pytest.mark.parametrize(
    ("more", "program"),
    [
        ("args: [-m, other]", ["python", "-m", "other"]),
        ("command: [node]", ["node"]),
        ("{command: [node], args: [x]}", ["node", "x"]),
        ("command: []", ["python", "-m", "orders"]),
        ("args: []", ["python", "-m", "orders"]),
    ],
)
def test_command_and_args_mean_what_they_mean_to_kubernetes(more: str, program: list[str]) -> None:
    container = {"name": "main", **yaml.safe_load(more)}
    assert program_of(container, IMAGE, "orders") == program


def test_the_services_command_wins_over_the_manifests() -> None:
    made = objects(own(command=("serve",)), manifest=manifest(more="command: [a]\n          args: [b]"))
    assert by_name(made)["main"]["command"][-2:] == ["--", "serve"]
    assert "args" not in by_name(made)["main"]


def test_what_an_image_starts_is_taken_literally() -> None:
    image = Image("x", ("sh", "-c", "echo $$ $(NAME) $HOME"), ("sh",))
    assert program_of({}, image, "orders")[2] == "echo $$$$ $$(NAME) $$HOME"
    assert program_of({"args": ["$(NAME)"]}, image, "orders") == ["sh", "$(NAME)"]


@pytest.mark.parametrize(
    ("image", "container"),
    [
        (Image("x:1", unknown="the registry does not answer"), {}),
        (Image("x:1", unknown="the registry does not answer"), {"args": ["a"]}),
    ],
)
def test_a_program_that_nobody_knows_is_refused(image: Image, container: Any) -> None:
    with pytest.raises(ConfigError, match="image x:1 of orders starts: the registry does not answer") as caught:
        program_of(container, image, "orders")
    assert caught.value.code == problems.PROGRAM_UNKNOWN.code


def test_an_image_that_starts_nothing_is_refused_unless_there_is_a_command() -> None:
    with pytest.raises(ConfigError, match="neither entrypoint nor command"):
        program_of({}, Image("x:1"), "orders")
    assert program_of({"args": ["a"]}, Image("x:1"), "orders") == ["a"]
    assert program_of({"command": ["b"]}, Image("x:1", unknown="?"), "orders") == ["b"]


def test_probes_are_taken_out_and_it_is_told() -> None:
    text = manifest(more=PROBES)
    container = by_name(objects(own(), manifest=text))["main"]
    assert "livenessProbe" not in container
    assert container["startupProbe"]["exec"]["command"] == [PROGRAM, "ready"]
    told = "orders: its liveness and startup probes are taken out, as devenv restarts its program itself"
    assert notes(own(), text) == [f"{told} (sync: {{probes: keep}} keeps)"]
    assert "its liveness probe is taken out" in notes(own(), text.replace("startupProbe", "readinessProbe"))[0]
    assert notes(own(), manifest()) == []
    assert notes(service(deploy=Deploy(MANIFEST)), text) == []


def test_probes_may_be_kept() -> None:
    spec, text = own(syncing=Syncing(probes="keep")), manifest(more=PROBES)
    container = by_name(objects(spec, manifest=text))["main"]
    assert container["livenessProbe"] == container["startupProbe"] == {"httpGet": {"port": 1}}
    assert notes(spec, text) == []


def test_a_readiness_probe_stays_and_none_is_added() -> None:
    container = by_name(objects(own(), manifest=manifest(more="readinessProbe: {httpGet: {port: 1}}")))["main"]
    assert container["readinessProbe"] == {"httpGet": {"port": 1}}
    assert "startupProbe" not in container


def test_a_new_program_is_a_change_of_the_agent_alone() -> None:
    before, after = (objects(synced(), image=Image("x:1", ("a",), arch=arch))[1] for arch in ("amd64", "arm64"))
    assert changes(before, after) == ["agent"]


def test_another_target_is_a_change_of_the_agent_and_a_restart_rule_is_none() -> None:
    before = objects(synced())[1]
    assert changes(before, objects(synced(SyncRule(Path("/p"), "/app")))[1]) == ["agent"]
    assert objects(synced(SyncRule(Path("/p"), "/app/src")))[1] == before
