"""How long it took to fill the volumes of new pods from their image."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress

from devenv.errors import DevenvError
from devenv.ports import Kube, Object
from devenv.sync.places import SEEDER

WORTH_SECONDS = 0.1
_TOLD = re.compile(r"seeded (?P<files>\d+) files, \d+ bytes in (?P<seconds>[\d.]+) s")


def seeding(kube: Kube, pods: Iterable[Object]) -> str:
    """ "1204 files seeded in 1.3 s", of the pod that took longest; "" where it was done at once."""
    told = [(float(line["seconds"]), line["files"]) for pod in pods for line in _lines(kube, pod)]
    seconds, files = max(told, default=(0.0, ""))
    noun = "file" if files == "1" else "files"
    return f"{files} {noun} seeded in {seconds:.1f} s" if seconds >= WORTH_SECONDS else ""


def _lines(kube: Kube, pod: Object) -> Iterator[re.Match[str]]:
    metadata, steps = pod["metadata"], pod.get("spec", {}).get("initContainers", [])
    if any(step["name"] == SEEDER for step in steps):
        # A pod that is gone again took what it took.
        with suppress(DevenvError):
            for line in kube.pods.logs(metadata["namespace"], metadata["name"], SEEDER, tail=5):
                yield from _TOLD.finditer(line)
