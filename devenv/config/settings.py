"""The machine-wide settings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from devenv import problems
from devenv.config.model import Settings
from devenv.config.source import Fault, Map, count_faults, list_faults, plain_value, read_file
from devenv.errors import ConfigError

if TYPE_CHECKING:
    from devenv.config.schema import SettingsFile


def load_settings(environ: Mapping[str, str], *, default: Path) -> Settings:
    """The settings of the file that DEVENV_SETTINGS names (it must exist), else of `default` (it may not).

    Raises ConfigError settings-invalid with all faults.
    """
    given = environ.get("DEVENV_SETTINGS")
    file = Path(given) if given else default
    if not given and not file.exists():
        return Settings(file)
    faults: list[Fault] = []
    tree = read_file(file, faults)
    found = _checked(tree, faults) if tree else None
    if found is None:
        lines = list_faults(faults, file)
        raise ConfigError(problems.SETTINGS_INVALID, count=count_faults(lines), file=file, details=lines)
    return _settings(file, found)


def _checked(tree: Map, faults: list[Fault]) -> SettingsFile | None:
    from devenv.config.schema import SettingsFile
    from devenv.config.shape import check

    check(SettingsFile, tree, faults)
    return None if faults else SettingsFile.model_validate(plain_value(tree))


def _settings(file: Path, found: SettingsFile) -> Settings:
    return Settings(
        file=file,
        provider=found.cluster.provider,
        cluster=found.cluster.name,
        node_image=found.cluster.node_image,
        registry_name=found.registry.name,
        registry_port=found.registry.port,
        registry_image=found.registry.image,
        mirrors=found.mirrors,
        tools=found.tools,
        allowed_contexts=tuple(found.allowed_contexts),
    )
