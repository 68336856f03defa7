"""A document in YAML or JSON as plain values, and where its JSON pointers lead in the text.

YAML is read as 1.2 has it: no yes/no, no dates, no sexagesimal numbers.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from devenv.config.model import Origin
from devenv.config.source import Fault
from devenv.config.syntax import character_words, syntax_words
from devenv.stubs.json_places import offset, origin


class _Reader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    yaml_implicit_resolvers: dict[str, Any] = {}


for _kind, _pattern, _first in (
    ("bool", r"true|false", "tf"),
    ("null", r"~|null|", ["~", "n", ""]),
    ("int", r"[-+]?(0|[1-9][0-9]{0,300})", "-+0123456789"),
    ("float", r"[-+]?[0-9]{1,300}(\.[0-9]{0,300}([eE][-+]?[0-9]{1,4})?|[eE][-+]?[0-9]{1,4})", "-+0123456789"),
    ("merge", r"<<", "<"),
):
    _Reader.add_implicit_resolver(f"tag:yaml.org,2002:{_kind}", re.compile(f"^({_pattern})$"), list(_first))


@dataclass(frozen=True, slots=True)
class Document:
    """What a text says, as mappings, lists and scalars, and the text itself; `tree` is that of YAML."""

    values: Any
    text: str
    file: Path
    tree: yaml.Node | None = None

    def place(self, pointer: str) -> Origin:
        """Where a JSON pointer (`#/paths/~1pets`) leads, or the nearest place above it."""
        tokens = [token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:]]
        if self.tree is None:
            return origin(self.text, offset(self.text, tokens), self.file)
        node = self.tree
        for token in tokens:
            found = _child(node, token)
            if found is None:
                break
            node = found
        return Origin(self.file, node.start_mark.line + 1, node.start_mark.column + 1)


def _child(node: yaml.Node, token: str) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == token), None)
    if isinstance(node, yaml.SequenceNode) and token.isdigit() and int(token) < len(node.value):
        found: yaml.Node = node.value[int(token)]
        return found
    return None


def read_document(text: str, file: Path, faults: list[Fault]) -> Document | None:
    """The document in a text; None with a fault where there is none."""
    try:
        return _document(text, file)
    except json.JSONDecodeError as error:
        told = (error.lineno, error.colno, f"not valid JSON: {error.msg}")
    except yaml.MarkedYAMLError as error:
        told = syntax_words(error, text)
    except yaml.reader.ReaderError as error:
        told = character_words(error, text)
    except (ValueError, RecursionError):
        told = (1, 1, "can't be read: nested too deep, or a number of too many digits")
    line, column, words = told
    faults.append(Fault(Origin(file, line, column), "", words))
    return None


def _document(text: str, file: Path) -> Document:
    if file.suffix.lower() == ".json":
        return Document(json.loads(text), text, file)
    if text.lstrip().startswith("{"):
        # Most likely JSON, not all of which is YAML; if it is none, YAML says what is wrong.
        with suppress(ValueError, RecursionError):
            return Document(json.loads(text), text, file)
    reader = _Reader(text)
    tree = reader.get_single_node()
    return Document(reader.construct_document(tree) if tree is not None else None, text, file, tree)
