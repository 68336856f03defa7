from __future__ import annotations

import getpass
import hashlib
import shutil
import socket
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from devenv.agent import compile as made
from devenv.agent.binaries import ARCHES, Arch, binary
from devenv.errors import ToolError
from tests.scale import SCALE

ELF_MACHINES = {"amd64": 62, "arm64": 183}
PROGRAM_HEADER_INTERP = 3


@pytest.mark.parametrize("arch", ARCHES)
def test_a_program_is_small_and_static(arch: Arch) -> None:
    program = binary(arch)
    assert len(program) <= 64 * 1000
    assert program[:4] == b"\x7fELF"
    (machine,) = struct.unpack_from("<H", program, 18)
    assert machine == ELF_MACHINES[arch]
    table, size, count = struct.unpack_from("<Q14xHH", program, 32)
    kinds = [struct.unpack_from("<I", program, table + number * size)[0] for number in range(count)]
    assert PROGRAM_HEADER_INTERP not in kinds


@pytest.mark.parametrize("arch", ARCHES)
def test_a_program_tells_nothing_of_where_it_was_made(arch: Arch) -> None:
    program = binary(arch)
    home = str(Path.home())
    names = [str(made.HERE), str(made.cache()), "/site-packages/", socket.gethostname()]
    names += [home] if home != "/root" else ["/root/"]
    names += [] if getpass.getuser() == "root" else [getpass.getuser()]
    assert [name for name in names if name.encode() in program] == []


def test_another_source_makes_other_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = made.fingerprint()
    (tmp_path / made.SOURCE).write_text("int main(void) { return 0; }\n")
    monkeypatch.setattr(made, "HERE", tmp_path)
    assert made.fingerprint() != before
    assert not made.is_current()


def test_programs_of_an_older_source_are_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / made.SOURCE).write_text("int main(void) { return 0; }\n")
    monkeypatch.setattr(made, "HERE", tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(ToolError) as caught:
        binary("amd64")
    assert caught.value.code == "agent-missing"
    assert str(tmp_path / "agent.c") in caught.value.message


@pytest.mark.timeout(3600)
@pytest.mark.skipif(SCALE != "full", reason="installs a compiler of 80 MB: DEVENV_TEST_SCALE=full")
@pytest.mark.parametrize("arch", ARCHES)
def test_the_same_source_makes_the_same_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arch: Arch) -> None:
    python = tmp_path / "venv/bin/python"
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", made.ZIG], check=True)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.copy(made.HERE / made.SOURCE, elsewhere)
    monkeypatch.setattr(sys, "executable", str(python))
    monkeypatch.setattr(made, "HERE", elsewhere)
    made.compile_to(tmp_path / arch, arch)
    assert hashlib.sha256((tmp_path / arch).read_bytes()).digest() == hashlib.sha256(binary_of(arch)).digest()


def binary_of(arch: Arch) -> bytes:
    return (made.PROGRAMS / arch).read_bytes()


def test_what_the_cache_has_is_not_compiled_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / made.SOURCE).write_text("no C at all\n")
    monkeypatch.setattr(made, "HERE", tmp_path)
    monkeypatch.setattr(made, "PROGRAMS", tmp_path / "bin")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    made.cache().mkdir(parents=True)
    for arch in ARCHES:
        (made.cache() / arch).write_bytes(arch.encode())
    assert made.make() == tmp_path / "bin"
    assert made.is_current()
    assert binary("arm64") == b"arm64"
