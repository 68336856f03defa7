"""What travels on a sync stream: frames to the program of `script.py`, and its answers.

A frame is a header line, `verb target block-size block-count steps...`, and a tar archive of that many blocks. Names
and link texts stand in the archive as raw bytes (GNU tar format, long names included, which busybox reads too);
modification times stand there with nanoseconds in a pax record, which busybox passes over and takes whole seconds.
"""

from __future__ import annotations

import shlex
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from devenv.sync.batch import Batch
from devenv.sync.index import Digest

BLOCK = tarfile.BLOCKSIZE
LARGE_BLOCK = 64 * 1024
FRAME_BYTES = 4 * 1024 * 1024
GROUP_FILES = 200

PING = b"ping\n"


@dataclass(frozen=True, slots=True)
class Content:
    """A file's content as it was read, with the time stamp and the digest that belong to it."""

    data: bytes
    mtime_ns: int
    digest: Digest


Load = Callable[[str], Content | None]
"""Reads the file behind a path; None where it has vanished."""


def encode_put(target: int, batch: Batch, load: Load) -> Iterator[bytes]:
    """The frames of a batch: files are only staged by all but the last, which also moves and deletes.

    Files are read one after the other, as the frames are asked for.
    """
    stage = _Stage()
    parts = bytearray()
    for member in stage.members(batch, load):
        parts += member
        if len(parts) >= FRAME_BYTES:
            yield _frame("put", target, parts)
            parts.clear()
    lists = {
        "unlink1": batch.clear_files,
        "prune1": batch.clear_dirs,
        "make": batch.make,
        "move": tuple(stage.groups),
        "unlink2": batch.delete_files,
        "prune2": batch.delete_dirs,
    }
    steps = [step for step, lines in lists.items() if lines]
    yield _frame("put", target, parts + b"".join(_text(step, lists[step]) for step in steps), steps)


def encode_look(target: int, paths: Iterable[str]) -> bytes:
    """Ask what each path is: one line each, "d", "f", "x", "l" + link text, "o" (something else) or "-" (nothing)."""
    return _frame("look", target, _text("look", paths))


def encode_hash(target: int, paths: Iterable[str]) -> bytes:
    """Ask for the SHA-256 of files, as sha256sum prints them."""
    return _frame("hash", target, _text("hash", paths))


def encode_run(command: Sequence[str]) -> bytes:
    """Run a command in the container's working folder."""
    return _frame("run", 0, _file("run", _raw(shlex.join(command) + "\n")))


def encode_signal(name: str) -> bytes:
    """Send a signal ("HUP") to the container's first process."""
    return f"signal {name}\n".encode()


class _Stage:
    """Sorts files into numbered groups, each of one folder, so that one `mv` with a pattern moves many."""

    def __init__(self) -> None:
        self.groups: list[str] = []
        self._key = ""
        self._count = 0

    def members(self, batch: Batch, load: Load) -> Iterator[bytes]:
        """Archive members for the files and links of a batch; `groups` has the lines of the list `move`."""
        for path in sorted(batch.puts, key=_group):
            content = load(path)
            if content:
                yield _file(self._place(path), content.data, mtime_ns=content.mtime_ns, mode=_mode(content.digest))
        for path, text in sorted((batch.links or {}).items(), key=lambda link: _group(link[0])):
            yield _header(self._place(path), kind=tarfile.SYMTYPE, link=text)

    def _place(self, path: str) -> str:
        key = _group(path)
        if key != self._key or self._count >= GROUP_FILES:
            self.groups.append(key)
            self._key, self._count = key, 0
        self._count += 1
        return f"{len(self.groups) - 1}/{path.rpartition('/')[2]}"


def _group(path: str) -> str:
    """The line of the list `move` that a path belongs to: which of three patterns matches its name, and its folder."""
    folder, _, name = path.rpartition("/")
    pattern = "e" if name.startswith("..") else "d" if name.startswith(".") else "p"
    return pattern + (folder or ".")


def _mode(digest: Digest) -> int:
    return 0o755 if digest.startswith("x") else 0o644


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _text(name: str, lines: Iterable[str]) -> bytes:
    return _file(name, _raw("".join(f"{line}\n" for line in lines)))


def _file(name: str, data: bytes, *, mtime_ns: int = 0, mode: int = 0o644) -> bytes:
    return _header(name, size=len(data), mtime_ns=mtime_ns, mode=mode) + _pad(data, BLOCK)


def _header(
    name: str, *, kind: bytes = tarfile.REGTYPE, size: int = 0, mtime_ns: int = 0, mode: int = 0o644, link: str = ""
) -> bytes:
    info = tarfile.TarInfo(name)
    info.type, info.size, info.mode, info.linkname = kind, size, mode, link
    info.mtime = max(mtime_ns, 0) // 1_000_000_000
    exact = _exact_time(mtime_ns) if mtime_ns > 0 else b""
    return exact + info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")


def _exact_time(mtime_ns: int) -> bytes:
    """A pax extended header with one record, "length key=value" where the length counts itself (POSIX, pax)."""
    rest = f" mtime={mtime_ns // 1_000_000_000}.{mtime_ns % 1_000_000_000:09d}\n"
    record = f"{len(rest) + 2}{rest}".encode()
    info = tarfile.TarInfo("pax")
    info.type, info.size = tarfile.XHDTYPE, len(record)
    return info.tobuf(tarfile.USTAR_FORMAT) + _pad(record, BLOCK)


def _pad(data: bytes, size: int) -> bytes:
    return data + b"\0" * (-len(data) % size)


def _frame(verb: str, target: int, members: bytes | bytearray, steps: Sequence[str] = ()) -> bytes:
    block = BLOCK if len(members) < FRAME_BYTES // 4 else LARGE_BLOCK
    archive = _pad(bytes(members) + b"\0" * 2 * BLOCK, block)
    header = " ".join([verb, str(target), str(block), str(len(archive) // block), *steps])
    return f"{header}\n".encode() + archive


@dataclass(frozen=True, slots=True)
class Answer:
    """How a frame was answered: `status` is ok, error, missing, unwritable or "exit CODE"; `body` is what it says."""

    status: str
    body: bytes = b""

    @property
    def text(self) -> str:
        """The body for people."""
        return self.body.decode("utf-8", "replace").strip()


@dataclass(slots=True)
class Answers:
    """Puts answers together from what comes off the stream, in any pieces."""

    _rest: bytearray = field(default_factory=bytearray)

    def feed(self, data: bytes) -> list[Answer]:
        """Take bytes in; gives the answers that are complete now."""
        self._rest += data
        fields = bytes(self._rest).split(b"\0") if b"\0" in data else []
        whole = max(len(fields) - 1, 0) // 2
        answers = [Answer(fields[2 * n + 1].decode("ascii", "replace"), fields[2 * n]) for n in range(whole)]
        if answers:
            self._rest = bytearray(b"\0".join(fields[2 * whole :]))
        return answers


def known(paths: Sequence[str], look: Answer, hashes: Mapping[str, str]) -> dict[str, Digest]:
    """What the container has at `paths`, from its answers; files without a hash count as unknown content.

    What lies below something that is no plain folder is left out: it would be reached through a link.
    """
    kinds = parse_look(paths, look)
    digests = {path: kind + hashes.get(path, "") if kind in ("f", "x") else kind for path, kind in kinds.items()}
    return {path: digest for path, digest in digests.items() if _is_reached_plainly(path, kinds)}


def _is_reached_plainly(path: str, kinds: Mapping[str, str]) -> bool:
    parent = path.rpartition("/")[0]
    while parent:
        if kinds.get(parent) != "d":
            return False
        parent = parent.rpartition("/")[0]
    return True


def parse_look(paths: Sequence[str], look: Answer) -> dict[str, str]:
    """What there is, by path; nothing at all where the answer does not fit the question."""
    lines = look.body.decode("utf-8", "surrogateescape").split("\n")[:-1]
    if len(lines) != len(paths):
        return {}
    return {path: line for path, line in zip(paths, lines, strict=True) if line and line != "-"}


def parse_hash(answer: Answer) -> dict[str, str]:
    """Hashes by path. Format: sha256sum's "HEX  ./PATH" lines, with a leading backslash where PATH is escaped (GNU)."""
    hashes: dict[str, str] = {}
    for line in answer.body.decode("utf-8", "surrogateescape").split("\n")[:-1]:
        escaped = line.startswith("\\")
        digest, _, path = line.removeprefix("\\").partition("  ./")
        hashes[path.replace("\\\\", "\\") if escaped else path] = digest
    return hashes
