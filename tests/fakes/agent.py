"""An agent in Python, over bytes and real folders, with a program that is only pretended and faults on demand."""

from __future__ import annotations

import errno
import glob
import os
import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from devenv.sync import protocol as p
from devenv.sync import replies as r
from devenv.sync.framing import Decoder, encode
from tests.fakes.agent_folder import Folder, is_allowed

CREDIT = 512 * 1024
ROWS = 100
CHUNK = 48 * 1024
_HEAD = struct.Struct(">I")

Ran = tuple[int, bytes, bytes]
"""How a command ends: exit code, stdout, stderr."""


@dataclass
class FakeContainer:
    """What outlives a stream: the record, the program, who holds it, and the scripted faults.

    `refusals` are errnos by path; `run` says how a command ends. `restart` is a new start of the same pod.
    """

    uid: int = 1000
    supervised: bool = True
    refusals: dict[str, int] = field(default_factory=dict)
    run: Callable[[Sequence[str]], Ran] = lambda argv: (0, b"", b"")
    boot: bytes = field(default_factory=lambda: os.urandom(16))
    records: dict[str, set[str]] = field(default_factory=dict)
    batch: int = 0
    starts: int = 0
    state: int = p.WAITS
    code: int = 0
    signals: list[int] = field(default_factory=list)
    commands: list[tuple[str, ...]] = field(default_factory=list)
    agent: FakeAgent | None = None
    places: dict[str, str] = field(default_factory=dict)
    """Where on this machine the container's folders are, if elsewhere."""

    def start(self) -> None:
        self.starts += 1
        self._become(p.RUNS)

    def crash(self, code: int) -> None:
        """The program ends by itself."""
        self._become(p.CRASHED, code)

    def restart(self) -> None:
        """The container starts anew: its program too, if it ever had everything."""
        if self.agent:
            self.agent.kill()
        self.boot, self.state = os.urandom(16), p.WAITS
        if self.batch:
            self.start()

    def describe(self) -> r.State:
        return r.State(self.state, 100 + self.starts, self.code, int(self.batch > 0), self.starts)

    def _become(self, state: int, code: int = 0) -> None:
        self.state, self.code = state, code
        if self.agent:
            self.agent.tell(self.describe())


class FakeAgent:
    """One stream's far end: feed it bytes, it gives bytes; `drain` has what it says unasked.

    `ended` turns True for good. `cut_after` (bytes of input) kills it in the midst, `stalled` lets it fall silent.
    """

    def __init__(self, container: FakeContainer, *, cut_after: int | None = None) -> None:
        self.ended = False
        self.stalled = False
        self.cut_after = cut_after
        self.container = container
        self._decoder = Decoder()
        self._folders: list[Folder] = []
        self._greeted = False
        self._roots: tuple[str, ...] = ()
        self._put: p.Put | None = None
        self._changed = False
        self._owed = 0
        self._holder = ""
        self._waiting = b""
        self._out = bytearray()

    def feed(self, data: bytes) -> bytes:
        """Take in bytes; gives the answers."""
        if self.cut_after is not None and len(data) >= self.cut_after:
            data = data[: self.cut_after]
            self._take(data)
            self.kill()
            return self.drain()
        if self.cut_after is not None:
            self.cut_after -= len(data)
        self._take(data)
        return self.drain()

    def drain(self) -> bytes:
        """What was not given yet; nothing while stalled."""
        if self.stalled:
            return b""
        if self._waiting:
            waiting, self._waiting = self._waiting, b""
            self._take(waiting)
        given = bytes(self._out)
        self._out.clear()
        return given

    def tell(self, frame: p.Frame, batch: int = 0) -> None:
        """Say something."""
        self._out += encode(frame, batch)

    def kill(self) -> None:
        """End at once, leaving what is staged."""
        self.ended = True
        if self.container.agent is self:
            self.container.agent = None

    def close(self) -> None:
        """The other side has ended the stream."""
        if not self.ended:
            for folder in self._folders:
                folder.clean()
            self.kill()

    def fail(self, code: int, text: str) -> None:
        """Say that it can't go on, and end."""
        self.tell(r.Failed(code, text))
        self.close()

    def _take(self, data: bytes) -> None:
        if self.stalled:
            self._waiting += data
            return
        try:
            for batch, frame in self._decoder.feed(data):
                if not self.ended:
                    self._handle(batch, frame)
        except ValueError as error:
            self.fail(p.FAILED_PROTOCOL, str(error))
        self._owed += len(data)
        while self._owed >= CREDIT and not self.ended:
            self.tell(r.Credit(self._owed))
            self._owed = 0

    def _handle(self, batch: int, frame: p.Frame) -> None:
        if not self._greeted and not isinstance(frame, p.Hello | p.Ping | p.Bye):
            self.fail(p.FAILED_PROTOCOL, "HELLO comes first")
            return
        match frame:
            case p.Hello():
                self._greet(batch, frame)
            case p.List(target=target, paths=paths):
                self._rows(batch, target, self._folders[target].rows(paths))
            case p.Record(target=target):
                self._rows(batch, target, self._folders[target].recorded())
            case p.Data(data=data) if self._put:
                self._folders[self._put.target].append(self._put, data)
            case p.MakeDir() | p.Put() | p.Link() | p.ChangeMode() | p.Delete():
                self._put = frame if isinstance(frame, p.Put) else None
                self._changed = True
                self._folders[frame.target].stage(frame)
            case p.Commit(flags=flags):
                self._commit(batch, flags)
            case _:
                self._serve(batch, frame)

    def _serve(self, batch: int, frame: p.Frame) -> None:
        match frame:
            case p.Restart():
                if self.container.state != p.WAITS:
                    self.container.start()
                self.tell(r.Done(0, ""), batch)
            case p.Signal(number=number):
                self.container.signals.append(number)
                runs = self.container.state == p.RUNS
                self.tell(r.Done(0, "") if runs else r.Done(errno.ESRCH, "the program does not run"), batch)
            case p.Exec(argv=argv):
                self._exec(batch, argv)
            case p.Get(target=target, path=path):
                self._get(batch, target, path)
            case p.Glob(pattern=pattern):
                found = tuple(sorted(glob.glob(pattern, recursive=True, include_hidden=True)))
                self.tell(r.Paths(1, found), batch)
            case p.Ping(data=data):
                self.tell(r.Pong(data), batch)
            case p.Bye():
                self.close()
            case _:
                self.fail(p.FAILED_PROTOCOL, f"unexpected frame of type {frame.type}")

    def _greet(self, batch: int, hello: p.Hello) -> None:
        other = self.container.agent if hello.targets else None  # who only looks holds nothing
        missing = [target for target in hello.targets if not Path(self.container.places.get(target, target)).is_dir()]
        if hello.version != p.VERSION:
            self.fail(p.FAILED_VERSION, f"this agent speaks version {p.VERSION}")
        elif other and not hello.flags & p.TAKE_OVER:
            self.fail(p.FAILED_HELD, other._holder)
        elif missing:
            self.fail(p.FAILED_TARGET, f"{missing[0]}: No such file or directory")
        else:
            if other:
                other.fail(p.FAILED_HELD, hello.holder)
            self._open(batch, hello)

    def _open(self, batch: int, hello: p.Hello) -> None:
        box = self.container
        self._greeted, self._holder = True, hello.holder
        box.agent = self if hello.targets else box.agent
        self._roots = tuple(box.places.get(target, target) for target in hello.targets)
        self._folders = [Folder(root, box.records.setdefault(root, set()), box.refusals) for root in self._roots]
        self.tell(r.Welcome(p.VERSION, box.uid, int(box.supervised), box.boot, box.batch), batch)
        self.tell(box.describe())

    def _rows(self, batch: int, target: int, rows: Sequence[r.Row]) -> None:
        parts = [tuple(rows[at : at + ROWS]) for at in range(0, len(rows), ROWS)] or [()]
        for part in parts:
            self.tell(r.Rows(target, int(part is parts[-1]), part), batch)

    def _commit(self, batch: int, flags: int) -> None:
        failed: list[tuple[int, int, str]] = []
        for target, folder in enumerate(self._folders):
            failed += [(target, number, path) for number, path in folder.commit()]
        self._put = None
        box = self.container
        self.tell(r.Ack(tuple(failed)), batch)
        if flags & p.COMPLETE:
            box.batch = batch
        if (box.state == p.WAITS and flags & p.COMPLETE) or (box.state == p.CRASHED and self._changed):
            box.start()
        self._changed = False

    def _exec(self, batch: int, argv: tuple[str, ...]) -> None:
        self.container.commands.append(argv)
        code, out, err = self.container.run(argv)
        for stream, data in ((1, out), (2, err)):
            if data:
                self.tell(r.Output(stream, data), batch)
        self.tell(r.Done(code, ""), batch)

    def _get(self, batch: int, target: int, path: str) -> None:
        if target != p.ABSOLUTE and not is_allowed(path):
            self.tell(r.Done(errno.EPERM, "not permitted"), batch)
            return
        try:
            place = Path(path if target == p.ABSOLUTE else self._folders[target].place(path))
            if target != p.ABSOLUTE and place.is_symlink():
                self._get_link(batch, path, place)
                return
            status, data = place.stat(), place.read_bytes()
        except OSError as error:
            self.tell(r.Done(error.errno or errno.EIO, error.strerror or ""), batch)
            return
        self.tell(r.File(ord("f"), status.st_mode & 0o7777, len(data), status.st_mtime_ns, path), batch)
        for part in _pieces(data):
            self.tell(r.Content(part), batch)
        self.tell(r.Done(0, ""), batch)

    def _get_link(self, batch: int, path: str, place: Path) -> None:
        text, status = os.fsencode(os.readlink(place)), place.lstat()
        self.tell(r.File(ord("l"), status.st_mode & 0o7777, len(text), status.st_mtime_ns, path), batch)
        self.tell(r.Content(text), batch)
        self.tell(r.Done(0, ""), batch)


def _pieces(data: bytes) -> Iterable[bytes]:
    return (data[at : at + CHUNK] for at in range(0, len(data), CHUNK))
