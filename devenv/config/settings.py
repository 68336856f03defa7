"""The machine-wide settings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from devenv import problems
from devenv.config.model import Settings
from devenv.config.source import Fault, plain_value, read_file
from devenv.errors import ConfigError


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
    if tree is not None:
        from devenv.config.schema import SettingsFile
        from devenv.config.shape import check

        check(SettingsFile, tree, faults)
    if faults or tree is None:
        raise ConfigError(
            problems.SETTINGS_INVALID,
            count=count_faults(faults),
            file=file,
            details=[fault.line(file.parent) for fault in faults],
        )
    return _settings(file, SettingsFile.model_validate(plain_value(tree)))


def count_faults(faults: list[Fault]) -> str:
    """ "1 fault" or "3 faults"."""
    return "1 fault" if len(faults) == 1 else f"{len(faults)} faults"


def _settings(file: Path, found: object) -> Settings:
    from devenv.config.schema import SettingsFile

    assert isinstance(found, SettingsFile)
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
