from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import devenv
from devenv.config import search
from devenv.config.model import Settings
from devenv.config.settings import load_settings
from devenv.errors import ConfigError


def test_without_a_file_there_are_defaults(tmp_path: Path) -> None:
    assert load_settings({}, default=tmp_path / "s.yaml") == Settings(tmp_path / "s.yaml")


def test_everything_can_be_set(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(
        "cluster: {name: mine, node_image: 'kindest/node:v1'}\nregistry: {name: r, port: 5009, image: 'registry:3'}\n"
        "tools: {kind: /k}\nmirrors: {docker.io: 'http://m:5000'}\nallowed_contexts: [staging]\n"
    )
    found = load_settings({"DEVENV_SETTINGS": str(file)}, default=tmp_path / "other")
    assert found == Settings(
        file, "kind", "mine", "kindest/node:v1", "r", 5009, "registry:3",
        {"docker.io": "http://m:5000"}, {"kind": "/k"}, ("staging",),
    )  # fmt: skip


def test_faults_are_told_with_their_place(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text("cluster: {provider: k3d}\nregistri: {}\nmirrors: {docker.io: mirror}\n")
    with pytest.raises(ConfigError) as caught:
        load_settings({}, default=file)
    assert caught.value.code == "settings-invalid"
    assert list(caught.value.details) == [
        's.yaml:1:21  cluster.provider  expected kind, got "k3d"',
        's.yaml:2:1  registri  unknown key "registri" (did you mean "registry"?)',
        's.yaml:3:22  mirrors.docker.io  expected a URL that begins with http:// or https://, got "mirror"',
    ]


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="1 fault in the settings file"):
        load_settings({"DEVENV_SETTINGS": str(tmp_path / "none")}, default=tmp_path / "s.yaml")


def test_shipped_profiles_are_found_in_a_checkout_and_in_a_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = search.shipped_names()
    assert {"postgres", "redis"} <= set(names)
    package = tmp_path / "devenv"
    package.mkdir()
    shutil.copytree(search.shipped_folder(), package / "_profiles")
    monkeypatch.setattr(devenv, "__file__", str(package / "__init__.py"))
    assert search.shipped_folder() == package / "_profiles"
    assert search.shipped_names() == names
