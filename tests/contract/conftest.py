"""The same promises, kept by the fakes and by the real thing."""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devenv.kube.connection import KubeConnection, connect
from devenv.ports import Access, Object, Ref

IMAGE = os.environ.get("DEVENV_TEST_IMAGE", "busybox:1")
PATIENCE = 120.0


@pytest.fixture(scope="session")
def kube(request: pytest.FixtureRequest) -> KubeConnection:
    """The tests' cluster, or the context that DEVENV_TEST_CONTEXT names in KUBECONFIG."""
    if context := os.environ.get("DEVENV_TEST_CONTEXT"):
        return connect(Access(context))
    context = request.getfixturevalue("cluster")
    machine = request.getfixturevalue("machine")
    return connect(Access(context, Path(machine.env["KUBECONFIG"])))


@pytest.fixture
def namespace(kube: KubeConnection) -> Iterator[str]:
    """A namespace of the test's own; nobody waits for its end."""
    name = f"contract-{uuid.uuid4().hex[:8]}"
    kube.objects.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield name
    kube.objects.delete(Ref("v1", "Namespace", name))


@pytest.fixture(scope="module")
def box(kube: KubeConnection) -> Iterator[tuple[str, str, str]]:
    """Namespace, pod and container of a shell that waits."""
    name = f"contract-{uuid.uuid4().hex[:8]}"
    kube.objects.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield start_pod(kube, name, "while :; do sleep 1; done")
    kube.objects.delete(Ref("v1", "Namespace", name))


def start_pod(
    kube: KubeConnection,
    namespace: str,
    script: str,
    *,
    name: str = "box",
    restart: str = "Never",
    phase: str = "Running",
) -> tuple[str, str, str]:
    """Run a shell script in a pod and wait until the pod is in `phase` (or past it)."""
    container = {
        "name": "main",
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c", script],
        "volumeMounts": [{"name": "kept", "mountPath": "/kept"}],
    }
    spec = {
        "terminationGracePeriodSeconds": 0,
        "restartPolicy": restart,
        "automountServiceAccountToken": False,
        "containers": [container],
        "volumes": [{"name": "kept", "emptyDir": {}}],
    }
    # Made by the cluster a moment after the namespace; no pod starts without it.
    wait_for(kube, namespace, "v1", "ServiceAccount", lambda obj: obj["metadata"]["name"] == "default")
    kube.objects.apply(
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace}, "spec": spec}
    )
    phases = {phase, "Succeeded", "Failed"}
    wait_for(
        kube,
        namespace,
        "v1",
        "Pod",
        lambda obj: obj["metadata"]["name"] == name and obj.get("status", {}).get("phase") in phases,
    )
    return namespace, name, "main"


def wait_for(
    kube: KubeConnection, namespace: str, api_version: str, kind: str, done: Callable[[Object], bool]
) -> Object:
    """The first state of an object of which `done` is true."""
    stop = threading.Event()
    timer = threading.Timer(PATIENCE, stop.set)
    timer.start()
    try:
        for event in kube.objects.watch(api_version, kind, namespace=namespace, stop=stop):
            if event.type != "DELETED" and done(event.object):
                return event.object
    finally:
        timer.cancel()
    raise AssertionError(f"no {kind} became what was waited for")
