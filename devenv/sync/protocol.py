"""The frames between a session and the agent in a container: docs/explanation/sync.md, "The protocol"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from devenv.sync import codec
from devenv.sync.codec import I64, REST, TEXT, U8, U16, U32, U64, Field

VERSION = 1
LONGEST = 256 * 1024
CONTENT = 63 * 1024
WINDOW = 16 * 1024 * 1024
ABSOLUTE = 255
TAKE_OVER, COMPLETE = 1, 1
PING_SECONDS, SILENCE_SECONDS = 10.0, 45.0
FAILED_VERSION, FAILED_HELD, FAILED_TARGET, FAILED_PROTOCOL, FAILED_INTERNAL = range(1, 6)
WAITS, RUNS, CRASHED, ENDED = range(4)


class Frame:
    """One frame; `fields` say how its values are written, in order."""

    type: ClassVar[int]
    fields: ClassVar[tuple[Field, ...]]


@dataclass(frozen=True, slots=True)
class Hello(Frame):
    """The first frame; `holder` says who holds the stream, for people."""

    type = 1
    fields = (U16, U8, TEXT, codec.listed(U8, TEXT))
    version: int
    flags: int
    holder: str
    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class List(Frame):
    """Asks what paths of a target are."""

    type = 2
    fields = (U8, codec.listed(U32, TEXT))
    target: int
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Record(Frame):
    """Asks what the paths are that were synced into a target before."""

    type = 3
    fields = (U8,)
    target: int


@dataclass(frozen=True, slots=True)
class MakeDir(Frame):
    """A folder."""

    type = 16
    fields = (U8, U16, TEXT)
    target: int
    mode: int
    path: str


@dataclass(frozen=True, slots=True)
class Put(Frame):
    """A file of `size` bytes, with the first of them."""

    type = 17
    fields = (U8, U16, I64, U64, TEXT, REST)
    target: int
    mode: int
    mtime_ns: int
    size: int
    path: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Data(Frame):
    """More of the last Put's file."""

    type = 18
    fields = (REST,)
    data: bytes


@dataclass(frozen=True, slots=True)
class Link(Frame):
    """A symbolic link."""

    type = 19
    fields = (U8, TEXT, TEXT)
    target: int
    path: str
    text: str


@dataclass(frozen=True, slots=True)
class ChangeMode(Frame):
    """A file's mode and time, its content being right."""

    type = 20
    fields = (U8, U16, I64, TEXT)
    target: int
    mode: int
    mtime_ns: int
    path: str


@dataclass(frozen=True, slots=True)
class Delete(Frame):
    """Takes a path away, if it is of that kind ("f", "l", "d")."""

    type = 21
    fields = (U8, U8, TEXT)
    target: int
    kind: int
    path: str


@dataclass(frozen=True, slots=True)
class Commit(Frame):
    """Ends a batch; COMPLETE says that the container now has everything."""

    type = 31
    fields = (U8,)
    flags: int


@dataclass(frozen=True, slots=True)
class Restart(Frame):
    """Ends the program (TERM, after `grace_ms` KILL) and starts it anew."""

    type = 32
    fields = (U32,)
    grace_ms: int


@dataclass(frozen=True, slots=True)
class Signal(Frame):
    """Sends the program a signal."""

    type = 33
    fields = (U8,)
    number: int


@dataclass(frozen=True, slots=True)
class Exec(Frame):
    """Runs a command in the program's working folder."""

    type = 34
    fields = (codec.listed(U8, TEXT),)
    argv: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Get(Frame):
    """Asks for a file; target ABSOLUTE means that the path is absolute."""

    type = 48
    fields = (U8, TEXT)
    target: int
    path: str


@dataclass(frozen=True, slots=True)
class Glob(Frame):
    """Asks which paths match an absolute pattern."""

    type = 49
    fields = (TEXT,)
    pattern: str


@dataclass(frozen=True, slots=True)
class Ping(Frame):
    """Proves the way."""

    type = 64
    fields = (REST,)
    data: bytes


@dataclass(frozen=True, slots=True)
class Bye(Frame):
    """Ends the stream."""

    type = 65
    fields = ()
