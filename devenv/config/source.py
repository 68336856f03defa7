"""YAML text to a tree of values that know where they were written.

Only true/false, null and decimal integers are more than text: no yes/no, no sexagesimal or float surprises.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from devenv.config.model import Origin
from devenv.config.search import shown_place
from devenv.config.syntax import Told, character_words, encoding_words, end_of, syntax_words
from devenv.printable import printable

Scalar = str | int | bool | None

_LONGEST_PATH, _LONGEST_TEXT = 100, 80


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: where, under which key path, and what."""

    origin: Origin
    path: str
    text: str

    def line(self, root: Path) -> str:
        """`file:line:col  key.path  text`, the file relative to `root` where it lies below it."""
        shown = self.path if len(self.path) <= _LONGEST_PATH else f"{self.path[: _LONGEST_PATH - 1]}…"
        path = f"{shown}  " if shown else ""
        return f"{shown_place(self.origin, root)}  {printable(f'{path}{self.text}')}"


def list_faults(faults: list[Fault], first: Path, *, root: Path | None = None) -> list[str]:
    """A line for each fault, once: those of the file `first` first, paths relative to `root` (default: its folder)."""

    def place(fault: Fault) -> tuple[bool, str, int, int]:
        origin = fault.origin
        return origin.file != first, str(origin.file), origin.line, origin.column

    return list(dict.fromkeys(fault.line(root or first.parent) for fault in sorted(faults, key=place)))


def count_faults(lines: list[str]) -> str:
    """ "1 fault" or "3 faults"."""
    return "1 fault" if len(lines) == 1 else f"{len(lines)} faults"


@dataclass(frozen=True, slots=True)
class Leaf:
    """A scalar; `interpolated` where environment variables were put into its text, `plain` where no quotes stand."""

    value: Scalar
    origin: Origin
    interpolated: bool = False
    plain: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    items: tuple[Located, ...]
    origin: Origin


@dataclass(frozen=True, slots=True)
class Map:
    """A mapping; each entry has the origin of its key beside its value."""

    entries: dict[str, tuple[Origin, Located]]
    origin: Origin

    def value(self, key: str) -> Located | None:
        """The value of a key, if it is there."""
        entry = self.entries.get(key)
        return entry[1] if entry else None


Located = Leaf | Sequence | Map

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_NULLS = frozenset({"", "~", "null"})
# No path, command or environment variable can have these.
_UNUSABLE = re.compile("[\0\ud800-\udfff]")
_MAX_DEPTH = 60
_MAX_VALUES = 20_000
_KNOWN_TAGS = "tag:yaml.org,2002:"
_TEXT_TAG = "tag:yaml.org,2002:str"


def read_file(file: Path, faults: list[Fault]) -> Map | None:
    """The mapping in a file; None where there is none, with a fault for each reason."""
    text = read_utf8(file, faults)
    return None if text is None else read_text(text, file, faults)


def read_utf8(file: Path, faults: list[Fault]) -> str | None:
    """The text of a file; None with a fault where it can't be had."""
    try:
        data = file.read_bytes()
        return data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        faults.append(_fault(file, encoding_words(data, error)))
    except OSError as error:
        faults.append(Fault(Origin(file, 1, 1), "", f"can't be read: {error.strerror}"))
    return None


def read_text(text: str, file: Path, faults: list[Fault]) -> Map | None:
    """The mapping in a text (an empty text is an empty mapping); None with faults where there is none."""
    try:
        nodes = list(yaml.compose_all(text, Loader=_loader()))
    except yaml.MarkedYAMLError as error:
        faults.append(_fault(file, syntax_words(error, text)))
        return None
    except yaml.reader.ReaderError as error:
        faults.append(_fault(file, character_words(error, text)))
        return None
    if len(nodes) > 1:
        told = "a second document begins here: remove the --- before it, only one is read"
        faults.append(Fault(_origin(nodes[1], file), "", told))
        return None
    if not nodes or (isinstance(nodes[0], yaml.ScalarNode) and not nodes[0].value):
        return Map({}, Origin(file, 1, 1))
    tree = _Converter(file, faults, end=end_of(text)).convert(nodes[0], "")
    if isinstance(tree, Map):
        return tree
    if tree is not None:
        colon = ": is a colon missing?" if isinstance(tree, Leaf) else ""
        told = f"expected keys at the top, such as services:, got {describe(tree)}{colon}"
        faults.append(Fault(tree.origin, "", told))
    return None


def _loader() -> Any:
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _fault(file: Path, told: Told) -> Fault:
    line, column, text = told
    return Fault(Origin(file, line, column), "", text)


def _origin(node: yaml.Node, file: Path) -> Origin:
    return Origin(file, node.start_mark.line + 1, node.start_mark.column + 1)


class _Converter:
    def __init__(self, file: Path, faults: list[Fault], *, end: tuple[int, int]) -> None:
        self._file = file
        self._faults = faults
        self._end = Origin(file, *end)
        self._open: list[yaml.Node] = []
        self._count = 0

    def convert(self, node: yaml.Node, path: str) -> Located | None:
        """The node as a value; None with a fault where it is none."""
        self._count += 1
        refusal = self._refusal(node)
        if refusal:
            self._faults.append(Fault(self._place(node), path, refusal))
        if self._count > _MAX_VALUES or len(self._open) > _MAX_DEPTH or self._is_open(node):
            return None
        if isinstance(node, yaml.ScalarNode):
            plain = not node.style and node.tag != _TEXT_TAG
            # To YAML 1.1 a number such as 1e3 is text.
            unquoted = plain or (not node.style and "e" in node.value.lower())
            return Leaf(scalar(_UNUSABLE.sub("", node.value), plain=plain), self._place(node), plain=unquoted)
        self._open.append(node)
        tree: Located
        tree = self._sequence(node, path) if isinstance(node, yaml.SequenceNode) else self._map(node, path)
        self._open.pop()
        return tree

    def _place(self, node: yaml.Node) -> Origin:
        # Something empty at the end of a text may begin behind it.
        origin = _origin(node, self._file)
        return origin if origin.line <= self._end.line else self._end

    def _refusal(self, node: yaml.Node) -> str:
        # Aliases of aliases can make a few lines mean millions of values: told once, then nothing more is read.
        if self._count > _MAX_VALUES:
            told = f"more than {_MAX_VALUES} values, and aliases (*name) count each time: write fewer"
            return told if self._count == _MAX_VALUES + 1 else ""
        if self._is_open(node):
            return "an alias stands inside its own anchor: it can't contain itself"
        if len(self._open) > _MAX_DEPTH:
            return f"nested deeper than {_MAX_DEPTH} levels: no key wants that"
        return (
            "" if node.tag.startswith(_KNOWN_TAGS) else f"the tag {node.tag} is not known here: write the value alone"
        )

    def _is_open(self, node: yaml.Node) -> bool:
        return any(node is outer for outer in self._open)

    def _sequence(self, node: yaml.SequenceNode, path: str) -> Sequence:
        items = (self.convert(item, f"{path}[{i}]") for i, item in enumerate(node.value))
        return Sequence(tuple(item for item in items if item is not None), self._place(node))

    def _map(self, node: yaml.Node, path: str) -> Map:
        entries: dict[str, tuple[Origin, Located]] = {}
        seen: dict[str, Origin] = {}
        for key_node, value_node in node.value:
            origin = self._place(key_node)
            key = str(key_node.value) if isinstance(key_node, yaml.ScalarNode) else ""
            inner = f"{path}.{key}" if path else key
            refusal = _key_refusal(key, seen)
            seen.setdefault(key, origin)
            if refusal:
                self._faults.append(Fault(origin, inner if key.strip() not in ("", "<<") else path, refusal))
            value = self.convert(value_node, inner) if not refusal or key == "<<" else None
            if key == "<<" and isinstance(value, Map):
                # Refused, and yet taken: or else all that it brings would be told to be missing.
                entries = {**value.entries, **entries}
            elif value is not None and not refusal:
                entries[key] = (origin, value)
        return Map(entries, self._place(node))


def _key_refusal(key: str, seen: dict[str, Origin]) -> str:
    if not key.strip():
        return "expected a word as key: remove this one"
    if _UNUSABLE.search(key):
        return "a key is made of printable characters: remove the others"
    if key == "<<":
        return "merge keys (<<) are not known here: write the keys out, or give a whole value an alias"
    if key in seen:
        return f"the key stands twice, first in line {seen[key].line}: remove one of them"
    other = key[1:] if key.startswith("+") else f"+{key}"
    return f"{other} stands beside it: either replace the list or add to it" if other in seen else ""


def scalar(text: str, *, plain: bool) -> Scalar:
    """What a scalar's text means; quoted text is always text."""
    if not plain:
        return text
    if text in _NULLS:
        return None
    if text in ("true", "false"):
        return text == "true"
    return int(text) if _INTEGER.fullmatch(text) and len(text) < 19 else text


def at_key(tree: Located, key: str | int) -> Located:
    """What stands under a key or at an index; the tree itself where it has no such thing."""
    if isinstance(tree, Map) and isinstance(key, str):
        return tree.entries[key][1] if key in tree.entries else tree
    if isinstance(tree, Sequence) and isinstance(key, int) and key < len(tree.items):
        return tree.items[key]
    return tree


def plain_value(tree: Located) -> Any:
    """The tree as plain dicts, lists and scalars."""
    if isinstance(tree, Leaf):
        return tree.value
    if isinstance(tree, Sequence):
        return [plain_value(item) for item in tree.items]
    return {key: plain_value(value) for key, (_, value) in tree.entries.items()}


def describe(tree: Located) -> str:
    """A value as an error names it."""
    if isinstance(tree, Map):
        return "a mapping"
    if isinstance(tree, Sequence):
        return "a list"
    return describe_scalar(tree.value)


def describe_scalar(value: object) -> str:
    """A scalar as an error names it."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"the number {value}"
    text = str(value)
    return f'"{text}"' if len(text) <= _LONGEST_TEXT else f'"{text[: _LONGEST_TEXT - 1]}…"'
