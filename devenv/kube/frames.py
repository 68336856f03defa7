"""Messages out of the bytes of a websocket: RFC 6455, section 5, the server's side (never masked)."""

from __future__ import annotations

from dataclasses import dataclass

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
_LONG = {126: 2, 127: 8}


@dataclass(frozen=True, slots=True)
class Message:
    """A whole message: how it is meant (`BINARY`, `CLOSE`, `PING` ...) and its content."""

    opcode: int
    data: bytes


@dataclass(frozen=True, slots=True)
class _Frame:
    final: bool
    opcode: int
    data: bytes


class FrameReader:
    """Takes bytes as they come, gives messages as they are complete."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._opcode = CONTINUATION
        self._parts: list[bytes] = []

    def feed(self, data: bytes) -> list[Message]:
        """The messages that these bytes complete. ValueError for bytes that no server may send."""
        self._buffer += data
        messages = []
        while (frame := self._next()) is not None:
            message = self._join(frame)
            if message is not None:
                messages.append(message)
        return messages

    def _next(self) -> _Frame | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        if buffer[1] & 0x80 or buffer[0] & 0x70:
            raise ValueError("the server sent a websocket frame that is masked or compressed")
        size, start = buffer[1], 2
        if more := _LONG.get(size):
            start += more
            if len(buffer) < start:
                return None
            size = int.from_bytes(buffer[2:start], "big")
        if len(buffer) < start + size:
            return None
        frame = _Frame(bool(buffer[0] & 0x80), buffer[0] & 0x0F, bytes(buffer[start : start + size]))
        del buffer[: start + size]
        return frame

    def _join(self, frame: _Frame) -> Message | None:
        """A message may come in several frames, with control frames, which are always whole, between them."""
        if frame.opcode >= CLOSE:
            return Message(frame.opcode, frame.data)
        if frame.opcode != CONTINUATION:
            self._opcode, self._parts = frame.opcode, []
        self._parts.append(frame.data)
        if not frame.final:
            return None
        data, self._parts = b"".join(self._parts), []
        return Message(self._opcode, data)
