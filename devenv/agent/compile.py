"""Builds the agent for each processor with ziglang, once for each content of agent.c.

`python -m devenv.agent.compile` does it in a checkout where agent.c was changed. Standard library only: the build of a
wheel runs this file before anything is installed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
from pathlib import Path

ZIG = "ziglang==0.17.1"
"""Pinned: the same source is to give the same bytes."""
MACHINES = {"amd64": "x86_64-linux-musl", "arm64": "aarch64-linux-musl"}
SOURCE = "agent.c"
FLAGS = (
    *("-static", "-s", "-Os", "-std=gnu11", "-Wall", "-Wextra"),
    *("-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections"),
    *("-fno-asynchronous-unwind-tables", "-fno-unwind-tables", "-Wl,--no-eh-frame-hdr"),
    *("-fno-stack-protector", "-fomit-frame-pointer", "-fno-sanitize=all"),
)
HERE = Path(__file__).parent
PROGRAMS = HERE / "bin"
"""What a wheel and an editable installation carry: a program for each processor, and what it was made from."""
MADE_FROM = "made-from"


def fingerprint() -> str:
    """Stands for what the programs are made from."""
    text = (HERE / SOURCE).read_bytes()
    return hashlib.sha256(repr((ZIG, FLAGS, MACHINES)).encode() + text).hexdigest()[:32]


def cache() -> Path:
    """Where the programs of this content are kept, for all checkouts of this user."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base, "devenv", "agent", fingerprint())


def is_made(folder: Path) -> bool:
    """Whether a folder has all programs."""
    return all((folder / arch).is_file() for arch in MACHINES)


def is_current() -> bool:
    """Whether the programs beside this file are those of its source."""
    made_from = PROGRAMS / MADE_FROM
    return is_made(PROGRAMS) and made_from.is_file() and made_from.read_text() == fingerprint()


def make() -> Path:
    """Puts the programs beside this file, out of the cache if it has them; gives their folder."""
    if is_current():
        return PROGRAMS
    if not is_made(cache()):
        _fill(cache())
    PROGRAMS.mkdir(exist_ok=True)
    for arch in MACHINES:
        _publish((cache() / arch).read_bytes(), PROGRAMS / arch)
    _publish(fingerprint().encode(), PROGRAMS / MADE_FROM)
    return PROGRAMS


def compile_to(program: Path, arch: str) -> None:
    """Compiles the agent for a processor. CalledProcessError with the compiler's words on stderr."""
    import subprocess

    # In its folder and by its name: no path of this machine gets into the program.
    command = [sys.executable, "-m", "ziglang", "cc", "-target", MACHINES[arch], *FLAGS, "-o", str(program), SOURCE]
    subprocess.run(command, cwd=HERE, check=True)


def _fill(folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix="making-", dir=folder.parent))
    try:
        for arch in MACHINES:
            compile_to(work / arch, arch)
        folder.mkdir(exist_ok=True)
        for arch in MACHINES:
            os.replace(work / arch, folder / arch)
    finally:
        shutil.rmtree(work)


def _publish(data: bytes, place: Path) -> None:
    fresh = place.with_name(f"{place.name}.{os.getpid()}")
    fresh.write_bytes(data)
    fresh.chmod(0o755)
    os.replace(fresh, place)


if __name__ == "__main__":
    sys.stdout.write(f"{make()}\n")
