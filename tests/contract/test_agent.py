"""What the protocol promises (docs/explanation/sync.md), kept by the C agent for each processor and the Python one."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from devenv.sync import protocol as p
from devenv.sync import replies as r
from tests.contract.agent_streams import Agents, Stream, command_of

NOW = 1_700_000_000_123_456_789


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("programs")


@pytest.fixture(params=["amd64", "arm64", "python"])
def agents(request: pytest.FixtureRequest, programs: Path, tmp_path: Path) -> Iterator[Agents]:
    made = Agents(tmp_path, None if request.param == "python" else command_of(request.param, programs))
    yield made
    made.close()


@pytest.fixture
def stream(agents: Agents) -> Stream:
    return agents.greeted()


@pytest.fixture
def target(agents: Agents) -> Path:
    return agents.target


def put(path: str, data: bytes = b"new", mode: int = 0o644) -> p.Put:
    return p.Put(0, mode, NOW, len(data), path, data)


def test_hello(agents: Agents) -> None:
    first = agents.open()
    welcome = first.hello(agents.target)
    assert (welcome.version, welcome.uid, welcome.batch_id) == (p.VERSION, os.geteuid(), 0)
    assert any(welcome.boot)
    first.close()
    assert agents.open().hello(agents.target).boot == welcome.boot


def test_the_last_batch_is_the_last_complete_one(agents: Agents) -> None:
    stream = agents.greeted()
    stream.commit(put("a"), flags=p.COMPLETE, batch=7)
    stream.commit(put("b"), batch=8)
    stream.close()
    assert agents.open().hello(agents.target).batch_id == 7


def test_another_version_is_refused(agents: Agents) -> None:
    stream = agents.open()
    stream.send(p.Hello(99, 0, "me", (str(agents.target),)))
    assert stream.failure().code == p.FAILED_VERSION


def test_a_target_that_is_no_folder_is_refused(agents: Agents) -> None:
    stream = agents.open()
    (agents.target / "file").touch()
    stream.send(p.Hello(p.VERSION, 0, "me", (str(agents.target / "file"),)))
    failed = stream.failure()
    assert failed.code == p.FAILED_TARGET
    assert str(agents.target / "file") in failed.text


BROKEN = {
    "too-short": b"\0\0\0\x04\x10\0\0\0\0",
    "too-long": b"\xff\xff\xff\xff\x10\0\0\0\0",
    "unknown": b"\0\0\0\x05\x63\0\0\0\0",
    "cut-off": b"\0\0\0\x07\x10\0\0\0\0\0\0",
    "with-a-rest": b"\0\0\0\x07\x1f\0\0\0\0\0\0",
    "false-count": b"\0\0\0\x0a\x02\0\0\0\0\0\xff\xff\xff\xff",
    "an-answer": b"\0\0\0\x05\x89\0\0\0\0",
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_frame_ends_the_stream(stream: Stream, name: str) -> None:
    stream.way.write(BROKEN[name])
    assert stream.failure().code == p.FAILED_PROTOCOL


def test_hello_comes_first(agents: Agents) -> None:
    stream = agents.open()
    stream.send(p.Commit(0))
    assert stream.failure().code == p.FAILED_PROTOCOL


def test_nothing_is_seen_before_the_commit(stream: Stream, target: Path) -> None:
    (target / "old").write_text("old")
    stream.send(p.MakeDir(0, 0o755, "d"), put("old"), put("d/new"), p.Link(0, "l", "old"), p.Ping(b"x"))
    assert stream.answer(r.Pong).data == b"x"
    assert {path.name for path in target.iterdir()} <= {"old", ".devenv-stage"}
    assert (target / "old").read_text() == "old"
    assert stream.commit() == {}
    assert {path.name for path in target.iterdir()} == {"old", "d", "l"}
    assert (target / "old").read_text() == "new"


def test_files_have_their_content_mode_and_time(stream: Stream, target: Path) -> None:
    long = os.urandom(p.CONTENT * 3 + 5)
    frames: list[p.Frame] = [p.Put(0, 0o755, NOW, len(long), "deep/er/long", long[:1])]
    frames += [p.Data(long[at : at + p.CONTENT]) for at in range(1, len(long), p.CONTENT)]
    old = -1_000_000_001
    assert stream.commit(*frames, p.Put(0, 0o400, old, 0, "empty", b"")) == {}
    assert (target / "deep/er/long").read_bytes() == long
    status = (target / "deep/er/long").stat()
    assert (stat.S_IMODE(status.st_mode), status.st_mtime_ns) == (0o755, NOW)
    assert stat.S_IMODE((target / "deep/er").stat().st_mode) == 0o755
    status = (target / "empty").stat()
    assert (stat.S_IMODE(status.st_mode), status.st_mtime_ns, status.st_size) == (0o400, old, 0)


def test_changing_the_mode_leaves_the_content(stream: Stream, target: Path) -> None:
    (target / "f").write_text("old")
    assert stream.commit(p.ChangeMode(0, 0o755, NOW, "f"), p.ChangeMode(0, 0o755, NOW, "gone")) == {
        "gone": errno.ENOENT
    }
    status = (target / "f").stat()
    assert (stat.S_IMODE(status.st_mode), status.st_mtime_ns, status.st_size) == (0o755, NOW, 3)


NAMES = [
    "a b",
    "'\"$`\\",
    "new\nline",
    "-rf",
    "*",
    "\u00e9",
    "e\u0301",
    "\udcff\udcfe",
    "n" * 255,
    "a:b",
    "..a",
    "d" * 200,
]


def test_s8_any_name_a_file_can_have(stream: Stream, target: Path) -> None:
    deep = "/".join(["d" * 200] * 8)
    assert stream.commit(*(put(name, name.encode("utf-8", "surrogateescape")) for name in NAMES[:-1]), put(deep)) == {}
    assert sorted(os.listdir(target)) == sorted(NAMES)
    for name in NAMES[:-1]:
        assert (target / name).read_bytes() == os.fsencode(name)
    assert set(stream.rows(p.Record(0))) == {*NAMES[:-1], deep}
    assert stream.rows(p.List(0, (deep,)))[deep].size == 3


def test_list_says_what_paths_are(stream: Stream, target: Path) -> None:
    (target / "f").write_bytes(b"content" * 40_000)
    (target / "f").chmod(0o750)
    os.utime(target / "f", ns=(NOW, NOW))
    (target / "d").mkdir(mode=0o700)
    (target / "l").symlink_to("/etc/passwd")
    os.mkfifo(target / "o")
    asked = ("f", "d", "l", "o", "gone", "f/below", "l/below", "../f", "/f", "")
    rows = stream.rows(p.List(0, asked))
    assert list(rows) == list(asked)
    assert "".join(row.kind for row in rows.values()) == "fdlo--!!!!"
    file = rows["f"]
    assert (file.mode, file.size, file.mtime_ns) == (0o750, 280_000, NOW)
    assert file.digest == hashlib.sha256(b"content" * 40_000).digest()
    assert rows["d"].mode == 0o700
    assert rows["l"].text == "/etc/passwd"


@pytest.mark.parametrize("size", [0, 1, 55, 56, 63, 64, 65, 119, 120, 1000, 65_536, 1_048_577])
def test_hashes_are_sha_256(stream: Stream, target: Path, size: int) -> None:
    data = os.urandom(size)
    (target / "f").write_bytes(data)
    assert stream.rows(p.List(0, ("f",)))["f"].digest == hashlib.sha256(data).digest()


def test_the_record_outlives_the_stream(agents: Agents) -> None:
    stream = agents.greeted()
    (agents.target / "image").touch()
    stream.commit(p.MakeDir(0, 0o755, "d"), put("d/f"), put("gone"), p.Link(0, "l", "d"), put("../no"))
    stream.commit(p.Delete(0, ord("f"), "gone"), put("d/f"), put("d/f"))
    stream.close()
    again = agents.greeted()
    assert {path: row.kind for path, row in again.rows(p.Record(0)).items()} == {"d": "d", "d/f": "f", "l": "l"}


def test_what_equals_already_counts_as_synced_with_its_mode(stream: Stream, target: Path) -> None:
    (target / "image").touch()
    assert stream.commit(p.ChangeMode(0, 0o644, NOW, "image"), p.ChangeMode(0, 0o644, NOW, "gone")) == {
        "gone": errno.ENOENT
    }
    assert set(stream.rows(p.Record(0))) == {"image"}


def test_targets_have_records_of_their_own(agents: Agents) -> None:
    other = agents.folder / "other"
    other.mkdir()
    stream = agents.open()
    stream.hello(agents.target, other)
    stream.commit(put("a"), p.Put(1, 0o644, NOW, 1, "b", b"b"))
    stream.close()
    turned = agents.open()
    turned.hello(other, agents.target)
    assert set(turned.rows(p.Record(0))) == {"b"}
    assert set(turned.rows(p.Record(1))) == {"a"}
    assert (other / "b").read_bytes() == b"b"


def make(place: Path, kind: str) -> None:
    if kind == "f":
        place.write_text("old")
    elif kind == "d":
        place.mkdir()
    elif kind == "l":
        place.symlink_to("/nowhere")


FRAMES: dict[str, p.Frame] = {"f": put("x"), "d": p.MakeDir(0, 0o755, "x"), "l": p.Link(0, "x", "to")}


@pytest.mark.parametrize("before", ["f", "d", "l", "-"])
@pytest.mark.parametrize("after", ["f", "d", "l"])
@pytest.mark.parametrize("deleted", [False, True])
def test_s2_a_path_becomes_of_another_kind(
    stream: Stream, target: Path, before: str, after: str, deleted: bool
) -> None:
    make(target / "x", before)
    first = [p.Delete(0, ord(before), "x")] if deleted and before != "-" else []
    assert stream.commit(*first, FRAMES[after]) == {}
    assert stream.rows(p.List(0, ("x",)))["x"].kind == after
    assert "x" in stream.rows(p.Record(0))


def test_s2_a_tree_becomes_a_file_and_a_tree_again(stream: Stream, target: Path) -> None:
    tree = [p.MakeDir(0, 0o755, "x"), p.MakeDir(0, 0o755, "x/y"), put("x/y/f"), put("x/g")]
    assert stream.commit(*tree) == {}
    assert stream.commit(put("x")) == {}
    assert (target / "x").read_text() == "new"
    assert set(stream.rows(p.Record(0))) == {"x"}
    assert stream.commit(p.Delete(0, ord("f"), "x"), *tree) == {}
    assert (target / "x/y/f").read_text() == "new"
    gone = [p.Delete(0, ord("f"), "x/y/f"), p.Delete(0, ord("d"), "x/y"), p.Delete(0, ord("f"), "x/g")]
    assert stream.commit(*gone, p.Delete(0, ord("d"), "x"), p.Link(0, "x", "to")) == {}
    assert os.readlink(target / "x") == "to"
    assert set(stream.rows(p.Record(0))) == {"x"}


def test_s18_foreign_files_stay(stream: Stream, target: Path) -> None:
    assert stream.commit(p.MakeDir(0, 0o755, "x"), put("x/ours"), put("y")) == {}
    (target / "x/theirs").touch()
    assert stream.commit(put("x")) == {"x": errno.ENOTEMPTY}
    assert (target / "x/theirs").exists()
    assert stream.commit(p.Delete(0, ord("d"), "x")) == {"x": errno.ENOTEMPTY}
    assert stream.commit(p.Delete(0, ord("d"), "y"), p.Delete(0, ord("f"), "never")) == {}
    assert (target / "y").exists()


def test_deletes_go_deepest_first(stream: Stream, target: Path) -> None:
    paths = ["a", "a-b", "a/b", "a/b/c"]
    stream.commit(*(p.MakeDir(0, 0o755, path) for path in paths), put("a/b/c/f"))
    deletes = [p.Delete(0, ord("d"), path) for path in paths]
    assert stream.commit(*deletes, p.Delete(0, ord("f"), "a/b/c/f")) == {}
    assert os.listdir(target) == []
    assert stream.rows(p.Record(0)) == {}


@pytest.mark.parametrize("size", [4, 2, 0])
def test_a_file_that_did_not_come_whole_fails_alone(stream: Stream, target: Path, size: int) -> None:
    (target / "f").write_text("old")
    assert stream.commit(p.Put(0, 0o644, NOW, size, "f", b"abc"), put("g")) == {"f": errno.EIO}
    assert (target / "f").read_text() == "old"
    assert (target / "g").read_text() == "new"
    assert not (target / ".devenv-stage").exists()


REFUSED = ["", "/abs", "..", "../x", "a/../../x", "a/..", ".", "./x", "a/./x", "a//x", "a/", "nul\0", ".devenv-stage/x"]


@pytest.mark.parametrize("path", REFUSED)
def test_paths_that_leave_the_target_are_refused(stream: Stream, target: Path, path: str) -> None:
    (target / "a").mkdir()
    before = sorted(target.parent.iterdir())
    refused = [
        put(path),
        p.MakeDir(0, 0o755, path),
        p.Link(0, path, "x"),
        p.ChangeMode(0, 0o755, NOW, path),
        p.Delete(0, ord("f"), path),
    ]
    for frame in refused:
        assert stream.commit(frame, put("good")) == {path: errno.EPERM}
    assert sorted(target.parent.iterdir()) == before
    assert {place.name for place in target.iterdir()} == {"a", "good"}
    assert stream.rows(p.List(0, (path,)))[path].kind == "!"
    assert stream.ask(p.Get(0, path), r.Done).status == errno.EPERM


@pytest.mark.parametrize("to", ["relative", "absolute"])
def test_links_in_the_target_lead_nowhere(stream: Stream, target: Path, to: str) -> None:
    outside = target.parent / "outside"
    outside.mkdir()
    (outside / "f").write_text("secret")
    (target / "in").mkdir()
    (target / "in/out").symlink_to(outside if to == "absolute" else "../../outside")
    frames = {
        "in/out/f": [put("in/out/f"), p.Delete(0, ord("f"), "in/out/f"), p.ChangeMode(0, 0o755, NOW, "in/out/f")],
        "in/out/n": [put("in/out/n"), p.MakeDir(0, 0o755, "in/out/n"), p.Link(0, "in/out/n", "x")],
    }
    for path, refused in frames.items():
        for frame in refused:
            assert stream.commit(frame) == {path: errno.EPERM}
    assert stream.rows(p.List(0, ("in/out/f",)))["in/out/f"].kind == "!"
    assert stream.ask(p.Get(0, "in/out/f"), r.Done).status == errno.EPERM
    assert os.listdir(outside) == ["f"]
    assert (outside / "f").read_text() == "secret"


def test_a_link_in_the_place_itself_is_replaced_not_followed(stream: Stream, target: Path) -> None:
    outside = target.parent / "outside"
    outside.write_text("theirs")
    (target / "f").symlink_to(outside)
    (target / "m").symlink_to(outside)
    mode = outside.stat().st_mode
    assert stream.commit(put("f"), p.ChangeMode(0, 0o777, NOW, "m")) == {"m": errno.ENOENT}
    assert (target / "f").read_text() == "new"
    assert (outside.read_text(), outside.stat().st_mode) == ("theirs", mode)


def test_get(stream: Stream, target: Path) -> None:
    data = os.urandom(200_000)
    (target / "f").write_bytes(data)
    os.utime(target / "f", ns=(NOW, NOW))
    for number, path in ((0, "f"), (p.ABSOLUTE, str(target / "f"))):
        file = stream.ask(p.Get(number, path), r.File, batch=5)
        assert (file.kind, file.size, file.mtime_ns, file.path) == (ord("f"), len(data), NOW, path)
        got = b""
        while isinstance(frame := stream.next()[1], r.Content):
            got += frame.data
        assert got == data
        assert frame == r.Done(0, "")
    (target / "l").symlink_to("f")
    assert stream.ask(p.Get(0, "l"), r.File).kind == ord("l")
    assert (stream.answer(r.Content).data, stream.answer(r.Done).status) == (b"f", 0)
    assert stream.ask(p.Get(0, "gone"), r.Done).status == errno.ENOENT
    (target / "d").mkdir()
    assert stream.ask(p.Get(0, "d"), r.Done).status == errno.EISDIR


def test_glob(stream: Stream, target: Path) -> None:
    for path in ("a.py", "m/one.py", "m/two.txt", "m/.dot.py", "m/n/deep.py", "x[1].py"):
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        (target / path).touch()

    def found(pattern: str) -> set[str]:
        paths = stream.ask(p.Glob(f"{target}/{pattern}"), r.Paths)
        assert paths.last
        return {os.path.relpath(path, target) for path in paths.paths}

    assert found("*.py") == {"a.py", "x[1].py"}
    assert found("m/*.py") == {"m/one.py", "m/.dot.py"}
    assert found("**/*.py") == {"a.py", "x[1].py", "m/one.py", "m/.dot.py", "m/n/deep.py"}
    assert found("m/[ot]??.*") == {"m/one.py", "m/two.txt"}
    assert found("m/[!o]*.txt") == {"m/two.txt"}
    assert found("a.py") == {"a.py"}
    assert found("*/n") == {"m/n"}
    assert found("nothing/*") == set()


def test_credit_is_given_for_what_is_consumed(stream: Stream) -> None:
    for number in range(20):
        stream.commit(put(f"f{number % 3}", os.urandom(60_000)), batch=number)
    credits = [frame.size for frame in stream.unasked if isinstance(frame, r.Credit)]
    assert credits
    assert all(size >= 512 * 1024 for size in credits)
    assert 0 <= stream.sent - sum(credits) < 512 * 1024


def test_s15_a_second_holder_is_told_who_is_the_first(agents: Agents) -> None:
    first, second = agents.open(), agents.open()
    first.hello(agents.target, holder="anna@laptop")
    first.send(put("half"))
    second.send(p.Hello(p.VERSION, 0, "ben@desk", (str(agents.target),)))
    assert second.failure() == r.Failed(p.FAILED_HELD, "anna@laptop")
    third = agents.open()
    third.hello(agents.target, flags=p.TAKE_OVER, holder="ben@desk")
    assert first.failure() == r.Failed(p.FAILED_HELD, "ben@desk")
    assert third.commit() == {}
    assert os.listdir(agents.target) == []
    fourth = agents.open()
    fourth.send(p.Hello(p.VERSION, 0, "carl", (str(agents.target),)))
    assert fourth.failure() == r.Failed(p.FAILED_HELD, "ben@desk")


def test_the_end_of_a_stream_leaves_nothing_staged(agents: Agents) -> None:
    for end in ("bye", "eof"):
        stream = agents.greeted()
        stream.send(put("f"), p.Put(0, 0o644, NOW, 1000, "g", b"half"))
        if end == "bye":
            stream.send(p.Bye())
            with pytest.raises(EOFError):
                stream.next()
        else:
            stream.way.close_stdin()
        stream.close()
        assert os.listdir(agents.target) == []
