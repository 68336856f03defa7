"""Bytes that no client sends: the agent refuses them or carries them out, and keeps to its targets and its memory."""

from __future__ import annotations

import os
import random
import shutil
import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from devenv.agent import compile as made
from devenv.sync import protocol as p
from devenv.sync.framing import Decoder, encode
from tests.contract.agent_streams import NATIVE, command_of
from tests.contract.test_agent import NOW, put
from tests.scale import scaled, seconds

SANITIZERS = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The agent with gcc's sanitizers; where gcc is not there, as it is."""
    folder = tmp_path_factory.mktemp("sanitized")
    sanitized = folder / "agent"
    if gcc := shutil.which("gcc"):
        command = [gcc, *SANITIZERS, "-o", str(sanitized), str(made.HERE / made.SOURCE)]
        if subprocess.run(command, capture_output=True, check=False).returncode == 0:
            return str(sanitized)
    return command_of(NATIVE, folder)[0]


def frames(target: Path) -> list[p.Frame]:
    """Some of each kind; HELLO is sent as it is, for its folder is made."""
    return [
        p.MakeDir(0, 0o755, "d"),
        p.MakeDir(0, 0o755, "d/e/f"),
        put("a"),
        put("d/a", b"x" * 300),
        p.Put(0, 0o644, NOW, 10, "b", b"12345"),
        p.Data(b"67890"),
        p.Link(0, "l", "../outside"),
        p.Link(0, "d/l", "/"),
        p.ChangeMode(0, 0o600, NOW, "a"),
        p.Delete(0, ord("f"), "a"),
        p.Delete(0, ord("d"), "d"),
        p.Delete(0, ord("l"), "l"),
        put("l/x"),
        p.Commit(0),
        p.Commit(p.COMPLETE),
        p.List(0, ("a", "d", "l", "l/x", "../outside")),
        p.Record(0),
        p.Get(0, "a"),
        p.Get(p.ABSOLUTE, str(target / "a")),
        p.Glob(f"{target}/**/[a-z]*"),
        p.Restart(10),
        p.Signal(1),
        p.Exec(("true",)),
        p.Ping(b"x"),
    ]


def changed(data: bytes, dice: random.Random) -> bytes:
    """A frame with some of its bytes changed, cut off or doubled; its length mostly says so."""
    if dice.random() < 0.4:
        return data
    body = bytearray(data[4:])
    for _ in range(dice.choice([1, 1, 2, 5])):
        at = dice.randrange(len(body))
        way = dice.randrange(4)
        if way == 0:
            body[at] = dice.choice([0, 1, 2, 0x2E, 0x2F, 0x7F, 0xFF, dice.randrange(256)])
        elif way == 1 and len(body) > 6:
            del body[max(at, 5) :]
        elif way == 2:
            body[at:at] = bytes(dice.choice([b"/", b"..", b"../", b"\0", b"\xff\xff", b"x" * 300]))
        else:
            body[at] ^= 1 << dice.randrange(8)
    size = len(body) if dice.random() < 0.95 else dice.choice([0, 4, 5, len(body) - 1, 1 << 18, 0xFFFFFFFF])
    return struct.pack(">I", size) + bytes(body)


def talk(program: str, folder: Path, parts: Sequence[bytes]) -> tuple[int, bytes]:
    """Sends all this; gives how the agent ended, and what it said."""
    hello = encode(p.Hello(p.VERSION, 0, "me", (str(folder / "target"),)))
    done = subprocess.run(
        [program, "serve", "--state", str(folder / "state")],
        input=hello + b"".join(parts),
        capture_output=True,
        check=False,
        timeout=60,
        env={**os.environ, "ASAN_OPTIONS": "exitcode=99", "UBSAN_OPTIONS": "print_stacktrace=1"},
        cwd=folder,
    )
    assert b"Sanitizer" not in done.stderr, done.stderr.decode(errors="replace")
    assert b"runtime error" not in done.stderr, done.stderr.decode(errors="replace")
    return done.returncode, done.stdout


def prepared(folder: Path) -> Path:
    (folder / "outside").mkdir()
    (folder / "outside/a").write_text("theirs")
    (folder / "target").mkdir()
    return folder


def outside(folder: Path) -> list[str]:
    return sorted(str(place.relative_to(folder)) for place in folder.rglob("*") if "target" not in place.parts)


@pytest.mark.timeout(seconds(120))
@pytest.mark.parametrize("part", range(2))
def test_changed_frames(program: str, tmp_path: Path, part: int) -> None:
    folder = prepared(tmp_path)
    for number in range(scaled(40, full=10_000)):
        dice = random.Random(number * 2 + part)
        known = frames(folder / "target")
        picked = [changed(encode(dice.choice(known), dice.randrange(3)), dice) for _ in range(dice.randrange(1, 60))]
        code, said = talk(program, folder, picked)
        assert code in (0, 1), f"seed {number * 2 + part}"
        assert list(Decoder().feed(said)), f"seed {number * 2 + part}"
        kept = [name for name in outside(folder) if not name.startswith("state")]
        assert kept == ["outside", "outside/a"], f"seed {number * 2 + part}"
        assert (folder / "outside/a").read_text() == "theirs"
        assert not (folder / "target/.devenv-stage").exists()
    assert any("record-" in name for name in outside(folder))


@pytest.mark.timeout(seconds(120))
def test_bytes_without_sense(program: str, tmp_path: Path) -> None:
    folder = prepared(tmp_path)
    for number in range(scaled(20, full=5_000)):
        dice = random.Random(number)
        code, said = talk(program, folder, [dice.randbytes(dice.choice([1, 3, 9, 100, 5000]))])
        assert code in (0, 1), f"seed {number}"
        assert list(Decoder().feed(said)), f"seed {number}"


@pytest.mark.timeout(seconds(120))
def test_a_record_that_is_broken_is_read_as_far_as_it_goes(program: str, tmp_path: Path) -> None:
    folder = prepared(tmp_path)
    talk(program, folder, [encode(put("a")), encode(p.Commit(0))])
    (record,) = (folder / "state").glob("record-*")
    whole = record.read_bytes()
    for number in range(scaled(20, full=2_000)):
        dice = random.Random(number)
        record.write_bytes(whole[: dice.randrange(len(whole) + 1)] + dice.randbytes(dice.choice([0, 1, 50])))
        code, said = talk(
            program, folder, [encode(p.Record(0)), encode(put("b")), encode(p.Commit(0)), encode(p.Record(0))]
        )
        assert code == 0, f"seed {number}"
        assert len([frame for _, frame in Decoder().feed(said)]) >= 4
