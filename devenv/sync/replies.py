"""The frames that the agent in a container sends: docs/explanation/sync.md, "The protocol"."""

from __future__ import annotations

from dataclasses import dataclass

from devenv.sync import codec
from devenv.sync.codec import I32, I64, REST, TEXT, U8, U16, U32, U64, Field
from devenv.sync.protocol import Frame


@dataclass(frozen=True, slots=True)
class Row:
    """What a path of a target is: "f", "d", "l", "o" (other), "-" (nothing) or "!" (can't be read).

    `digest` is the SHA-256 of a file, `text` what a link says.
    """

    path: str
    kind: str
    mode: int = 0
    size: int = 0
    mtime_ns: int = 0
    digest: bytes = b""
    text: str = ""


_ROW_HEAD = codec.together(TEXT, U8, U16, U64, I64)
_DIGEST = codec.fixed(32)


def _write_row(row: Row) -> bytes:
    head = _ROW_HEAD.write((row.path, ord(row.kind), row.mode, row.size, row.mtime_ns))
    return head + (row.digest if row.kind == "f" else TEXT.write(row.text) if row.kind == "l" else b"")


def _read_row(data: bytes, at: int) -> tuple[Row, int]:
    (path, kind, mode, size, mtime_ns), at = _ROW_HEAD.read(data, at)
    digest, text = b"", ""
    if kind == ord("f"):
        digest, at = _DIGEST.read(data, at)
    elif kind == ord("l"):
        text, at = TEXT.read(data, at)
    return Row(path, chr(kind), mode, size, mtime_ns, digest, text), at


@dataclass(frozen=True, slots=True)
class Welcome(Frame):
    """The first answer; `batch_id` is the number of the last batch that was committed in this pod."""

    type = 129
    fields = (U16, U32, U8, codec.fixed(16), U32)
    version: int
    uid: int
    supervised: int
    boot: bytes
    batch_id: int


@dataclass(frozen=True, slots=True)
class Rows(Frame):
    """What some paths of a target are."""

    type = 130
    fields = (U8, U8, codec.listed(U32, Field(_write_row, _read_row)))
    target: int
    last: int
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Ack(Frame):
    """A batch was carried out but for these: target, errno, path."""

    type = 131
    fields = (codec.listed(U32, codec.together(U8, U16, TEXT)),)
    failed: tuple[tuple[int, int, str], ...]


@dataclass(frozen=True, slots=True)
class Done(Frame):
    """How a request ended: 0, an exit code (128 + signal), or an errno."""

    type = 132
    fields = (U32, TEXT)
    status: int
    text: str


@dataclass(frozen=True, slots=True)
class Output(Frame):
    """What a command printed: stream 1 or 2."""

    type = 133
    fields = (U8, REST)
    stream: int
    data: bytes


@dataclass(frozen=True, slots=True)
class File(Frame):
    """The file that is asked for; its Content follows."""

    type = 134
    fields = (U8, U16, U64, I64, TEXT)
    kind: int
    mode: int
    size: int
    mtime_ns: int
    path: str


@dataclass(frozen=True, slots=True)
class Content(Frame):
    """Some of a file's content."""

    type = 135
    fields = (REST,)
    data: bytes


@dataclass(frozen=True, slots=True)
class Paths(Frame):
    """Absolute paths that match a pattern."""

    type = 136
    fields = (U8, codec.listed(U32, TEXT))
    last: int
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pong(Frame):
    """The bytes of a Ping."""

    type = 137
    fields = (REST,)
    data: bytes


@dataclass(frozen=True, slots=True)
class Credit(Frame):
    """So many bytes of frames were consumed since the last one."""

    type = 138
    fields = (U32,)
    size: int


@dataclass(frozen=True, slots=True)
class State(Frame):
    """What the program does now (WAITS, RUNS, CRASHED, ENDED); `synced` is 0 where it runs the image's code."""

    type = 139
    fields = (U8, U32, I32, U8, U32)
    state: int
    process: int
    code: int
    synced: int
    starts: int


@dataclass(frozen=True, slots=True)
class Failed(Frame):
    """The agent can't go on and ends."""

    type = 143
    fields = (U16, TEXT)
    code: int
    text: str
