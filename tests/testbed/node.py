"""The kind node image: Debian, containerd and Kubernetes, with the control plane's images in its containerd."""

import os
import shutil
import subprocess
from functools import partial
from pathlib import Path

from tests.testbed.base import BASE_IMAGE, OVERLAY, SUITE, fresh_folder, read_image_id
from tests.testbed.commands import TestbedError, read, run
from tests.testbed.docker import BUILD_ENV
from tests.testbed.fingerprints import fingerprint
from tests.testbed.places import DATA, KUBERNETES_VERSION, NODE_IMAGE, Places
from tests.testbed.steps import Step

NODE_SOURCE = DATA / "node"
PREPARED_IMAGE = "devenv-testbed/node:prepared"
KUBERNETES_IMAGE = "devenv-testbed/kubernetes:built"
PAUSE_IMAGE = "devenv-testbed/pause:built"
LOADER = "devenv-testbed-node"
# What node/files/kind/manifests/default-storage.yaml asks for.
VOLUME_IMAGES = ("docker.io/kindest/local-path-provisioner:v0.0.30", "docker.io/kindest/local-path-helper:v0.0.30")
ENTRYPOINT = '["/usr/local/bin/entrypoint", "/sbin/init"]'


def plan_node(places: Places) -> Step:
    """The step that makes the node image from the compiled programs."""
    programs = [places.bin / name for name in ("node", "local-path-provisioner", "oci-wrap", "pause")]
    return Step(
        name="node image",
        lane="images",
        key=lambda: fingerprint(SUITE, OVERLAY, NODE_SOURCE, NODE_IMAGE, *(p for p in programs if p.is_file())),
        present=lambda: read_image_id(NODE_IMAGE) is not None,
        carry_out=partial(build_node, places),
        needs=("base image", "kubernetes binary", "volume provisioner", "small programs"),
    )


def build_node(places: Places, log: Path) -> None:
    """Build the parts, put the control plane's images into the node's containerd, and commit; raises TestbedError."""
    context = fresh_folder(places.build / "node")
    shutil.copytree(NODE_SOURCE, context, dirs_exist_ok=True)
    for name in ("node", "local-path-provisioner", "oci-wrap", "pause"):
        os.link(places.bin / name, context / name)
    for image, file in (
        (PREPARED_IMAGE, "Dockerfile"),
        (KUBERNETES_IMAGE, "Dockerfile.kubernetes"),
        (PAUSE_IMAGE, "Dockerfile.pause"),
    ):
        base = [] if image == PAUSE_IMAGE else ["--build-arg", f"BASE={BASE_IMAGE}"]
        run(
            ["docker", "build", "--force-rm", "--file", context / file, *base, "--tag", image, context],
            log,
            env=BUILD_ENV,
        )
    shutil.rmtree(context)
    _load_images(log)
    run(["docker", "image", "rm", "--force", KUBERNETES_IMAGE, PAUSE_IMAGE], log)


def _load_images(log: Path) -> None:
    read(["docker", "rm", "--force", "--volumes", LOADER])
    start = [
        "docker",
        "run",
        "--detach",
        "--privileged",
        "--name",
        LOADER,
        "--network",
        "none",
        "--entrypoint",
        "containerd",
    ]
    run([*start, PREPARED_IMAGE], log)
    try:
        inside = ["docker", "exec", LOADER]
        run([*inside, "sh", "-c", "for i in $(seq 100); do ctr version && exit; sleep 0.1; done; exit 1"], log)
        _import_image(KUBERNETES_IMAGE, log)
        _import_image(PAUSE_IMAGE, log)
        for source, name in _list_names():
            run([*inside, "ctr", "-n", "k8s.io", "images", "tag", "--force", f"docker.io/{source}", name], log)
        for source in (KUBERNETES_IMAGE, PAUSE_IMAGE):
            run([*inside, "ctr", "-n", "k8s.io", "images", "rm", f"docker.io/{source}"], log)
        run(["docker", "stop", "--time", "20", LOADER], log)
        change = ["--change", f"ENTRYPOINT {ENTRYPOINT}", "--change", "CMD []"]
        run(["docker", "commit", *change, LOADER, NODE_IMAGE], log)
    finally:
        read(["docker", "rm", "--force", "--volumes", LOADER])


def _import_image(image: str, log: Path) -> None:
    load = ["docker", "exec", "--interactive", LOADER, "ctr", "-n", "k8s.io", "images", "import", "--no-unpack", "-"]
    with log.open("ab") as output, subprocess.Popen(["docker", "save", image], stdout=subprocess.PIPE) as save:
        code = subprocess.run(load, stdin=save.stdout, stdout=output, stderr=output, check=False).returncode
    if code or save.returncode:
        raise TestbedError(f"cannot load {image} into the node's containerd\nlog: {log}")


def _list_names() -> list[tuple[str, str]]:
    listing = [
        "docker",
        "exec",
        LOADER,
        "kubeadm",
        "config",
        "images",
        "list",
        "--kubernetes-version",
        KUBERNETES_VERSION,
    ]
    wanted = (read(listing) or "").split()
    if not wanted:
        raise TestbedError("kubeadm does not tell which images the control plane needs")
    pairs = [(PAUSE_IMAGE if "/pause:" in name else KUBERNETES_IMAGE, name) for name in wanted]
    return pairs + [(KUBERNETES_IMAGE, name) for name in VOLUME_IMAGES]
