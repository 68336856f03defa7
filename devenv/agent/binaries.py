"""The agent's program, for the processor of a container."""

from __future__ import annotations

from typing import Literal

from devenv import problems
from devenv.agent import compile as made
from devenv.errors import ToolError

Arch = Literal["amd64", "arm64"]
ARCHES: tuple[Arch, ...] = ("amd64", "arm64")


def binary(arch: Arch) -> bytes:
    """The program's bytes. ToolError agent-missing in a checkout whose agent.c was changed and not compiled."""
    folders = [made.PROGRAMS] if made.is_current() else [made.cache()]
    for folder in folders:
        if made.is_made(folder):
            return (folder / arch).read_bytes()
    raise ToolError(problems.AGENT_MISSING, source=made.HERE / made.SOURCE)
