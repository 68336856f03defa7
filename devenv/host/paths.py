"""Folders of this user, by the XDG base directory rules."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

SOCKET_PATH_LIMIT = 70
"""Unix socket paths hold about 100 bytes; the rest is for the file's name."""


def _folder(variable: str, default: str) -> Path:
    given = os.environ.get(variable)
    return (Path(given) if given else Path.home() / default) / "devenv"


def settings_file() -> Path:
    """Where the settings are by default."""
    return _folder("XDG_CONFIG_HOME", ".config") / "settings.yaml"


def state_folder() -> Path:
    """What outlives a run: logs, markers of work under way."""
    return _folder("XDG_STATE_HOME", ".local/state")


def runtime_folder() -> Path:
    """Sockets of live sessions: a folder of this user alone, with a short path. PermissionError where it is not."""
    folder = runtime_place()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.lstat().st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to another user")
    folder.chmod(0o700)
    return folder


def runtime_place() -> Path:
    """Where that folder is or would be; nothing is made."""
    given = os.environ.get("XDG_RUNTIME_DIR")
    folder = Path(given) / "devenv" if given else state_folder() / "run"
    if len(str(folder)) > SOCKET_PATH_LIMIT:
        return Path(tempfile.gettempdir()) / f"devenv-{os.getuid()}"
    return folder


def log_file(name: str) -> Path:
    """The file of one log: `last` is that of the last run."""
    return state_folder() / "log" / f"{name}.log"


def trust_file() -> Path:
    """Which commands of files may run."""
    return state_folder() / "trust.json"
