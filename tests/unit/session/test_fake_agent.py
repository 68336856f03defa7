"""The fake agent itself: enough to trust what is tested with it. What it shares with the real one is a contract."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from devenv.sync import protocol as p
from devenv.sync import replies as r
from devenv.sync.framing import Decoder, encode
from tests.fakes.agent import FakeAgent, FakeContainer


class Talk:
    def __init__(self, target: Path, container: FakeContainer | None = None, *, flags: int = 0) -> None:
        target.mkdir(exist_ok=True)
        self.target = target
        self.container = container or FakeContainer()
        self.agent = FakeAgent(self.container)
        self.decoder = Decoder()
        self.greeting = self.say(p.Hello(p.VERSION, flags, "me", (str(target),)))

    def say(self, *frames: p.Frame, batch: int = 1) -> list[p.Frame]:
        data = b"".join(encode(frame, batch) for frame in frames)
        return [frame for _, frame in self.decoder.feed(self.agent.feed(data))]


@pytest.fixture
def talk(tmp_path: Path) -> Talk:
    return Talk(tmp_path / "app")


def put(path: str, data: bytes, *, size: int | None = None) -> p.Put:
    return p.Put(0, 0o644, 1_000_000_000, len(data) if size is None else size, path, data)


def test_nothing_is_visible_before_the_commit(talk: Talk) -> None:
    talk.say(p.MakeDir(0, 0o755, "a"), put("a/b", b"one", size=6), p.Data(b"two"))
    assert [path.name for path in talk.target.iterdir()] == [".devenv-stage"]
    assert talk.say(p.Commit(p.COMPLETE))[0] == r.Ack(())
    assert (talk.target / "a/b").read_bytes() == b"onetwo"
    assert [path.name for path in talk.target.iterdir()] == ["a"]
    assert talk.container.starts == 1


def test_a_file_that_did_not_come_whole_fails_alone(talk: Talk) -> None:
    talk.say(put("a", b"x", size=2), put("b", b"x"))
    assert talk.say(p.Commit(0)) == [r.Ack(((0, errno.EIO, "a"),))]
    assert [path.name for path in talk.target.iterdir()] == ["b"]


def test_kinds_are_swapped_but_foreign_files_stay(talk: Talk) -> None:
    talk.say(p.MakeDir(0, 0o755, "a"), put("a/b", b"x"), p.MakeDir(0, 0o755, "c"), put("d", b""), p.Commit(0))
    (talk.target / "c/foreign").touch()
    [ack] = talk.say(put("a", b"y"), put("c", b"y"), p.MakeDir(0, 0o755, "d"), p.Commit(0))
    assert ack == r.Ack(((0, errno.ENOTEMPTY, "c"),))
    assert (talk.target / "a").read_bytes() == b"y"
    assert (talk.target / "d").is_dir()


@pytest.mark.parametrize("path", ["../x", "/etc/x", "a/../x", "", "a//b", "./x", "link/x"])
def test_no_path_leads_out(talk: Talk, path: str) -> None:
    (talk.target / "link").symlink_to(talk.target.parent)
    assert talk.say(put(path, b""), p.Commit(0)) == [r.Ack(((0, errno.EPERM, path),))]
    assert not (talk.target.parent / "x").exists()


def test_the_record_is_what_was_synced(talk: Talk) -> None:
    (talk.target / "foreign").touch()
    talk.say(put("a", b"x"), put("b", b"x"), p.Commit(0))
    talk.say(p.Delete(0, ord("f"), "b"), p.Commit(0))
    [rows] = talk.say(p.Record(0))
    assert isinstance(rows, r.Rows)
    assert [row.path for row in rows.rows] == ["a"]


def test_there_is_one_holder_and_another_may_take_over(talk: Talk) -> None:
    refused = Talk(talk.target, talk.container)
    assert refused.greeting == [r.Failed(p.FAILED_HELD, "me")]
    taken = Talk(talk.target, talk.container, flags=p.TAKE_OVER)
    assert isinstance(taken.greeting[0], r.Welcome)
    assert talk.agent.ended


def test_a_killed_agent_leaves_its_stage_to_the_next(talk: Talk) -> None:
    talk.agent.cut_after = 60
    talk.say(put("a", b"x" * 10), put("b", b"x" * 1000))
    assert talk.agent.ended
    assert (talk.target / ".devenv-stage").exists()
    Talk(talk.target, talk.container)
    assert not any(talk.target.iterdir())


def test_credit_comes_for_what_was_consumed(talk: Talk) -> None:
    answers = talk.say(put("a", b"", size=9 * p.CONTENT), *[p.Data(bytes(p.CONTENT))] * 9)
    assert [type(answer) for answer in answers] == [r.Credit]


def test_a_crash_is_mended_by_the_next_save(talk: Talk) -> None:
    talk.say(p.Commit(p.COMPLETE))
    talk.container.crash(3)
    answers = talk.say(put("a", b""), p.Commit(0))
    states = [answer.state for answer in answers if isinstance(answer, r.State)]
    assert states == [p.CRASHED, p.RUNS]


def test_who_names_no_target_holds_nothing(talk: Talk, tmp_path: Path) -> None:
    (tmp_path / "f").write_text("x")
    asked = encode(p.Hello(p.VERSION, 0, "looks", ())) + encode(p.Get(p.ABSOLUTE, str(tmp_path / "f")))
    said = [frame for _, frame in Decoder().feed(FakeAgent(talk.container).feed(asked))]
    assert isinstance(said[0], r.Welcome)
    assert r.Content(b"x") in said
    assert r.Ack(()) in talk.say(put("a", b""), p.Commit(0))
