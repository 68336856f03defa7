from __future__ import annotations

import shutil
import tarfile
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder

from devenv.agent import compile as made
from devenv.agent.binaries import ARCHES, binary
from tests.conftest import ROOT


def test_a_wheel_carries_the_programs_and_their_source(tmp_path: Path) -> None:
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with zipfile.ZipFile(wheel) as archive:
        for arch in ARCHES:
            assert archive.read(f"devenv/agent/bin/{arch}") == binary(arch)
        assert archive.read(f"devenv/agent/bin/{made.MADE_FROM}").decode() == made.fingerprint()
        assert archive.read("devenv/agent/agent.c") == (made.HERE / made.SOURCE).read_bytes()


def test_a_source_distribution_carries_no_programs(tmp_path: Path) -> None:
    (sdist,) = SdistBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with tarfile.open(sdist) as archive:
        names = [name for name in archive.getnames() if "/devenv/agent/" in name]
    assert any(name.endswith("/agent.c") for name in names)
    assert [name for name in names if "/bin/" in name] == []


def test_the_compiler_is_asked_for_only_where_it_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert made.ZIG not in WheelBuilder(str(ROOT)).config.dependencies
    shutil.copytree(ROOT / "devenv", tmp_path / "devenv", ignore=shutil.ignore_patterns("bin", "__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "devenv/agent/agent.c").write_text("int main(void) { return 0; }\n")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert made.ZIG in WheelBuilder(str(tmp_path)).config.dependencies
