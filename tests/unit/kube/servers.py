"""The other end of a websocket, in the test's hands."""

from __future__ import annotations

import socket
import struct

from devenv.kube.dialing import Line
from devenv.kube.frames import BINARY, CLOSE

PATIENCE = 20.0


def server_frame(payload: bytes, opcode: int = BINARY, *, final: bool = True) -> bytes:
    """A frame as a server sends it: RFC 6455, section 5.2."""
    size = len(payload)
    head = bytes([(0x80 if final else 0) | opcode])
    if size < 126:
        return head + bytes([size]) + payload
    return head + (struct.pack("!BH", 126, size) if size < 65536 else struct.pack("!BQ", 127, size)) + payload


class Server:
    """A websocket whose handshake is done; `line` is the client's end."""

    def __init__(self, protocol: str = "v5.channel.k8s.io") -> None:
        ours, self._socket = socket.socketpair()
        self._socket.settimeout(PATIENCE)
        self.line = Line(ours, protocol)

    def send(self, payload: bytes, opcode: int = BINARY) -> None:
        self._socket.sendall(server_frame(payload, opcode))

    def receive(self) -> tuple[int, bytes]:
        """Opcode and content of the next frame, which a client must mask."""
        head = self._read(2)
        size = head[1] & 0x7F
        assert head[1] & 0x80
        if size >= 126:
            size = int.from_bytes(self._read(2 if size == 126 else 8), "big")
        key = self._read(4)
        masked = self._read(size)
        return head[0] & 0x0F, bytes(byte ^ key[at % 4] for at, byte in enumerate(masked))

    def hang_up(self) -> None:
        """End it with a close frame."""
        self.send(b"\x03\xe8", CLOSE)
        self.close()

    def close(self) -> None:
        """Gone without a word."""
        self._socket.close()

    def _read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            part = self._socket.recv(size - len(data))
            if not part:
                raise EOFError
            data += part
        return data
