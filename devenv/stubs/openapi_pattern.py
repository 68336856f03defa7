"""Strings that match a simple regular expression."""

from __future__ import annotations

import string
from dataclasses import dataclass

_LONGEST_PATTERN, _LONGEST_TEXT, _MOST_STEPS, _DEEPEST, _MOST_EXTRA = 300, 2000, 8000, 10, 256
_WORD = string.ascii_lowercase + string.digits + string.ascii_uppercase + "_"
_VISIBLE = string.ascii_lowercase + string.digits + string.ascii_uppercase + string.punctuation + " "
_CLASSES = {"d": string.digits, "w": _WORD, "s": " ", "D": "x", "W": "-", "S": "x"}
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r"}


class _Unfit(Exception):  # noqa: N818 - a pattern that is not simple is no error
    pass


def matching(pattern: str, low: int, high: float, seed: int) -> str | None:
    """A string of the pattern with a length from low to high; None where the pattern is not a simple one.

    Simple are literals, classes, groups, alternatives and counts; anchors only at the ends.
    """
    try:
        tree = _Parser(pattern).parse()
        for extra in range(min(low, _MOST_EXTRA) + 1):
            made = _Maker(seed, extra).of(tree)
            if low <= len(made) <= high:
                return made
    except _Unfit:
        pass
    return None


@dataclass(frozen=True)
class _Any:
    """One of these characters."""

    characters: str


@dataclass(frozen=True)
class _Row:
    parts: tuple[_Node, ...]


@dataclass(frozen=True)
class _Repeat:
    part: _Node
    least: int
    most: int


_Node = _Any | _Row | _Repeat


class _Maker:
    """Makes the string of a tree; repetitions may have some more than their least."""

    def __init__(self, seed: int, extra: int) -> None:
        self._seed, self._extra, self._made = seed, extra, 0

    def of(self, node: _Node) -> str:
        self._made += 1
        if self._made > _MOST_STEPS:
            raise _Unfit
        if isinstance(node, _Any):
            return node.characters[(self._seed // 31 ** (self._made % 12) + self._made) % len(node.characters)]
        if isinstance(node, _Row):
            return "".join(self.of(part) for part in node.parts)
        return "".join(self.of(node.part) for _ in range(min(node.least + self._extra, node.most)))


class _Parser:
    def __init__(self, pattern: str) -> None:
        if len(pattern) > _LONGEST_PATTERN:
            raise _Unfit
        self._rest = pattern.removeprefix("^")
        if self._rest.endswith("$") and not self._rest.endswith("\\$"):
            self._rest = self._rest[:-1]
        # `^a|b$` anchors each alternative at one end only, and so asks for care that simple patterns need not.
        self._anchored = self._rest != pattern

    def parse(self) -> _Node:
        tree, several = self._alternatives(0)
        if self._rest or (several and self._anchored):
            raise _Unfit
        return tree

    def _take(self, count: int = 1) -> str:
        taken, self._rest = self._rest[:count], self._rest[count:]
        if len(taken) < count:
            raise _Unfit
        return taken

    def _alternatives(self, depth: int) -> tuple[_Node, bool]:
        """The first alternative, and whether there are others."""
        if depth > _DEEPEST:
            raise _Unfit
        first = self._row(depth)
        several = False
        while self._rest.startswith("|"):
            self._take()
            self._row(depth)
            several = True
        return first, several

    def _row(self, depth: int) -> _Node:
        parts: list[_Node] = []
        while self._rest and self._rest[0] not in "|)":
            parts.append(self._repeated(self._atom(depth)))
        return _Row(tuple(parts))

    def _atom(self, depth: int) -> _Node:
        character = self._take()
        if character == "(":
            return self._group(depth)
        if character == "[":
            return _Any(self._class())
        if character == "\\":
            return _Any(self._escape())
        if character in "^$*+?{":
            raise _Unfit
        return _Any("x" if character == "." else character)

    def _group(self, depth: int) -> _Node:
        if self._rest.startswith("?:"):
            self._take(2)
        elif self._rest.startswith("?"):
            raise _Unfit
        inner, _ = self._alternatives(depth + 1)
        if self._take() != ")":
            raise _Unfit
        return inner

    def _escape(self) -> str:
        character = self._take()
        known = _CLASSES.get(character) or _CONTROLS.get(character)
        if known is None and character.isalnum():
            raise _Unfit
        return known or character

    def _class(self) -> str:
        negated = self._rest.startswith("^")
        if negated:
            self._take()
        members = ""
        while not self._rest.startswith("]"):
            members += self._member()
        self._take()
        found = "".join(letter for letter in _VISIBLE if letter not in members) if negated else members
        if not found:
            raise _Unfit
        return found

    def _member(self) -> str:
        first = self._take()
        if first == "[":
            raise _Unfit
        if first == "\\":
            first = self._escape()
        if len(first) > 1 or not self._rest.startswith("-") or self._rest.startswith("-]"):
            return first
        self._take()
        last = self._take()
        last = self._escape() if last == "\\" else last
        if len(last) > 1 or not ord(first) <= ord(last) <= ord(first) + 256:
            raise _Unfit
        return "".join(map(chr, range(ord(first), ord(last) + 1)))

    def _repeated(self, atom: _Node) -> _Node:
        counts = self._counts()
        if counts is None:
            return atom
        if self._rest[:1] in ("?", "+"):  # lazy or possessive: the strings are the same
            self._take()
        return _Repeat(atom, *counts)

    def _counts(self) -> tuple[int, int] | None:
        simple = {"*": (0, _LONGEST_TEXT), "+": (1, _LONGEST_TEXT), "?": (0, 1)}.get(self._rest[:1])
        if simple:
            self._take()
        if simple or not self._rest.startswith("{"):
            return simple
        inside, closed, self._rest = self._rest[1:].partition("}")
        least, comma, most = inside.partition(",")
        if not closed or not least.isdecimal() or not least.isascii() or (most and not most.isdecimal()):
            raise _Unfit
        return int(least), int(most) if most else _LONGEST_TEXT if comma else int(least)
