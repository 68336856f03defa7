"""One file of ignore rules, in the format of gitignore(5)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from devenv.sync.wildcards import translate

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of an ignore file: where it stands, and what it says of the paths that it fits."""

    place: str
    line: int
    text: str
    negative: bool
    only_dirs: bool
    on_name: bool
    expression: bytes

    def __str__(self) -> str:
        return f"{self.place}:{self.line}: {self.text}"


class Rules:
    """The rules of one file. `content` is the file's, `place` what to call it; `fold` makes case not count."""

    def __init__(self, place: str, content: bytes, *, fold: bool = False) -> None:
        rules = [*_parse(place, content)]
        flags = re.DOTALL | (re.IGNORECASE if fold else 0)
        self._rules = [(rule, re.compile(rule.expression, flags).fullmatch) for rule in reversed(rules)]
        self._name_fits = _any((rule for rule in rules if rule.on_name), flags)
        self._path_fits = _any((rule for rule in rules if not rule.on_name), flags)

    def __bool__(self) -> bool:
        return bool(self._rules)

    def decide(self, path: bytes, name: bytes, *, is_dir: bool) -> Rule | None:
        """The rule that decides about a path, relative to the file's folder, whose last component is `name`."""
        # Most paths fit no rule at all: that is asked with one expression before the rules are asked one by one.
        if not self._name_fits(name) and not self._path_fits(path):
            return None
        for rule, fits in self._rules:
            if (is_dir or not rule.only_dirs) and fits(name if rule.on_name else path):
                return rule
        return None


def _any(rules: Iterable[Rule], flags: int) -> Callable[[bytes], object]:
    parts = [rule.expression for rule in rules]
    return re.compile(b"|".join(parts), flags).fullmatch if parts else lambda subject: None


def _parse(place: str, content: bytes) -> Iterator[Rule]:
    for number, raw in enumerate(content.removeprefix(_BOM).split(b"\n"), start=1):
        line = raw.removesuffix(b"\r").partition(b"\0")[0]
        if line.startswith(b"#"):
            continue
        text = _without_spaces(line)
        pattern = text.removeprefix(b"!")
        only_dirs = pattern.endswith(b"/")
        pattern = pattern[: len(pattern) - only_dirs]
        on_name = b"/" not in pattern
        expression = translate(pattern.removeprefix(b"/"))
        if expression:
            shown = text.decode(errors="surrogateescape")
            yield Rule(place, number, shown, text.startswith(b"!"), only_dirs, on_name, expression)


def _without_spaces(line: bytes) -> bytes:
    """Without the spaces at its end that no backslash keeps."""
    kept = line.rstrip(b" ")
    backslashes = len(kept) - len(kept.rstrip(b"\\"))
    return kept + b" " if backslashes % 2 and len(kept) < len(line) else kept
