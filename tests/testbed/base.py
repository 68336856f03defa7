"""The bare Debian 12 that every image is made of."""

import shutil
from functools import partial
from pathlib import Path

from tests.testbed.commands import read, run
from tests.testbed.docker import BUILD_ENV
from tests.testbed.fingerprints import fingerprint
from tests.testbed.places import DATA, Places
from tests.testbed.steps import Step

BASE_IMAGE = "devenv-testbed/base:bookworm"
OVERLAY = DATA / "base"
SUITE = "bookworm"


def plan_base(places: Places) -> list[Step]:
    """The steps that make the base: its files by debootstrap (needs no Docker), then an image of them."""
    folder = places.home / "base"
    return [
        Step(
            name="debian files",
            lane="images",
            key=lambda: SUITE,
            present=lambda: (folder / "etc" / "debian_version").is_file(),
            carry_out=partial(bootstrap_debian, folder),
            needs=("packages",),
        ),
        Step(
            name="base image",
            lane="images",
            key=lambda: fingerprint(SUITE, OVERLAY),
            present=lambda: read_image_id(BASE_IMAGE) is not None,
            carry_out=partial(import_base, places, folder),
            needs=("docker",),
        ),
    ]


def read_image_id(name: str) -> str | None:
    """The ID of an image that Docker has, else None."""
    return read(["docker", "image", "inspect", "--format", "{{.Id}}", name])


def bootstrap_debian(folder: Path, log: Path) -> None:
    """Unpack a minimal Debian into a folder; raises TestbedError."""
    draft = folder.with_name("base.new")
    # An interrupted run may have left its mounts, and nobody wants those emptied.
    for mount in ("proc", "sys"):
        read(["umount", "--recursive", draft / mount])
    shutil.rmtree(draft, ignore_errors=True)
    run(["debootstrap", "--variant=minbase", SUITE, draft], log)
    shutil.rmtree(folder, ignore_errors=True)
    draft.rename(folder)


def import_base(places: Places, folder: Path, log: Path) -> None:
    """Make the base image: without documentation, package lists and device files; raises TestbedError."""
    context = fresh_folder(places.build / "base")
    shutil.copytree(OVERLAY, context, dirs_exist_ok=True)
    unwanted = ["dev", "proc", "sys", "var/lib/apt/lists", "var/cache/apt", "var/log", "debootstrap"]
    unwanted += ["usr/share/doc", "usr/share/man", "usr/share/info", "usr/share/locale", "usr/share/lintian"]
    excluded = [f"--exclude=./{path}/*" for path in unwanted]
    run(["tar", "-C", folder, "--numeric-owner", *excluded, "-cf", context / "base.tar", "."], log)
    run(["docker", "build", "--force-rm", "--tag", BASE_IMAGE, context], log, env=BUILD_ENV)
    shutil.rmtree(context)


def fresh_folder(path: Path) -> Path:
    """An empty folder, whatever was there before."""
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    return path
