"""What is wrong with a tree that does not have a model's shape: every fault, with its place and the nearest word."""

from __future__ import annotations

import difflib
import types
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from devenv.config.model import Origin
from devenv.config.schema import Strict
from devenv.config.source import Fault, Located, Map, describe_scalar, plain_value
from devenv.config.source import Sequence as LocatedSequence


def check(model: type[Strict], tree: Map, faults: list[Fault]) -> None:
    """Add a fault for each way in which the tree does not have the model's shape."""
    faults.extend(_unknown_keys(model, tree, ""))
    try:
        model.model_validate(plain_value(tree))
    except ValidationError as error:
        for found in error.errors(include_url=False):
            # A parameter that is not filled in yet may stand for anything; what it becomes is checked later.
            unfilled = isinstance(found["input"], str) and "${with." in found["input"]
            if found["type"] != "extra_forbidden" and not unfilled:
                origin, path = locate(tree, found["loc"])
                faults.append(Fault(origin, path, _sentence(found)))


def locate(tree: Located, loc: Sequence[int | str]) -> tuple[Origin, str]:
    """The nearest origin and the key path of a pydantic location; union tags in it lead nowhere and are skipped."""
    path, origin = "", tree.origin
    for index, part in enumerate(loc):
        if isinstance(tree, Map) and part in tree.entries:
            tree = tree.entries[str(part)][1]
            origin, path = tree.origin, f"{path}.{part}" if path else str(part)
        elif isinstance(tree, LocatedSequence) and isinstance(part, int) and part < len(tree.items):
            tree = tree.items[part]
            origin, path = tree.origin, f"{path}[{part}]"
        elif isinstance(tree, Map) and index + 1 < len(loc) and loc[index + 1] == "[key]":
            return origin, f"{path}.{part}" if path else str(part)
    return origin, path


def _sentence(found: Any) -> str:
    kind, given, context = found["type"], found["input"], found.get("ctx", {})
    got = f", got {describe_scalar(given) if not isinstance(given, dict | list) else _container(given)}"
    if kind == "missing":
        return f"needs the key {found['loc'][-1]}"
    if kind == "literal_error":
        wanted = context["expected"].replace("'", "")
        return f"expected {wanted}{got}{nearest(str(given), wanted.replace(' or ', ', ').split(', '))}"
    if kind == "string_pattern_mismatch":
        return f"expected a name of lowercase letters, digits and dashes{got}"
    if kind in ("greater_than_equal", "less_than_equal"):
        return f"expected a port from 1 to 65535{got}"
    if kind == "too_short":
        return "must not be empty"
    return f"expected {_WORDS.get(kind, found['msg'].lower())}{got}"


_WORDS = {
    "string_type": "text",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "union_tag_invalid": "text or a mapping",
}


def _container(value: object) -> str:
    return "a mapping" if isinstance(value, dict) else "a list"


def nearest(word: str, known: Sequence[str]) -> str:
    """` (did you mean "x"?)` for the nearest known word, or nothing."""
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f' (did you mean "{close[0]}"?)' if close else ""


# Keys that are planned but not built yet are refused by name, so that nobody looks for a typing error.
PLANNED = frozenset({"openapi", "har", "helm", "kustomize", "manifests", "secrets", "groups", "hooks"})


def _unknown_keys(annotation: Any, tree: Located, path: str) -> Iterator[Fault]:
    for candidate in _flatten(annotation):
        if isinstance(tree, Map) and isinstance(candidate, type) and issubclass(candidate, BaseModel):
            fields = {(field.alias or name): field.annotation for name, field in candidate.model_fields.items()}
            for key, (origin, value) in tree.entries.items():
                inner = f"{path}.{key}" if path else key
                if key in fields:
                    yield from _unknown_keys(fields[key], value, inner)
                else:
                    yield Fault(origin, inner, _unknown(key, sorted(fields)))
        elif isinstance(tree, Map) and get_origin(candidate) is dict:
            for key, (_, value) in tree.entries.items():
                yield from _unknown_keys(get_args(candidate)[1], value, f"{path}.{key}" if path else key)
        elif isinstance(tree, LocatedSequence) and get_origin(candidate) is list:
            for index, item in enumerate(tree.items):
                yield from _unknown_keys(get_args(candidate)[0], item, f"{path}[{index}]")


def _unknown(key: str, known: Sequence[str]) -> str:
    if key in PLANNED:
        return f'"{key}" is not built in yet; known: {", ".join(known)}'
    return f'unknown key "{key}"{nearest(key, known)}; known: {", ".join(known)}'


def _flatten(annotation: Any) -> Iterator[Any]:
    if get_origin(annotation) is Annotated:
        yield from _flatten(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, types.UnionType):
        models = [c for part in get_args(annotation) for c in _flatten(part)]
        # Two models stand for one key only where the value chooses (exec or signal): both sets of keys are known.
        merged = [m for m in models if isinstance(m, type) and issubclass(m, BaseModel)]
        yield from (models if len(merged) < 2 else [m for m in models if m not in merged])
    else:
        yield annotation
