from __future__ import annotations

import io
import tarfile

from hypothesis import given
from hypothesis import strategies as st

from devenv.sync.batch import Batch
from devenv.sync.frames import Answer, Answers, Content, encode_put, encode_run, encode_signal, known, parse_hash

STAMP = 1_700_000_000_123_456_789


def take_apart(frame: bytes) -> tuple[list[str], tarfile.TarFile]:
    header, _, archive = frame.partition(b"\n")
    words = header.decode().split()
    assert int(words[2]) * int(words[3]) == len(archive)
    return words, tarfile.open(fileobj=io.BytesIO(archive), encoding="utf-8", errors="surrogateescape")


def content(data: bytes = b"x", digest: str = "fhash") -> Content:
    return Content(data, STAMP, digest)


def test_one_file_is_one_frame_that_stages_and_moves() -> None:
    (frame,) = encode_put(3, Batch(puts=("a/b.py",)), lambda path: content(b"hello", "xhash"))
    words, archive = take_apart(frame)
    assert words[:2] == ["put", "3"]
    assert words[4:] == ["move"]
    member = archive.getmember("0/b.py")
    assert (member.size, member.mode, member.pax_headers["mtime"]) == (5, 0o755, "1700000000.123456789")
    moved = archive.extractfile("move")
    assert moved
    assert moved.read() == b"pa\n"


def test_steps_come_in_an_order_that_never_leaves_a_gap() -> None:
    batch = Batch(("f",), ("d",), ("m",), ("p",), {"l": "p"}, ("x",), ("y",))
    (frame,) = encode_put(0, batch, lambda path: content())
    assert take_apart(frame)[0][4:] == ["unlink1", "prune1", "make", "move", "unlink2", "prune2"]


def test_dotted_names_get_groups_of_their_own() -> None:
    (frame,) = encode_put(0, Batch(puts=("a", ".b", "..c")), lambda path: content())
    moved = take_apart(frame)[1].extractfile("move")
    assert moved
    assert moved.read().split() == [b"d.", b"e.", b"p."]


def test_a_file_that_vanished_is_left_out() -> None:
    (frame,) = encode_put(0, Batch(puts=("gone",)), lambda path: None)
    assert take_apart(frame)[0][4:] == []


def test_much_content_is_staged_by_several_frames_and_moved_by_the_last() -> None:
    paths = tuple(f"f{number}" for number in range(5))
    frames = list(encode_put(0, Batch(puts=paths), lambda path: content(b"x" * (2 << 20))))
    assert [take_apart(frame)[0][4:] for frame in frames] == [[], [], ["move"]]


@given(name=st.text(st.characters(blacklist_characters="/\n\0", codec="utf-8"), min_size=1, max_size=120))
def test_any_name_survives(name: str) -> None:
    (frame,) = encode_put(0, Batch(puts=(name,)), lambda path: content())
    assert f"0/{name}" in take_apart(frame)[1].getnames()


def test_commands_are_quoted_and_signals_named() -> None:
    script = take_apart(encode_run(["echo", "a b; rm -rf '$HOME'"]))[1].extractfile("run")
    assert script
    assert script.read() == b"""echo 'a b; rm -rf '"'"'$HOME'"'"''\n"""
    assert encode_signal("HUP") == b"signal HUP\n"


@given(cuts=st.lists(st.integers(0, 40)), bodies=st.lists(st.binary(max_size=9).map(lambda b: b.replace(b"\0", b""))))
def test_answers_are_put_together_from_any_pieces(cuts: list[int], bodies: list[bytes]) -> None:
    stream = b"".join(body + b"\0ok\0" for body in bodies)
    answers, found = Answers(), []
    for start, end in zip([0, *sorted(cuts)], [*sorted(cuts), len(stream)], strict=True):
        found += answers.feed(stream[start:end])
    assert found == [Answer("ok", body) for body in bodies]


def test_what_lies_below_a_link_is_not_known() -> None:
    look = Answer("ok", b"d\nf\nlelsewhere\nx\n-\n")
    have = known(["a", "a/b", "c", "c/d", "e"], look, {"a/b": "hash", "c/d": "hash"})
    assert have == {"a": "d", "a/b": "fhash", "c": "lelsewhere"}


def test_an_answer_that_does_not_fit_the_question_is_worth_nothing() -> None:
    assert known(["a", "b"], Answer("ok", b"d\n"), {}) == {}


def test_escaped_names_of_sha256sum_are_read() -> None:
    assert parse_hash(Answer("ok", b"\\11  ./a\\\\b\n22  ./c d\n")) == {"a\\b": "11", "c d": "22"}
