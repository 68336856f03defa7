"""Frames of the protocol as bytes, and out of the bytes of a stream."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from devenv.sync import protocol, replies
from devenv.sync.protocol import LONGEST, Frame

_HEAD = struct.Struct(">IBI")

KINDS: dict[int, type[Frame]] = {
    kind.type: kind
    for room in (protocol, replies)
    for kind in vars(room).values()
    if isinstance(kind, type) and issubclass(kind, Frame) and kind is not Frame
}
"""The frames by their type."""

_WRITERS = {
    kind: tuple((name, field.write) for name, field in zip(kind.__slots__, kind.fields, strict=True))  # type: ignore[attr-defined]
    for kind in KINDS.values()
}


def encode(frame: Frame, batch: int = 0) -> bytes:
    """The bytes of a frame."""
    payload = b"".join([write(getattr(frame, name)) for name, write in _WRITERS[type(frame)]])
    return _HEAD.pack(len(payload) + 5, frame.type, batch) + payload


class Decoder:
    """Takes bytes as they come, gives (batch, frame) as they are complete. ValueError for what is no frame."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[int, Frame]]:
        """The frames that these bytes complete."""
        self._buffer += data
        start = 0
        try:
            while len(self._buffer) - start >= _HEAD.size:
                size, kind, batch = _HEAD.unpack_from(self._buffer, start)
                if not 5 <= size <= LONGEST:
                    raise ValueError(f"a frame of {size} bytes")
                if len(self._buffer) - start < size + 4:
                    break
                payload = bytes(self._buffer[start + _HEAD.size : start + size + 4])
                start += size + 4
                yield batch, decode(kind, payload)
        finally:
            del self._buffer[:start]


def decode(kind: int, payload: bytes) -> Frame:
    """A frame from its type and payload. ValueError."""
    if kind not in KINDS:
        raise ValueError(f"a frame of unknown type {kind}")
    values: list[Any] = []
    at = 0
    for field in KINDS[kind].fields:
        value, at = field.read(payload, at)
        values.append(value)
    if at != len(payload):
        raise ValueError(f"{len(payload) - at} bytes too many in a frame of type {kind}")
    return KINDS[kind](*values)
