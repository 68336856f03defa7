"""The hooks of devenv.yaml as values."""

from __future__ import annotations

from devenv.config.model import HOOKS, Hook
from devenv.config.running import command_of
from devenv.config.source import Located, Map, Sequence, plain_value


def hooks_of(tree: Map) -> tuple[Hook, ...]:
    """The hooks of a checked devenv.yaml, in their order."""
    hooks = tree.value("hooks")
    return tuple(_hook(when, item) for when in HOOKS for item in _items(hooks, when))


def _items(hooks: Located | None, when: str) -> tuple[Located, ...]:
    listed = hooks.value(when) if isinstance(hooks, Map) else None
    return listed.items if isinstance(listed, Sequence) else ()


def _hook(when: str, item: Located) -> Hook:
    return Hook(when, command_of(plain_value(item)), item.origin)
