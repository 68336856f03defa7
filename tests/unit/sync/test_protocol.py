from __future__ import annotations

from dataclasses import fields as dataclass_fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devenv.sync import codec, replies
from devenv.sync.framing import KINDS, Decoder, decode, encode
from devenv.sync.protocol import Frame
from devenv.sync.replies import Row

TEXTS = st.binary(max_size=40).map(lambda raw: raw.decode("utf-8", "surrogateescape"))
NUMBERS = {codec.U8: 8, codec.U16: 16, codec.U32: 32, codec.U64: 64}
ROWS = st.one_of(
    st.builds(Row, TEXTS, st.just("f"), st.integers(0, 4095), st.integers(0, 2**40), st.integers(-(2**60), 2**60),
              st.binary(min_size=32, max_size=32)),
    st.builds(Row, TEXTS, st.just("l"), text=TEXTS),
    st.builds(Row, TEXTS, st.sampled_from("do-!")),
)  # fmt: skip


def values_of(kind: type[Frame]) -> st.SearchStrategy[Frame]:
    """Frames of a kind with any values that its fields can hold."""
    return st.builds(kind, *[_value(field, kind) for field in kind.fields])


def _value(field: codec.Field, kind: type[Frame]) -> st.SearchStrategy[object]:
    if field in NUMBERS:
        return st.integers(0, 2 ** NUMBERS[field] - 1)
    if field in (codec.I32, codec.I64):
        return st.integers(-(2**31), 2**31 - 1)
    if field is codec.TEXT:
        return TEXTS
    if field is codec.REST:
        return st.binary(max_size=200)
    if kind is replies.Rows:
        return st.lists(ROWS, max_size=5).map(tuple)
    if kind is replies.Ack:
        return st.lists(st.tuples(st.integers(0, 255), st.integers(0, 999), TEXTS), max_size=5).map(tuple)
    if kind is replies.Welcome:
        return st.binary(min_size=16, max_size=16)
    return st.lists(TEXTS, max_size=5).map(tuple)


FRAMES = st.one_of(*map(values_of, KINDS.values()))


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), FRAMES), max_size=6), st.integers(1, 50))
def test_frames_come_back_however_they_are_cut(sent: list[tuple[int, Frame]], size: int) -> None:
    raw = b"".join(encode(frame, batch) for batch, frame in sent)
    decoder = Decoder()
    came = [pair for at in range(0, len(raw), size) for pair in decoder.feed(raw[at : at + size])]
    assert came == sent


@given(st.binary(max_size=400))
def test_any_bytes_are_frames_or_refused(raw: bytes) -> None:
    try:
        for _ in Decoder().feed(raw):
            pass
    except ValueError:
        pass


@given(FRAMES)
def test_a_payload_that_is_too_long_or_too_short_is_refused(frame: Frame) -> None:
    payload = encode(frame)[9:]
    if codec.REST in frame.fields:
        return
    with pytest.raises(ValueError, match="too many"):
        decode(frame.type, payload + b"x")
    if payload:
        with pytest.raises(codec.CutOffError):
            decode(frame.type, payload[:-1])


def test_every_frame_has_a_field_for_each_value() -> None:
    assert len(KINDS) == 29
    for kind in KINDS.values():
        assert len(dataclass_fields(kind)) == len(kind.fields)  # type: ignore[arg-type]
