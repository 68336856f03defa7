"""The agent's other commands: it fills volumes from an image and runs commands that end with their stream."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from devenv.sync import protocol as p
from devenv.sync import replies as r
from devenv.sync.framing import Decoder
from tests.contract.agent_streams import Agents, command_of
from tests.contract.test_agent import NOW
from tests.contract.test_agent_faults import needs_root
from tests.contract.test_agent_init import until

OTHER = 12345


@pytest.fixture(params=["amd64", "arm64"])
def agents(request: pytest.FixtureRequest) -> Iterator[Agents]:
    """In a folder that every user reaches."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield Agents(folder, command_of(request.param, folder))
    shutil.rmtree(folder)


def image(folder: Path) -> Path:
    """What an image may have in a folder."""
    made = folder / "image"
    (made / "src/deep").mkdir(parents=True)
    (made / "src/deep/file").write_bytes(os.urandom(300_000))
    (made / "run.sh").write_text("#!/bin/sh\n")
    (made / "run.sh").chmod(0o755)
    (made / "link").symlink_to("src/deep")
    (made / "out").symlink_to("/etc")
    (made / "e\u0301 \udcff").touch()
    os.mkfifo(made / "pipe")
    os.utime(made / "run.sh", ns=(NOW, NOW))
    (made / "src/deep").chmod(0o555)
    os.utime(made / "src/deep", ns=(NOW, NOW))
    return made


def seed(agents: Agents, *pairs: Path, user: int | None = None) -> subprocess.CompletedProcess[str]:
    command = [*(agents.command or []), "seed", "--state", str(agents.state), *map(str, pairs)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, user=user, group=user, extra_groups=() if user else None
    )


def describe(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    found = {}
    for place in sorted(folder.rglob("*")):
        status = place.lstat()
        data = os.fsencode(os.readlink(place)) if place.is_symlink() else b""
        data = place.read_bytes() if place.is_file() and not place.is_symlink() else data
        found[str(place.relative_to(folder))] = (status.st_mode, status.st_mtime_ns, data)
    return found


def test_a_volume_gets_what_the_image_has(agents: Agents) -> None:
    source, empty = image(agents.folder), agents.folder / "volumes/empty"
    done = seed(agents, source, agents.target, agents.folder / "not-there", empty)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("devenv: seeded 5 files, 300010 bytes in 0.")
    expected = describe(source)
    del expected["pipe"]
    assert describe(agents.target) == expected
    assert empty.is_dir()


def test_a_volume_that_was_filled_is_left_alone(agents: Agents) -> None:
    source = image(agents.folder)
    seed(agents, source, agents.target)
    (agents.target / "run.sh").write_text("synced")
    (agents.target / "link").unlink()
    assert seed(agents, source, agents.target).stdout == "devenv: seeded 0 files, 0 bytes in 0.00 s\n"
    assert (agents.target / "run.sh").read_text() == "synced"
    assert not (agents.target / "link").is_symlink()


def test_a_seed_that_was_cut_off_starts_over(agents: Agents) -> None:
    source = image(agents.folder)
    (agents.target / "src").mkdir()
    (agents.target / "run.sh").write_text("ha")
    assert seed(agents, source, agents.target).returncode == 0
    assert (agents.target / "run.sh").read_text() == "#!/bin/sh\n"


@needs_root
def test_a_volume_is_filled_by_any_user(agents: Agents) -> None:
    source = image(agents.folder)
    (source / "secret").write_text("x")
    (source / "secret").chmod(0o600)
    (source / "closed").mkdir(mode=0o700)
    for place in (agents.state, agents.target):
        os.chown(place, OTHER, OTHER)
    done = seed(agents, source, agents.target, user=OTHER)
    assert done.returncode == 0
    assert done.stdout.endswith("(2 left out)\n")
    lines = [f"devenv: left out {source}/{name}: Permission denied" for name in ("closed", "secret")]
    assert sorted(done.stderr.splitlines()) == lines
    assert {place.lstat().st_uid for place in agents.target.rglob("*")} == {OTHER}
    assert (agents.target / "run.sh").stat().st_mode & 0o777 == 0o755


@needs_root
def test_a_volume_without_room_is_told(agents: Agents) -> None:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(agents.target)], check=True)
    try:
        done = seed(agents, image(agents.folder), agents.target)
    finally:
        subprocess.run(["umount", str(agents.target)], check=True)
    assert done.returncode == 1
    assert "devenv: can't fill the volume: " in done.stderr
    assert done.stderr.endswith("/src/deep/file: No space left on device\n")


@needs_root
def test_what_belongs_to_another_user_of_the_image_still_does(agents: Agents) -> None:
    source = image(agents.folder)
    os.chown(source / "run.sh", OTHER, OTHER)
    (source / "run.sh").chmod(0o4755)
    seed(agents, source, agents.target)
    status = (agents.target / "run.sh").stat()
    assert (status.st_uid, status.st_mode & 0o7777) == (OTHER, 0o4755)


def started(agents: Agents, *argv: str) -> subprocess.Popen[bytes]:
    command = [*(agents.command or []), "run", "--", *argv]
    env = {**os.environ, "DEVENV_AGENT_GRACE_MS": "300"}
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env)


def told(process: subprocess.Popen[bytes]) -> list[p.Frame]:
    """All that a command says until it ends; its stdin stays open."""
    assert process.stdout
    assert process.stdin
    with process.stdout as out, process.stdin:
        frames = [frame for _, frame in Decoder().feed(out.read())]
        process.wait()
    return frames


def test_a_command_tells_what_it_prints_and_its_code(agents: Agents) -> None:
    frames = told(started(agents, "sh", "-c", "echo out; sleep 0.1; echo err >&2; exit 5"))
    assert frames == [r.Output(1, b"out\n"), r.Output(2, b"err\n"), r.Done(5, "")]
    assert told(started(agents, "sh", "-c", "kill -TERM $$")) == [r.Done(128 + signal.SIGTERM, "")]
    (done,) = told(started(agents, "no-such-command"))
    assert isinstance(done, r.Done)
    assert (done.status, done.text) == (127, "no-such-command: No such file or directory")
    frames = told(started(agents, "head", "-c", "5000000", "/dev/zero"))
    assert sum(len(frame.data) for frame in frames if isinstance(frame, r.Output)) == 5_000_000
    assert frames[-1] == r.Done(0, "")


ESCAPED = """setsid sh -c 'trap "" TERM; while :; do sleep 0.05; done' &"""
ORPHANS = """
trap '' TERM
(sh -c 'while :; do sleep 0.05; done' &)
echo up
while :; do sleep 0.05; done
"""


def test_a_command_ends_with_its_stream_and_its_children_too(agents: Agents) -> None:
    mark = f"DEVENV_TEST_MARK={agents.folder.name}"
    # qemu-user knows no PR_SET_CHILD_SUBREAPER: there only the group can be found.
    script = ORPHANS if len(agents.command or []) > 1 else ESCAPED + ORPHANS
    process = started(agents, "env", mark, "sh", "-c", script)
    assert process.stdin
    assert process.stdout
    with process.stdout:
        Decoder().feed(os.read(process.stdout.fileno(), 65536))

        def left() -> int:
            return sum(mark.encode() in environment(pid) for pid in os.listdir("/proc") if pid.isdigit())

        until(lambda: left() >= 3)
        process.stdin.close()
        process.wait(30)
    assert left() == 0


def environment(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""


def test_a_stream_that_was_never_open_ends_the_command(agents: Agents) -> None:
    began = time.monotonic()
    done = subprocess.run([*(agents.command or []), "run", "--", "sleep", "60"], stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == 1
    assert time.monotonic() - began < 50


def test_version_and_usage(agents: Agents) -> None:
    assert agents.run("version").stdout == f"{p.VERSION}\n"
    for words in (
        [],
        ["init"],
        ["init", "--gate"],
        ["serve", "x"],
        ["seed", "one"],
        ["run"],
        ["what"],
        ["ready", "--x", "y"],
    ):
        done = agents.run(*words)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("usage: agent init ")
    done = agents.run("ready", "--state", str(agents.folder / "nowhere"))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "devenv: the agent that starts the program does not answer\n"
