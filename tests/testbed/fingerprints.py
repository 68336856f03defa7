"""Content hashes: a step whose inputs have the hash of the last time need not run again."""

import hashlib
from pathlib import Path


def fingerprint(*inputs: str | Path) -> str:
    """A short hash of texts, and of files or whole folders: names, contents and whether they can be executed."""
    total = hashlib.sha256()
    for item in inputs:
        for chunk in _read_file_tree(item) if isinstance(item, Path) else [b"text", item.encode()]:
            total.update(f"{len(chunk)}:".encode())
            total.update(chunk)
    return total.hexdigest()[:16]


def _read_file_tree(path: Path) -> list[bytes]:
    files = [path] if path.is_file() else sorted(entry for entry in path.rglob("*") if entry.is_file())
    chunks: list[bytes] = []
    for file in files:
        name = file.name if file == path else file.relative_to(path).as_posix()
        mode = b"x" if file.stat().st_mode & 0o100 else b"-"
        chunks += [name.encode(), mode, file.read_bytes()]
    return chunks
