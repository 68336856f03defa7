"""Puts the agent's programs into wheels and, for editable installations, beside their source."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class AgentHook(BuildHookInterface[Any]):
    """Runs compile.py; asks for the compiler (80 MB) only where the cache has no programs of this source."""

    def dependencies(self) -> list[str]:
        """What the build needs besides hatchling."""
        compile_ = _compile(self.root)
        return [] if compile_.is_current() or compile_.is_made(compile_.cache()) else [compile_.ZIG]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Makes the programs before files are gathered."""
        _compile(self.root).make()


def _compile(root: str) -> ModuleType:
    # devenv can't be imported here: what it needs is not installed.
    spec = importlib.util.spec_from_file_location("agent_compile", Path(root, "devenv", "agent", "compile.py"))
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
