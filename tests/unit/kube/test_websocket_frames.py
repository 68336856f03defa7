from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devenv.kube.frames import BINARY, CLOSE, PING, FrameReader, Message
from tests.unit.kube.servers import server_frame


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    parts = []
    for size in sizes:
        parts.append(data[:size])
        data = data[size:]
    return [*parts, data]


@given(
    st.lists(st.tuples(st.sampled_from([BINARY, PING, CLOSE]), st.sampled_from([0, 1, 125, 126, 70_000])), max_size=4),
    st.lists(st.integers(0, 300), max_size=20),
)
def test_messages_come_whole_however_the_bytes_come(shapes: list[tuple[int, int]], sizes: list[int]) -> None:
    messages = [Message(opcode, bytes(size)) for opcode, size in shapes]
    data = b"".join(server_frame(message.data, message.opcode) for message in messages)
    reader = FrameReader()
    assert [message for part in cut(data, sizes) for message in reader.feed(part)] == messages


def test_a_message_in_several_frames_with_a_ping_between_them() -> None:
    reader = FrameReader()
    data = server_frame(b"one", BINARY, final=False) + server_frame(b"", PING) + server_frame(b"two", 0)
    assert reader.feed(data) == [Message(PING, b""), Message(BINARY, b"onetwo")]


@pytest.mark.parametrize("head", [b"\x82\x80", b"\xc2\x00"])
def test_what_no_server_may_send_is_refused(head: bytes) -> None:
    with pytest.raises(ValueError, match="masked or compressed"):
        FrameReader().feed(head)
