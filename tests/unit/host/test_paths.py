from __future__ import annotations

import stat
from pathlib import Path

import pytest

from devenv.host.paths import log_file, runtime_folder, settings_file, state_folder


def test_xdg_variables_are_honoured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "c"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "s"))
    assert settings_file() == tmp_path / "c" / "devenv" / "settings.yaml"
    assert state_folder() == tmp_path / "s" / "devenv"
    assert log_file("last") == tmp_path / "s" / "devenv" / "log" / "last.log"


def test_without_them_folders_lie_below_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert settings_file() == tmp_path / ".config" / "devenv" / "settings.yaml"
    assert state_folder() == tmp_path / ".local" / "state" / "devenv"


def test_sockets_lie_where_only_the_user_may_look(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("devenv.host.paths.SOCKET_PATH_LIMIT", 1000)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "devenv").mkdir(mode=0o755)
    folder = runtime_folder()
    assert folder == tmp_path / "devenv"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_without_a_runtime_folder_they_lie_beside_the_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("devenv.host.paths.SOCKET_PATH_LIMIT", 1000)
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert runtime_folder() == tmp_path / "devenv" / "run"


def test_a_path_too_long_for_sockets_is_left_for_a_short_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / ("x" * 100)))
    assert runtime_folder().parent == tmp_path


def test_somebody_elses_folder_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("devenv.host.paths.SOCKET_PATH_LIMIT", 1000)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setattr("os.getuid", lambda: 4242)
    with pytest.raises(PermissionError, match="belongs to another user"):
        runtime_folder()
