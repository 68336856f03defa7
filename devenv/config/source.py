"""YAML text to a tree of values that know where they were written.

Only true/false, null and decimal integers are more than text: no yes/no, no sexagesimal or float surprises.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from devenv.config.model import Origin

Scalar = str | int | bool | None


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: where, under which key path, and what."""

    origin: Origin
    path: str
    text: str

    def line(self, root: Path) -> str:
        """`file:line:col  key.path  text`, the file relative to `root` where it lies below it."""
        file = self.origin.file
        shown = file.relative_to(root) if file.is_relative_to(root) else file
        path = f"{self.path}  " if self.path else ""
        return f"{shown}:{self.origin.line}:{self.origin.column}  {path}{self.text}"


def list_faults(faults: list[Fault], first: Path) -> list[str]:
    """A line for each fault, once: those of the file `first` first, paths relative to its folder."""

    def place(fault: Fault) -> tuple[bool, str, int, int]:
        origin = fault.origin
        return origin.file != first, str(origin.file), origin.line, origin.column

    return list(dict.fromkeys(fault.line(first.parent) for fault in sorted(faults, key=place)))


def count_faults(lines: list[str]) -> str:
    """ "1 fault" or "3 faults"."""
    return "1 fault" if len(lines) == 1 else f"{len(lines)} faults"


@dataclass(frozen=True, slots=True)
class Leaf:
    """A scalar; `interpolated` where environment variables were put into its text."""

    value: Scalar
    origin: Origin
    interpolated: bool = False


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
_MAX_DEPTH = 60
_MAX_VALUES = 20_000
_KNOWN_TAGS = "tag:yaml.org,2002:"
_TEXT_TAG = "tag:yaml.org,2002:str"


def read_file(file: Path, faults: list[Fault]) -> Map | None:
    """The mapping in a file; None where there is none, with a fault for each reason."""
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        faults.append(Fault(Origin(file, 1, 1), "", "expected UTF-8 text"))
        return None
    except OSError as error:
        faults.append(Fault(Origin(file, 1, 1), "", f"can't be read: {error.strerror}"))
        return None
    return read_text(text, file, faults)


def read_text(text: str, file: Path, faults: list[Fault]) -> Map | None:
    """The mapping in a text (an empty text is an empty mapping); None with faults where there is none."""
    try:
        nodes = list(yaml.compose_all(text, Loader=_loader()))
    except yaml.MarkedYAMLError as error:
        faults.append(_syntax_fault(error, text, file))
        return None
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        origin = Origin(file, before.count("\n") + 1, len(before) - before.rfind("\n"))
        faults.append(Fault(origin, "", f"not valid YAML: {error.reason}"))
        return None
    if len(nodes) > 1:
        faults.append(Fault(_origin(nodes[1], file), "", "expected one document, found a second"))
        return None
    if not nodes or (isinstance(nodes[0], yaml.ScalarNode) and not nodes[0].value):
        return Map({}, Origin(file, 1, 1))
    tree = _Converter(file, faults).convert(nodes[0], "")
    if isinstance(tree, Map):
        return tree
    if tree is not None:
        faults.append(Fault(tree.origin, "", f"expected a mapping of keys, got {describe(tree)}"))
    return None


def _loader() -> Any:
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _syntax_fault(error: yaml.MarkedYAMLError, text: str, file: Path) -> Fault:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    lines = text.splitlines()
    shown = lines[line - 1] if line <= len(lines) else ""
    if "\t" in shown[: len(shown) - len(shown.lstrip())] or "'\\t'" in str(error.problem):
        return Fault(Origin(file, line, shown.find("\t") + 1), "", "a tab is used for indentation: YAML wants spaces")
    return Fault(Origin(file, line, column), "", f"not valid YAML: {error.problem or error.context}")


def _origin(node: yaml.Node, file: Path) -> Origin:
    return Origin(file, node.start_mark.line + 1, node.start_mark.column + 1)


class _Converter:
    def __init__(self, file: Path, faults: list[Fault]) -> None:
        self._file = file
        self._faults = faults
        self._open: list[yaml.Node] = []
        self._count = 0

    def convert(self, node: yaml.Node, path: str) -> Located | None:
        """The node as a value; None with a fault where it is none."""
        self._count += 1
        refusal = self._refusal(node)
        if refusal or self._count > _MAX_VALUES:
            if refusal:
                self._faults.append(Fault(_origin(node, self._file), path, refusal))
            return None
        if isinstance(node, yaml.ScalarNode):
            plain = not node.style and node.tag != _TEXT_TAG
            return Leaf(scalar(node.value, plain=plain), _origin(node, self._file))
        self._open.append(node)
        tree: Located
        tree = self._sequence(node, path) if isinstance(node, yaml.SequenceNode) else self._map(node, path)
        self._open.pop()
        return tree

    def _refusal(self, node: yaml.Node) -> str:
        # Aliases of aliases can make a few lines mean millions of values: told once, then nothing more is read.
        if self._count > _MAX_VALUES:
            return f"more than {_MAX_VALUES} values" if self._count == _MAX_VALUES + 1 else ""
        if any(node is outer for outer in self._open):
            return "an alias stands inside its own anchor"
        if len(self._open) > _MAX_DEPTH:
            return "nested too deeply"
        return "" if node.tag.startswith(_KNOWN_TAGS) else f"the tag {node.tag} is not known here"

    def _sequence(self, node: yaml.SequenceNode, path: str) -> Sequence:
        items = (self.convert(item, f"{path}[{i}]") for i, item in enumerate(node.value))
        return Sequence(tuple(item for item in items if item is not None), _origin(node, self._file))

    def _map(self, node: yaml.Node, path: str) -> Map:
        entries: dict[str, tuple[Origin, Located]] = {}
        seen: dict[str, Origin] = {}
        for key_node, value_node in node.value:
            origin = _origin(key_node, self._file)
            key = str(key_node.value) if isinstance(key_node, yaml.ScalarNode) else ""
            inner = f"{path}.{key}" if path else key
            refusal = _key_refusal(key, seen)
            seen.setdefault(key, origin)
            value = None if refusal else self.convert(value_node, inner)
            if refusal:
                self._faults.append(Fault(origin, inner if key not in ("", "<<") else path, refusal))
            elif value is not None:
                entries[key] = (origin, value)
        return Map(entries, _origin(node, self._file))


def _key_refusal(key: str, seen: dict[str, Origin]) -> str:
    if not key:
        return "expected a word as key"
    if key == "<<":
        return "merge keys (<<) are not used here; profiles merge by include"
    if key in seen:
        return f"the key stands twice; first in line {seen[key].line}"
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
    return f"the number {value}" if isinstance(value, int) else f'"{value}"'
