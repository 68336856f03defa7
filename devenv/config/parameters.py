"""Parameters of a dependency: `with:` values checked, and `${with.name}` put into its forms.

`$${with.name}` is the text `${with.name}`.
"""

from __future__ import annotations

import re

from devenv.config.model import Origin
from devenv.config.sentences import nearest_or_all
from devenv.config.source import Fault, Leaf, Located, Map, Sequence, describe

_USE = re.compile(r"(?P<literal>\$?)\$\{with\.(?P<name>[^}]*)\}")


def fill(name: str, dependency: Map, faults: list[Fault]) -> Map:
    """The dependency with its parameters put in; a value that is one parameter alone takes its list as it is."""
    values = _values(f"dependencies.{name}.with", dependency, faults)
    filler = _Filler(values, faults)
    forms = {
        key: (origin, filler.put_into(value, f"dependencies.{name}.{key}"))
        for key, (origin, value) in dependency.entries.items()
        if key in ("stub", "real")
    }
    return Map({**dependency.entries, **forms}, dependency.origin)


def used_names(tree: Located) -> list[str]:
    """The parameters that a text uses, each once."""
    text = tree.value if isinstance(tree, Leaf) else None
    uses = _USE.finditer(text) if isinstance(text, str) else ()
    return list(dict.fromkeys(use["name"] for use in uses if not use["literal"]))


def _values(path: str, dependency: Map, faults: list[Fault]) -> dict[str, Located]:
    declared, given = _map(dependency, "parameters"), _map(dependency, "with")
    known = list(declared.entries)
    for key, (origin, _) in given.entries.items():
        if key not in declared.entries:
            faults.append(Fault(origin, f"{path}.{key}", f'unknown parameter "{key}"{nearest_or_all(key, known)}'))
    return {
        key: _value(f"{path}.{key}", parameter, given.value(key), faults)
        for key, (_, parameter) in declared.entries.items()
    }


def _map(dependency: Map, key: str) -> Map:
    found = dependency.value(key)
    return found if isinstance(found, Map) else Map({}, dependency.origin)


def _value(path: str, parameter: Located, given: Located | None, faults: list[Fault]) -> Located:
    kind = parameter.value("type") if isinstance(parameter, Map) else None
    wants_files = isinstance(kind, Leaf) and kind.value == "files"
    empty: Located = Sequence((), parameter.origin) if wants_files else Leaf("", parameter.origin)
    default = parameter.value("default") if isinstance(parameter, Map) else None
    chosen = given or default or empty
    if wants_files == isinstance(chosen, Sequence) and not isinstance(chosen, Map):
        return chosen if wants_files else Leaf(_text(chosen).replace("$${with.", "${with."), chosen.origin)
    wanted = "a list of files" if wants_files else "text"
    cure = f": write [{chosen.value}]" if wants_files and isinstance(chosen, Leaf) and chosen.value else ""
    faults.append(Fault(chosen.origin, path, f"expected {wanted}, got {describe(chosen)}{cure}"))
    return empty


def _text(value: Located) -> str:
    if not isinstance(value, Leaf) or value.value is None:
        return ""
    return str(value.value).lower() if isinstance(value.value, bool) else str(value.value)


class _Filler:
    def __init__(self, values: dict[str, Located], faults: list[Fault]) -> None:
        self._values, self._faults = values, faults

    def put_into(self, tree: Located, path: str) -> Located:
        """The tree with each use of a parameter replaced."""
        if isinstance(tree, Map):
            filled = {k: (origin, self.put_into(v, f"{path}.{k}")) for k, (origin, v) in tree.entries.items()}
            return Map(filled, tree.origin)
        if isinstance(tree, Sequence):
            items = (self.put_into(item, f"{path}[{index}]") for index, item in enumerate(tree.items))
            return Sequence(tuple(items), tree.origin)
        if not isinstance(tree.value, str) or not _USE.search(tree.value):
            return tree
        whole = _USE.fullmatch(tree.value)
        if whole and not whole["literal"] and whole["name"] in self._values:
            return self._values[whole["name"]]
        return Leaf(self._replace(tree.value, tree.origin, path), tree.origin)

    def _replace(self, text: str, origin: Origin, path: str) -> str:
        def one(match: re.Match[str]) -> str:
            if match["literal"]:
                return match[0][1:]
            value, known = self._values.get(match["name"]), list(self._values)
            if value is None:
                word = match["name"]
                given = f'there is no parameter "{word}"{nearest_or_all(word, known)}'
                self._faults.append(Fault(origin, path, given))
            elif isinstance(value, Sequence):
                word = match["name"]
                given = f'parameter "{word}" is a list of files: it must stand alone, as ${{with.{word}}}'
                self._faults.append(Fault(origin, path, given))
            return _text(value) if value else ""

        return _USE.sub(one, text)
