"""The mirror: a registry in a container, and the declared images built and pushed into it."""

import os
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from tests.testbed.base import BASE_IMAGE, OVERLAY, SUITE, fresh_folder
from tests.testbed.commands import TestbedError, read, run
from tests.testbed.docker import BUILD_ENV
from tests.testbed.fingerprints import fingerprint
from tests.testbed.images import FILES, Image, find_reference, read_images, render_dockerfile
from tests.testbed.places import MIRROR_ADDRESS, MIRROR_NAME, MIRROR_PORT, NETWORK, Places
from tests.testbed.steps import Step

HOST_CERTIFICATES = Path("/usr/local/share/ca-certificates")
MANIFEST_TYPES = "application/vnd.docker.distribution.manifest.v2+json"
START_SECONDS = 30


def plan_mirror(places: Places) -> list[Step]:
    """The steps that start the mirror and fill it: the registry's own image first."""
    images = read_images()
    registry = next(image for image in images if image.name == "registry:2")
    start = Step(
        name="mirror",
        lane="images",
        key=lambda: hash_image(registry, images),
        present=is_mirror_up,
        carry_out=partial(start_mirror, places, registry),
        needs=("network", "base image"),
    )
    return [start, *(_plan_image(places, image, images) for image in images)]


def _plan_image(places: Places, image: Image, images: tuple[Image, ...]) -> Step:
    needs = ("mirror", f"image {image.base}") if image.base else ("mirror",)
    return Step(
        name=f"image {image.name}",
        lane="images",
        key=lambda: hash_image(image, images),
        present=lambda: all(is_served(name) for name in image.names),
        carry_out=partial(publish_image, places, image),
        needs=needs,
    )


def hash_image(image: Image, images: tuple[Image, ...]) -> str:
    """The hash of all that goes into an image, what it is made from included."""
    below = [hash_image(other, images) for other in images if other.name == image.base]
    trust = [text for pair in collect_trust().items() for text in pair] if image.host_trust else []
    return fingerprint(SUITE, OVERLAY, repr(image), *image.sources, *below, *trust)


def collect_trust() -> dict[str, str]:
    """What images with host_trust get, target → text: this machine's CA certificates and settings for pip."""
    certificates = sorted(HOST_CERTIFICATES.glob("*.crt"))
    trust = {str(path): path.read_text() for path in certificates}
    lines = ["cert = /etc/ssl/certs/ca-certificates.crt"] if certificates else []
    for option in ("index-url", "extra-index-url", "trusted-host"):
        value = os.environ.get(f"PIP_{option.upper().replace('-', '_')}")
        lines += [f"{option} = {value}"] if value else []
    if lines:
        trust["/etc/pip.conf"] = "\n".join(["[global]", *lines]) + "\n"
    return trust


def build_image(places: Places, image: Image, log: Path) -> None:
    """Build an image under all its names in the mirror; raises TestbedError."""
    context = fresh_folder(places.build / image.name.replace("/", "_").replace(":", "_"))
    trust = _write_trust(context, collect_trust() if image.host_trust else {})
    for name, _ in image.files:
        (context / "context" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(FILES / name, context / "context" / name)
    for coordinates, _ in image.maven:
        run(
            [
                "mvn",
                "-q",
                "-B",
                "dependency:copy",
                f"-Dartifact={coordinates}",
                f"-DoutputDirectory={context / 'maven'}",
            ],
            log,
        )
    base = find_reference(image.base) if image.base else BASE_IMAGE
    (context / "Dockerfile").write_text(render_dockerfile(image, base, trust))
    tags = [word for name in image.names for word in ("--tag", find_reference(name))]
    run(["docker", "build", "--force-rm", *tags, context], log, env=BUILD_ENV)
    shutil.rmtree(context)


def _write_trust(context: Path, trust: Mapping[str, str]) -> dict[str, str]:
    (context / "trust").mkdir()
    for target, text in trust.items():
        (context / "trust" / Path(target).name).write_text(text)
    return {Path(target).name: target for target in trust}


def publish_image(places: Places, image: Image, log: Path) -> None:
    """Build an image and push it into the mirror under all its names; raises TestbedError."""
    build_image(places, image, log)
    for name in image.names:
        run(["docker", "push", "--quiet", find_reference(name)], log)


def start_mirror(places: Places, registry: Image, log: Path) -> None:
    """Start the mirror's container anew from the registry image made here; raises TestbedError."""
    build_image(places, registry, log)
    read(["docker", "rm", "--force", MIRROR_NAME])
    network = ["--network", NETWORK, "--publish", f"{MIRROR_ADDRESS}:{MIRROR_PORT}"]
    storage = ["--volume", f"{MIRROR_NAME}:/var/lib/registry", "--restart", "unless-stopped"]
    run(["docker", "run", "--detach", "--name", MIRROR_NAME, *network, *storage, find_reference(registry.name)], log)
    _await_mirror()


def mend_mirror() -> bool:
    """Start the mirror's container if it is there but stopped; True if that was needed."""
    state = read(["docker", "inspect", "--format", "{{.State.Running}}", MIRROR_NAME])
    if state != "false" or read(["docker", "start", MIRROR_NAME]) is None:
        return False
    _await_mirror()
    return True


def _await_mirror() -> None:
    deadline = time.monotonic() + START_SECONDS
    while not is_mirror_up():
        if time.monotonic() > deadline:
            raise TestbedError(f"the mirror does not answer at {MIRROR_ADDRESS}\nhint: docker logs {MIRROR_NAME}")
        time.sleep(0.1)


def is_mirror_up() -> bool:
    """Whether the mirror answers. Format: the OCI distribution specification."""
    return _ask("GET", "/v2/") == 200


def is_served(name: str) -> bool:
    """Whether the mirror has an image under this name."""
    repository, _, tag = find_reference(name).removeprefix(f"{MIRROR_ADDRESS}/").rpartition(":")
    return _ask("HEAD", f"/v2/{repository}/manifests/{tag}") == 200


def _ask(method: str, path: str) -> int:
    request = urllib.request.Request(
        f"http://{MIRROR_ADDRESS}{path}", method=method, headers={"Accept": MANIFEST_TYPES}
    )
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(request, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0
