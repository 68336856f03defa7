"""What is wrong with a tree that does not have a model's shape: every fault, with its place and the nearest word."""

from __future__ import annotations

import types
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import ValidationError

from devenv.config.model import Origin
from devenv.config.schema import EnvironmentFile, ProfileFile, RealFile
from devenv.config.sentences import nearest, nearest_or_all, sentences
from devenv.config.source import Fault, Located, Map, plain_value
from devenv.config.source import Sequence as LocatedSequence
from devenv.config.strict import Strict

T = TypeVar("T", bound=Strict)


def parse(model: type[T], tree: Located) -> T | None:
    """The tree as the model's value; None where it does not have its shape."""
    try:
        return model.model_validate(plain_value(tree))
    except ValidationError:
        return None


def check(model: type[Strict], tree: Map, faults: list[Fault], *, partial: bool = False) -> None:
    """Add a fault for each way in which the tree does not have the model's shape.

    A `partial` tree is to be merged onto another, so it may lack keys.
    """
    faults.extend(_unknown_keys(model, tree, ""))
    try:
        model.model_validate(plain_value(tree))
    except ValidationError as error:
        # A union tells of each of its kinds: they belong together in one fault.
        places: dict[tuple[Origin, str], list[Any]] = {}
        for found in error.errors(include_url=False):
            if not (partial and found["type"] == "missing") and not _is_told_elsewhere(found):
                places.setdefault(locate(tree, found["loc"]), []).append(found)
        for (origin, path), founds in places.items():
            faults.extend(Fault(origin, path, text) for text in sentences(founds))


def _is_told_elsewhere(found: Any) -> bool:
    given = found["input"]
    if found["type"] == "missing":
        # A misspelt or planned key was refused already, and it is why this one is missing.
        key = found["loc"][-1]
        return any(other in _PLANNED_FORMS or nearest(other, [key]) for other in given)
    # A parameter that is not filled in yet may stand for anything; what it becomes is checked later.
    return found["type"] == "extra_forbidden" or (isinstance(given, str) and "${with." in given)


def locate(tree: Located, loc: Sequence[int | str]) -> tuple[Origin, str]:
    """The nearest origin and the key path of a pydantic location; union tags in it lead nowhere and are skipped."""
    path, origin = "", tree.origin
    for index, part in enumerate(loc):
        if isinstance(tree, Map) and index + 1 < len(loc) and loc[index + 1] == "[key]":
            known = tree.entries.get(str(part))
            return known[0] if known else origin, f"{path}.{part}" if path else str(part)
        if isinstance(tree, Map) and part in tree.entries:
            tree = tree.entries[str(part)][1]
            origin, path = tree.origin, f"{path}.{part}" if path else str(part)
        elif isinstance(tree, LocatedSequence) and isinstance(part, int) and part < len(tree.items):
            tree = tree.items[part]
            origin, path = tree.origin, f"{path}[{part}]"
    return origin, path


_PLANNED_FORMS = RealFile.planned


def _unknown_keys(annotation: Any, tree: Located, path: str) -> Iterator[Fault]:
    for candidate in _flatten(annotation):
        if isinstance(tree, Map) and isinstance(candidate, type) and issubclass(candidate, Strict):
            fields = {(field.alias or name): field.annotation for name, field in candidate.model_fields.items()}
            for key, (origin, value) in tree.entries.items():
                inner = f"{path}.{key}" if path else key
                if key in fields:
                    yield from _unknown_keys(fields[key], value, inner)
                else:
                    yield Fault(origin, inner, _unknown(key, sorted(fields), candidate))
        elif isinstance(tree, Map) and get_origin(candidate) is dict:
            for key, (_, value) in tree.entries.items():
                yield from _unknown_keys(get_args(candidate)[1], value, f"{path}.{key}" if path else key)
        elif isinstance(tree, LocatedSequence) and get_origin(candidate) is list:
            for index, item in enumerate(tree.items):
                yield from _unknown_keys(get_args(candidate)[0], item, f"{path}[{index}]")


def _unknown(key: str, known: Sequence[str], model: type[Strict]) -> str:
    if key in model.planned:
        return f'"{key}" is planned for a later version: leave it out for now'
    if key.startswith("+") and key[1:] in known:
        return f'"{key}" adds to a list of an included profile, and there is none here: write {key[1:]}'
    if model is ProfileFile and key in EnvironmentFile.model_fields:
        return f'"{key}" belongs into devenv.yaml'
    if model is EnvironmentFile and key in ProfileFile.model_fields:
        return f'"{key}" belongs into a profile, such as profiles/default.yaml'
    return f'unknown key "{key}"{nearest_or_all(key, known, _ELSEWHERE)}'


# What the same thing is called in files that people know.
_ELSEWHERE = {
    "environment": "env",
    "depends_on": "needs",
    "dependsOn": "needs",
    "requires": "needs",
    "entrypoint": "command",
    "cmd": "command",
    "port": "ports",
    "tests": "test",
    "includes": "include",
    "parameters": "with",
    "healthcheck": "ready",
    "readiness": "ready",
    "manifests": "deploy",
}


def _flatten(annotation: Any) -> Iterator[Any]:
    if get_origin(annotation) is Annotated:
        yield from _flatten(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, types.UnionType):
        for part in get_args(annotation):
            yield from _flatten(part)
    else:
        yield annotation
