"""A batch as frames for the agent, read from the source while they go out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field

from devenv.sync.batch import Batch
from devenv.sync.content import Reading, unchanged
from devenv.sync.framing import encode
from devenv.sync.index import Digest, Entry, Index
from devenv.sync.protocol import ChangeMode, Data, Delete, Frame, Link, MakeDir, Put

FOLDER_MODE = 0o755


@dataclass(slots=True)
class Sent:
    """What really went out: digests by path, paths to look at again, and the bytes of content."""

    digests: dict[str, Digest] = field(default_factory=dict)
    again: list[str] = field(default_factory=list)
    size: int = 0


@dataclass(frozen=True, slots=True)
class Sending:
    """Turns batches for one target into frames; `acked` is what the container is known to have."""

    index: Index
    target: int
    number: int
    acked: Mapping[str, Digest]
    sent: Sent
    root: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "root", str(self.index.source))

    def frames(self, batch: Batch) -> Iterator[bytes]:
        """The frames, in any case all those that can be had: what can't be read is looked at again."""
        for path in batch.make:
            self.sent.digests[path] = "d"
            yield encode(MakeDir(self.target, FOLDER_MODE, path), self.number)
        for path, text in (batch.links or {}).items():
            self.sent.digests[path] = "l" + text
            yield encode(Link(self.target, path, text), self.number)
        for path in batch.puts:
            yield from self._file(path)
        for path in batch.gone:
            yield encode(Delete(self.target, ord(_kind(self.acked[path])), path), self.number)

    def claims(self, paths: Iterable[str]) -> Iterator[bytes]:
        """The frames that make what the container has already a part of what was synced."""
        for path in paths:
            entry = self.index.entries.get(path)
            if entry and entry.digest == self.acked.get(path):
                yield encode(self._claim(path, entry), self.number)

    def _claim(self, path: str, entry: Entry) -> Frame:
        if entry.kind == "dir":
            return MakeDir(self.target, FOLDER_MODE, path)
        if entry.kind == "link":
            return Link(self.target, path, entry.digest[1:])
        return ChangeMode(self.target, mode_of(entry.digest), entry.mtime_ns, path)

    def _file(self, path: str) -> Iterator[bytes]:
        entry = self.index.entries[path]
        acked = self.acked.get(path, "")
        if acked[:1] in ("f", "x") and acked[1:] == entry.digest[1:]:
            self.sent.digests[path] = entry.digest
            yield encode(ChangeMode(self.target, mode_of(entry.digest), entry.mtime_ns, path), self.number)
            return
        place = self._place(path)
        try:
            data = unchanged(place, entry)
            if data is not None:
                yield self._small(path, entry, data)
                return
            with closing(Reading(place, entry)) as reading:
                yield from self._content(path, reading)
        except OSError:
            self.sent.again.append(path)

    def _small(self, path: str, entry: Entry, data: bytes) -> bytes:
        self.sent.size += len(data)
        self.sent.digests[path] = entry.digest
        put = Put(self.target, mode_of(entry.digest), entry.mtime_ns, entry.size, path, data)
        return encode(put, self.number)

    def _place(self, path: str) -> str:
        # Not by Path: of ten thousand small files it would be a quarter of the time.
        return str(self.index.source) if self.index.name else f"{self.root}/{path}"

    def _content(self, path: str, reading: Reading) -> Iterator[bytes]:
        begun = False
        for data in reading.pieces():
            self.sent.size += len(data)
            yield encode(Data(data) if begun else self._put(path, reading, data), self.number)
            begun = True
        if reading.whole:
            self.sent.digests[path] = reading.digest
        if reading.changed or not reading.whole or reading.digest != self.index.entries[path].digest:
            self.sent.again.append(path)

    def _put(self, path: str, reading: Reading, data: bytes) -> Put:
        mode = mode_of(reading.kind)
        return Put(self.target, mode, reading.mtime_ns, reading.size, path, data)


def mode_of(digest: Digest) -> int:
    """The mode of a file: executability is all that counts."""
    return 0o755 if digest.startswith("x") else 0o644


def _kind(digest: Digest) -> str:
    return digest[0] if digest[0] in "dl" else "f"
