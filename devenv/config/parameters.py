"""Parameters of a dependency: `with:` values checked, and `${with.name}` put into its forms."""

from __future__ import annotations

import re

from devenv.config.model import Origin
from devenv.config.shape import nearest
from devenv.config.source import Fault, Leaf, Located, Map, Sequence

_USE = re.compile(r"\$\{with\.([A-Za-z_][A-Za-z0-9_]*)\}")


def fill(name: str, dependency: Map, faults: list[Fault]) -> Map:
    """The dependency with its parameters put in; a value that is one parameter alone takes its list as it is."""
    declared, given = dependency.value("parameters"), dependency.value("with")
    declared = declared if isinstance(declared, Map) else Map({}, dependency.origin)
    given = given if isinstance(given, Map) else Map({}, dependency.origin)
    known = list(declared.entries)
    for key, (origin, _) in given.entries.items():
        if key not in declared.entries:
            text = f'unknown parameter "{key}"{nearest(key, known)}; known: {", ".join(known) or "none"}'
            faults.append(Fault(origin, f"dependencies.{name}.with.{key}", text))
    values = {key: _value(key, entry[1], given) for key, entry in declared.entries.items()}
    for key, (_, parameter) in declared.entries.items():
        _check_kind(name, key, parameter, values[key], faults)
    forms = {
        key: (origin, _put_in(value, values, faults))
        for key, (origin, value) in dependency.entries.items()
        if key in ("stub", "real")
    }
    return Map({**dependency.entries, **forms}, dependency.origin)


def _value(key: str, parameter: Located, given: Map) -> Located:
    chosen = given.value(key)
    if chosen is not None:
        return chosen
    default = parameter.value("default") if isinstance(parameter, Map) else None
    return default if default is not None else Leaf("", parameter.origin)


def _check_kind(name: str, key: str, parameter: Located, value: Located, faults: list[Fault]) -> None:
    kind = parameter.value("type") if isinstance(parameter, Map) else None
    wants_files = isinstance(kind, Leaf) and kind.value == "files"
    if wants_files != isinstance(value, Sequence):
        text = "expected a list of files" if wants_files else "expected text"
        faults.append(Fault(value.origin, f"dependencies.{name}.with.{key}", text))


def _put_in(tree: Located, values: dict[str, Located], faults: list[Fault]) -> Located:
    if isinstance(tree, Map):
        entries = {key: (origin, _put_in(value, values, faults)) for key, (origin, value) in tree.entries.items()}
        return Map(entries, tree.origin)
    if isinstance(tree, Sequence):
        return Sequence(tuple(_put_in(item, values, faults) for item in tree.items), tree.origin)
    if not isinstance(tree.value, str):
        return tree
    whole = _USE.fullmatch(tree.value)
    if whole and whole[1] in values:
        return _as_text(values[whole[1]])
    return Leaf(_replace(tree.value, tree.origin, values, faults), tree.origin)


def _as_text(value: Located) -> Located:
    if isinstance(value, Leaf) and not isinstance(value.value, str):
        return Leaf(_text(value), value.origin)
    return value


def _text(value: Located) -> str:
    if not isinstance(value, Leaf) or value.value is None:
        return ""
    return str(value.value).lower() if isinstance(value.value, bool) else str(value.value)


def _replace(text: str, origin: Origin, values: dict[str, Located], faults: list[Fault]) -> str:
    def one(match: re.Match[str]) -> str:
        if match[1] in values:
            return _text(values[match[1]])
        known = list(values)
        faults.append(Fault(origin, "", f'no parameter "{match[1]}"{nearest(match[1], known)}'))
        return ""

    return _USE.sub(one, text)
