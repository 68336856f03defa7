"""YAML of other tools to located trees: anchors, merge keys, several documents, tags that are not known.

`devenv.config.source` is stricter on purpose: there, what a user writes for devenv is judged; here, it is only read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from devenv.config.model import Origin
from devenv.config.source import Leaf, Located, Map, Sequence, scalar

_MAX_VALUES = 20_000
_MAX_DEPTH = 60


class Unreadable(Exception):  # noqa: N818 - says what the text is
    """The text is not YAML, or too much of it: a line and the reason."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line, self.reason = line, reason


@dataclass(slots=True)
class Tags:
    """Where Compose's own tags stand: values that replace instead of merging, and keys to forget."""

    override: set[Origin] = field(default_factory=set)
    reset: set[Origin] = field(default_factory=set)


def read_documents(text: str, file: str, tags: Tags | None = None) -> list[Located]:
    """Each document of a text. Raises Unreadable."""
    try:
        nodes = [node for node in yaml.compose_all(text, Loader=_loader()) if node is not None]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Unreadable(mark.line + 1 if mark else 1, str(error.problem or error.context)) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise Unreadable(1, str(error).splitlines()[0]) from error
    return [_Converter(Path(file), tags or Tags()).convert(node, ()) for node in nodes]


def read_map(text: str, file: str, tags: Tags | None = None) -> Map:
    """The one mapping in a text. Raises Unreadable."""
    documents = read_documents(text, file, tags)
    if not documents:
        return Map({}, Origin(Path(file), 1, 1))
    if not isinstance(documents[0], Map):
        raise Unreadable(documents[0].origin.line, "expected a mapping of keys")
    return documents[0]


def _loader() -> Any:
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Converter:
    def __init__(self, file: Path, tags: Tags) -> None:
        self._file, self._tags, self._count = file, tags, 0

    def convert(self, node: yaml.Node, above: tuple[yaml.Node, ...]) -> Located:
        self._count += 1
        origin = Origin(self._file, node.start_mark.line + 1, node.start_mark.column + 1)
        if self._count > _MAX_VALUES or len(above) > _MAX_DEPTH:
            raise Unreadable(origin.line, "more values than a file of this kind has")
        if any(node is outer for outer in above):
            raise Unreadable(origin.line, "an alias stands inside its own anchor")
        self._remember(node.tag, origin)
        inside = (*above, node)
        if isinstance(node, yaml.ScalarNode):
            # A NUL is in no variable and no command line.
            return Leaf(scalar(node.value.replace("\0", ""), plain=not node.style), origin)
        if isinstance(node, yaml.SequenceNode):
            return Sequence(tuple(self.convert(item, inside) for item in node.value), origin)
        return Map(self._entries(node, inside), origin)

    def _remember(self, tag: str, origin: Origin) -> None:
        if tag == "!override":
            self._tags.override.add(origin)
        elif tag == "!reset":
            self._tags.reset.add(origin)

    def _entries(self, node: yaml.Node, inside: tuple[yaml.Node, ...]) -> dict[str, tuple[Origin, Located]]:
        merged: dict[str, tuple[Origin, Located]] = {}
        own: dict[str, tuple[Origin, Located]] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value) if isinstance(key_node, yaml.ScalarNode) else ""
            origin = Origin(self._file, key_node.start_mark.line + 1, key_node.start_mark.column + 1)
            value = self.convert(value_node, inside)
            if key == "<<" and not key_node.style:
                for entry in _merged(value):
                    merged = {**entry.entries, **merged}
            elif key:
                own[key] = (origin, value)
        return {**merged, **own}


def _merged(value: Located) -> Iterator[Map]:
    """The mappings behind a merge key; in a list, the earlier wins."""
    for item in value.items if isinstance(value, Sequence) else (value,):
        if isinstance(item, Map):
            yield item


def place_of(origin: Origin) -> str:
    """`compose.yaml:7`."""
    return f"{origin.file.as_posix()}:{origin.line}"


def text_at(tree: Located | None) -> str:
    """A scalar as text; "" where there is none."""
    if not isinstance(tree, Leaf) or tree.value is None:
        return ""
    return str(tree.value).lower() if isinstance(tree.value, bool) else str(tree.value)


def child(tree: Located | None, *keys: str) -> Located | None:
    """The value under some keys, or None where the way there is not made of mappings."""
    for key in keys:
        tree = tree.value(key) if isinstance(tree, Map) else None
    return tree


def items_of(tree: Located | None) -> tuple[Located, ...]:
    """The items of a list; a single value is a list of one."""
    if isinstance(tree, Sequence):
        return tree.items
    return () if tree is None or (isinstance(tree, Leaf) and tree.value is None) else (tree,)


def entries_of(tree: Located | None) -> dict[str, tuple[Origin, Located]]:
    """The entries of a mapping, or none."""
    return tree.entries if isinstance(tree, Map) else {}
