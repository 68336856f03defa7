"""The blocks of a Markdown page: fenced code with its language, info words and line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
ROOT = DOCS.parent

_FENCE = re.compile(r"^(?P<indent>\s*)```(?P<info>[^`]*)$")


@dataclass(frozen=True)
class Block:
    """One fenced block."""

    file: Path
    line: int
    language: str
    options: dict[str, str]
    text: str

    @property
    def name(self) -> str:
        return f"{self.file.relative_to(ROOT) if self.file.is_relative_to(ROOT) else self.file}:{self.line}"


def blocks(file: Path) -> Iterator[Block]:
    """The fenced blocks of a page, in order."""
    start, info = 0, ""
    lines: list[str] = []
    for number, line in enumerate(file.read_text().splitlines(), 1):
        fence = _FENCE.match(line)
        if fence and not start:
            start, info, lines = number, fence["info"], []
        elif fence:
            language, *words = info.split() or [""]
            options = dict(word.partition("=")[::2] for word in words)
            yield Block(file, start, language, options, "\n".join(lines) + "\n")
            start = 0
        elif start:
            lines.append(line)


def pages() -> list[Path]:
    """Every page of the documentation, the README among them."""
    return [ROOT / "README.md", *sorted(p for p in DOCS.rglob("*.md") if "shop" not in p.parts)]


@dataclass(frozen=True)
class Command:
    """A command of a console block and the output it is said to print."""

    text: str
    output: str


def commands(block: Block) -> list[Command]:
    """The `$ ` lines of a console block, each with the lines up to the next."""
    found: list[tuple[str, list[str]]] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif found and found[-1][0].endswith("\\") and not found[-1][1]:
            found[-1] = (f"{found[-1][0]}\n{line.removeprefix('> ')}", [])
        elif found:
            found[-1][1].append(line)
    return [Command(text, "\n".join(lines).strip("\n")) for text, lines in found]
