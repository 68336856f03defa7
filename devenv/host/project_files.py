"""A project's files for `devenv init`: read within limits, written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from devenv import problems
from devenv.errors import Refused
from devenv.scan.project import SKIPPED, Project, tells

MOST_FILES = 20_000
MOST_TEXTS = 500
MOST_BYTES = 256 * 1024
DEEPEST = 8


class LocalProjectFiles:
    """The files of this machine."""

    def read(self, root: Path) -> Project:
        """The project's files, within limits of number and size, without what was fetched or built."""
        paths: set[str] = set()
        folders: set[str] = set()
        texts: dict[str, str] = {}
        left = []
        for path, is_folder in self._walk(root, ""):
            if is_folder:
                folders.add(path)
                continue
            if len(paths) >= MOST_FILES:
                left.append(f"more than {MOST_FILES} files: the others were not looked at")
                break
            paths.add(path)
            text = self.read_text(root / path) if tells(path) and len(texts) < MOST_TEXTS else None
            if text is not None:
                texts[path] = text
        return Project(frozenset(paths), texts, frozenset(folders), tuple(left))

    def _walk(self, root: Path, prefix: str) -> Iterator[tuple[str, bool]]:
        """Files before folders, so that what is near the top is seen first."""
        try:
            entries = sorted(os.scandir(root / prefix), key=lambda entry: entry.name)
        except OSError:
            return
        inner = []
        for entry in entries:
            path = f"{prefix}{entry.name}"
            if entry.is_dir():
                inner.append((path, entry))
            elif entry.is_file():
                yield path, False
        for path, entry in inner:
            yield path, True
            if entry.name not in SKIPPED and not entry.is_symlink() and path.count("/") < DEEPEST:
                yield from self._walk(root, f"{path}/")

    def read_text(self, file: Path) -> str | None:
        """One text file, or None where there is none of a usual size."""
        try:
            if not file.is_file() or file.stat().st_size > MOST_BYTES:
                return None
            return file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return None

    def write(self, files: Mapping[Path, str]) -> None:
        """Write texts, each whole or not at all. Refused write-failed."""
        ready: list[tuple[str, Path]] = []
        file = next(iter(files), Path())
        try:
            for file, text in files.items():
                file.parent.mkdir(parents=True, exist_ok=True)
                ready.append((_beside(file, text), file))
            while ready:
                os.replace(*ready[0])
                ready.pop(0)
        except OSError as error:
            raise Refused(problems.WRITE_FAILED, file=file, reason=error.strerror or error) from error
        finally:
            for temporary, _ in ready:
                Path(temporary).unlink(missing_ok=True)


def _beside(file: Path, text: str) -> str:
    """The text in a temporary file of the same folder, with the rights of the file it replaces."""
    handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(text)
    umask = os.umask(0)
    os.umask(umask)
    os.chmod(temporary, file.stat().st_mode & 0o777 if file.exists() else 0o666 & ~umask)
    return temporary
