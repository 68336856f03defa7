"""A project in memory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from devenv.scan.project import Project, tells


class FakeProjectFiles:
    """Files by their path from the root `/p`; `written` are those that were written. Failures are popped by `write`."""

    root = Path("/p")

    def __init__(self, files: Mapping[str, str]) -> None:
        self.files = dict(files)
        self.written: dict[str, str] = {}
        self.failures: list[BaseException] = []

    def read(self, root: Path) -> Project:
        inside = {path: text for path, text in self.files.items() if not path.startswith("..")}
        texts = {path: text for path, text in inside.items() if tells(path)}
        folders = {parent.as_posix() for path in inside for parent in Path(path).parents}
        return Project(frozenset(inside), texts, frozenset(folders))

    def read_text(self, file: Path) -> str | None:
        return self.files.get(file.relative_to(self.root).as_posix())

    def write(self, files: Mapping[Path, str]) -> None:
        if self.failures:
            raise self.failures.pop(0)
        for file, text in files.items():
            self.files[file.relative_to(self.root).as_posix()] = text
            self.written[file.relative_to(self.root).as_posix()] = text
