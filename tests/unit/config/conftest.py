from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from devenv.config.load import load
from devenv.config.model import Environment, Mode
from devenv.errors import ConfigError

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes files of a project: text by relative path."""

    def write(files: dict[str, str]) -> Path:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return write


def read(root: Path, *, profile: str | None = None, modes: dict[str, Mode] | None = None) -> Environment:
    return load(None, start=root, profiles=[profile] if profile else (), modes=modes)


def faults(root: Path, *, profile: str | None = None, environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(None, start=root, profiles=[profile] if profile else (), environ=environ)
    return list(caught.value.details)
