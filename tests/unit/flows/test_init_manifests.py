"""Manifests of a project as a service's own: where the plan takes them, and what is said where it doesn't."""

from __future__ import annotations

from pathlib import Path

import pytest

from devenv.config.load import load
from devenv.flows.init import InitRequest, propose
from devenv.plan.manifests import container_name
from devenv.scan.proposal import Proposal
from devenv.scan.write import write
from tests.fakes.project_files import FakeProjectFiles

SERVICE = "---\napiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 80}]}\n"


def workload(name: str = "web", image: str = "web", more: str = "", container: str = "main") -> str:
    containers = f"[{{name: {container}, image: '{image}'{more}}}, {{name: side, image: envoy}}]"
    pod = f"template: {{metadata: {{labels: {{a: b}}}}, spec: {{containers: {containers}}}}}"
    return f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\nspec: {{{pod}}}\n"


def proposed(**files: str) -> Proposal:
    given = {f"k8s/{name}.yaml": text for name, text in files.items()}
    fake = FakeProjectFiles({"web/Dockerfile": "FROM x\nEXPOSE 80\nCOPY . /app\n", **given})
    return propose(InitRequest(fake.root), fake.read(fake.root), fake)


@pytest.mark.parametrize(
    ("text", "deploy"),
    [
        (workload(), {"path": "k8s/a.yaml"}),
        (workload().replace(", {name: side, image: envoy}", "").replace("'web'", "x/web:3"), {"path": "k8s/a.yaml"}),
        (
            workload("shop", "ghcr.io/acme/web:3").replace(", {name: side, image: envoy}", ""),
            {"path": "k8s/a.yaml", "workload": "deployment/shop"},
        ),
        (
            workload("shop", "ghcr.io/acme/web:3"),
            {"path": "k8s/a.yaml", "workload": "deployment/shop", "container": "main"},
        ),
        (
            workload("web", "other", container="web"),
            {"path": "k8s/a.yaml", "workload": "deployment/web", "container": "web"},
        ),
    ],
)
def test_a_manifest_that_fits_is_the_services_own(text: str, deploy: dict[str, str], tmp_path: Path) -> None:
    found = proposed(a=text + SERVICE)
    assert (dict(found.services[0].deploy), found.notes) == (deploy, ())
    for path, content in {**write(found), "k8s/a.yaml": text + SERVICE, "web/Dockerfile": "FROM x\n"}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(content, encoding="utf-8")
    service = load(tmp_path / "devenv.yaml", start=tmp_path).services["web"]
    assert service.deploy is not None
    assert container_name(service, service.deploy, service.deploy.path.read_bytes()) in ("main", "web")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (workload().replace("{name: web}", "{name: web, namespace: x}") + SERVICE, "metadata.namespace"),
        (workload("web", "{{ x }}") + SERVICE, "template"),
        (workload(), "no Service web"),
        (f"{workload()}---\n{workload('b', 'b')}{SERVICE}", "more than this service's"),
        (f"{SERVICE}---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: n}}\n---\n{workload()}", "(Namespace)"),
        (workload(more=", envFrom: [{secretRef: {name: s}}]") + SERVICE, "needs Secret/s"),
        (workload("web", "x") + SERVICE, "unclear"),
        (workload(more=", env: [{name: A, value: 2020-13-45}]") + SERVICE, "unclear"),
        ("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: 1\n" + SERVICE, "unclear"),
    ],
)
def test_one_that_does_not_fit_is_told_with_its_place(text: str, reason: str) -> None:
    found = proposed(a=text)
    (note,) = found.notes
    assert not found.services[0].deploy
    assert note.place.startswith("k8s/a.yaml:")
    assert reason in note.text


def test_what_may_be_missing_is_no_reason() -> None:
    text = workload(more=", envFrom: [{secretRef: {name: s, optional: true}}]")
    assert proposed(a=text + SERVICE).services[0].deploy


def test_a_security_context_is_no_reason() -> None:
    text = workload(more=", securityContext: {runAsUser: 1000, readOnlyRootFilesystem: true}")
    assert proposed(a=text + SERVICE).services[0].deploy


def test_of_several_manifests_none_is_chosen_and_kustomize_is_not_applied() -> None:
    several = proposed(a=workload() + SERVICE, b=workload() + SERVICE)
    assert "has several manifests (k8s/a.yaml:1, k8s/b.yaml:1)" in str(several.notes[0])
    kustomized = proposed(a=workload() + SERVICE, kustomization="resources: [a.yaml]\n")
    assert "kustomize build" in str(kustomized.notes[0])
    assert not several.services[0].deploy
    assert not kustomized.services[0].deploy


def test_volumes_belong_into_the_manifests() -> None:
    compose = "services: {web: {build: web, ports: ['80'], volumes: ['vol:/data']}}\n"
    files = {"compose.yaml": compose, "web/Dockerfile": "FROM x\n", "k8s/a.yaml": workload() + SERVICE}
    fake = FakeProjectFiles(files)
    found = propose(InitRequest(fake.root), fake.read(fake.root), fake)
    assert not found.services[0].volumes
    assert "the volumes vol are not carried over" in str(found.notes[0])
