"""A service's image as the plan sees it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Image:
    """What a service's pod runs: how the pod names it, what it starts by itself and for which processor it is.

    `entrypoint` is the part of `program` that a manifest's `args` leave. `unknown` is the reason why it is not known
    what the image starts.
    """

    reference: str
    program: tuple[str, ...] = ()
    entrypoint: tuple[str, ...] = ()
    arch: str = "amd64"
    unknown: str = ""
