"""What most commands begin with: the settings and the environment."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from devenv.config.model import Environment, Mode, Settings

if TYPE_CHECKING:
    from devenv.config.load import Loaded


@dataclass(frozen=True, slots=True)
class Choice:
    """Which environment is meant: file, profiles (the later wins), and modes chosen on the command line."""

    file: Path | None = None
    profiles: Sequence[str] | None = None
    real: Sequence[str] = ()
    stub: Sequence[str] = ()
    off: Sequence[str] = ()

    def modes(self) -> dict[str, Mode]:
        """The chosen modes by dependency; a later option kind wins."""
        chosen: dict[str, Mode] = {name: "real" for name in self.real}
        chosen |= {name: "stub" for name in self.stub}
        return chosen | {name: "off" for name in self.off}


def load_environment(choice: Choice) -> Environment:
    """The environment of the current folder, its names kept for completion. ConfigError with all faults."""
    return load_layers(choice).environment


def load_layers(choice: Choice) -> Loaded:
    """The environment of the current folder with the layers that it was merged from. ConfigError with all faults."""
    from devenv.completion.names import remember, take_stamp
    from devenv.config import load

    file = _file_of(choice)
    stamp = take_stamp(file)
    loaded = load.load_layers(choice.file, start=Path.cwd(), profiles=choice.profiles or (), modes=choice.modes())
    remember(file, ",".join(choice.profiles or ()), stamp, names_of(loaded.environment))
    return loaded


def forget_names(choice: Choice) -> None:
    """Keep nothing for completion of an environment that is gone with all it had."""
    from devenv.completion.names import forget

    forget(_file_of(choice))


def _file_of(choice: Choice) -> str:
    from devenv.completion.names import find_file

    return os.path.abspath(choice.file) if choice.file else find_file(os.getcwd())


def names_of(environment: Environment) -> list[tuple[str, str, str]]:
    """What completion offers of an environment: (kind, name, the forms that a dependency has)."""
    found = [("service", name, "") for name in environment.services]
    found += [("group", name, "") for name in environment.groups]
    for name, dependency in environment.dependencies.items():
        real = dependency.real or dependency.project
        forms = (form for form, there in (("real", real), ("stub", dependency.stub)) if there)
        found.append(("dependency", name, " ".join(forms)))
    return found


def load_machine() -> Settings:
    """The settings of this machine. ConfigError."""
    from devenv.config.settings import load_settings
    from devenv.host.paths import settings_file

    return load_settings(os.environ, default=settings_file())


def wants_color(*, no_color: bool) -> bool:
    """Whether colours may be used at all."""
    return not no_color and "NO_COLOR" not in os.environ
