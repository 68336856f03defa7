"""Environment variables apart: the plain ones, and those that are secrets."""

from __future__ import annotations

from collections.abc import Mapping

from devenv.config.model import Secret
from devenv.config.secret_shape import SecretFile
from devenv.config.source import Located, Map
from devenv.config.strict import Value, text_of


def plain_env(env: Mapping[str, Value | SecretFile]) -> dict[str, str]:
    """The variables that are written as they are, as text."""
    return {key: text_of(value) for key, value in env.items() if not isinstance(value, SecretFile)}


def secrets_of(env: Mapping[str, Value | SecretFile], tree: Located | None) -> dict[str, Secret]:
    """The variables that are secrets; `tree` is where they are written. A file is seen from the file that names it."""
    return {key: _secret(value, _place(tree, key)) for key, value in env.items() if isinstance(value, SecretFile)}


def _place(tree: Located | None, key: str) -> Located:
    found = tree.value(key) if isinstance(tree, Map) else None
    secret = found.value("secret") if isinstance(found, Map) else None
    source = next(iter(secret.entries.values()))[1] if isinstance(secret, Map) else None
    assert source is not None
    return source


def _secret(written: SecretFile, place: Located) -> Secret:
    source, origin = written.secret, place.origin
    if source.env is not None:
        return Secret("env", origin, env=source.env)
    if source.file is not None:
        return Secret("file", origin, file=(origin.file.parent / source.file).resolve())
    command = source.exec or ""
    return Secret("exec", origin, exec=("sh", "-c", command) if isinstance(command, str) else tuple(command))
