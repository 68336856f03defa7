"""Where each value of the merged configuration comes from and what it replaced: pure, over the merged layers.

Merging itself keeps no history. Since it is associative, the layers in their order are the whole history: a value's
is found by looking in each of them for what stands under its key path.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from devenv import problems
from devenv.config.load import Loaded
from devenv.config.merge import merge_all
from devenv.config.model import Dependency, Origin
from devenv.config.parameters import fill, used_names
from devenv.config.sentences import nearest
from devenv.config.source import Leaf, Located, Map, Scalar, at_key
from devenv.config.source import Sequence as LocatedSequence
from devenv.errors import UsageError


@dataclass(frozen=True, slots=True)
class Place:
    """What has to do with a value, by its key path, and where it was written."""

    path: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class Explained:
    """A value of the merged configuration, where it was written, and what it replaced, the latest first.

    `note` tells the reason where no file does (`origin` is None). `parameters` are those that were put into the value,
    with the places where they got theirs; `used_in` is where this value was put as a parameter. Of an empty list or
    mapping the value is empty, too.
    """

    path: str
    value: Scalar | list[object] | dict[str, object]
    origin: Origin | None
    note: str = ""
    over: tuple[Origin, ...] = ()
    parameters: tuple[Place, ...] = ()
    used_in: tuple[Place, ...] = ()


def explain(loaded: Loaded) -> list[Explained]:
    """Every value of the merged configuration, those of devenv.yaml first."""
    tree = merge_all(loaded.layers)
    found = list(_headline(loaded, tree))
    for key, (_, value) in tree.entries.items():
        if key not in ("name", "profile", "dependencies"):
            found += [_explained(value, loaded.layers) for value in _values(value, value, (key,))]
    written = tree.value("dependencies")
    for dependency in loaded.environment.dependencies.values():
        own = written.value(dependency.name) if isinstance(written, Map) else None
        if isinstance(own, Map):
            found += _DependencyExplainer(dependency, own, loaded).explain()
    return found


def select(explained: Sequence[Explained], path: str) -> list[Explained]:
    """Those at a key path or below it. UsageError key-unknown with the nearest path."""
    paths = [found.path for found in explained]
    chosen = [found for found in explained if path in _prefixes(found.path)]
    if chosen:
        return chosen
    known = {prefix for path in paths for prefix in _prefixes(path)}
    above = max((prefix for prefix in _prefixes(path) if prefix in known), key=len, default="")
    names = list(dict.fromkeys(_next(above, path) for path in paths if above in ("", *_prefixes(path)[:-1])))
    raise UsageError(
        problems.KEY_UNKNOWN,
        path=path,
        nearest=nearest(_next(above, path), names),
        where=f"below {above}" if above else "at the top",
        known=", ".join(names) or "nothing",
    )


def _next(above: str, path: str) -> str:
    """The first key or index of a path that comes after another."""
    found = re.match(r"\.?(\[[^.]*|[^.[]*)", path.removeprefix(above))
    return found[1] if found else path


def _prefixes(path: str) -> list[str]:
    return [*(path[:index] for index, char in enumerate(path) if char in ".["), path]


@dataclass(frozen=True, slots=True)
class _Value:
    """A leaf (or something empty) under its path; `written` is what stands in the file before parameters are put in.

    `keys` lead to the value, or to the outermost list around it; `item` is where its item of that list stands.
    """

    path: str
    keys: tuple[str, ...]
    written: Located
    value: Located
    item: Origin | None = None


def _values(written: Located, value: Located, keys: tuple[str, ...]) -> Iterator[_Value]:
    yield from _inner(_Value(".".join(keys), keys, written, value))


def _inner(at: _Value) -> Iterator[_Value]:
    tree = at.value
    if isinstance(tree, Map) and tree.entries:
        for key, (_, value) in tree.entries.items():
            keys = at.keys if at.item else (*at.keys, key)
            yield from _inner(_Value(f"{at.path}.{key}", keys, at_key(at.written, key), value, at.item))
    elif isinstance(tree, LocatedSequence) and tree.items:
        for index, value in enumerate(tree.items):
            written = at_key(at.written, index)
            yield from _inner(_Value(f"{at.path}[{index}]", at.keys, written, value, at.item or written.origin))
    else:
        yield at


def _explained(value: _Value, layers: Sequence[Map]) -> Explained:
    origin = value.written.origin
    over = _replaced(layers, value.keys, value.item or origin)
    filled = isinstance(value.written, Leaf) and value.written.interpolated
    return Explained(value.path, _plain(value.value), origin, "variables put in" if filled else "", over)


def _plain(tree: Located) -> Scalar | list[object] | dict[str, object]:
    if isinstance(tree, Leaf):
        return tree.value
    return [] if isinstance(tree, LocatedSequence) else {}


def _headline(loaded: Loaded, tree: Map) -> Iterator[Explained]:
    environment = loaded.environment
    for key, value, default in (
        ("name", environment.name, "the folder's name"),
        ("profile", environment.profile, "the default"),
    ):
        written = tree.value(key)
        if key == "profile" and loaded.profiles:
            yield Explained(key, value, None, "on the command line", _written(loaded.layers, (key,)))
        elif isinstance(written, Leaf):
            yield _explained(_Value(key, (key,), written, written), loaded.layers)
        else:
            yield Explained(key, value, None, default)


# --- history -----------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class _Writing:
    value: Located
    adds: bool


def _written(layers: Sequence[Map], keys: tuple[str, ...]) -> tuple[Origin, ...]:
    """Where something stands under a key path, the latest first."""
    return tuple(dict.fromkeys(writing.value.origin for writing in reversed(_writings(layers, keys))))


def _replaced(layers: Sequence[Map], keys: tuple[str, ...], origin: Origin) -> tuple[Origin, ...]:
    """Where values stood that the one at `origin` took the place of, the latest first."""
    writings = _writings(layers, keys)
    last = max((index for index, writing in enumerate(writings) if not writing.adds), default=0)
    added = [item.origin for writing in writings[last + 1 :] for item in _items(writing.value)]
    over = dict.fromkeys(writing.value.origin for writing in reversed(writings[:last]))
    current = {origin, *(writing.value.origin for writing in writings[last : last + 1])}
    return () if origin in added else tuple(other for other in over if other not in current)


def _writings(layers: Sequence[Map], keys: tuple[str, ...]) -> list[_Writing]:
    return [writing for layer in layers if (writing := _writing(layer, keys))]


def _writing(tree: Located, keys: tuple[str, ...]) -> _Writing | None:
    # A text where others have a mapping stands for all that would be in the mapping.
    adds = False
    for key in keys:
        if not isinstance(tree, Map):
            break
        found = tree.value(key)
        value = found or tree.value(f"+{key}")
        if value is None:
            return None
        tree, adds = value, found is None
    return _Writing(tree, adds)


def _items(tree: Located) -> tuple[Located, ...]:
    return tree.items if isinstance(tree, LocatedSequence) else ()


# --- dependencies ------------------------------------------------------------------------------------------------
class _DependencyExplainer:
    """One dependency: its mode, its parameters, and its forms with the parameters put in."""

    def __init__(self, dependency: Dependency, written: Map, loaded: Loaded) -> None:
        self._keys = ("dependencies", dependency.name)
        self._dependency, self._written, self._loaded = dependency, written, loaded
        self._filled = fill(dependency.name, written, [])
        declared = written.value("parameters")
        self._declared = declared if isinstance(declared, Map) else Map({}, written.origin)
        self._uses: dict[str, list[Place]] = {}

    def explain(self) -> list[Explained]:
        forms = [found for key in self._filled.entries for found in self._form(key)]
        parameters = [found for name in self._declared.entries for found in self._parameter(name)]
        return [self._mode(), *parameters, *forms]

    def _mode(self) -> Explained:
        mode, written, keys = self._dependency.mode, self._written.value("mode"), (*self._keys, "mode")
        path = ".".join(keys)
        if self._dependency.name in self._loaded.modes:
            return Explained(path, mode, None, f"--{mode} on the command line", _written(self._loaded.layers, keys))
        if isinstance(written, Leaf) and written.value is not None:
            return _explained(_Value(path, keys, written, written), self._loaded.layers)
        return Explained(path, mode, None, "it has a stub" if mode == "stub" else "it has no stub")

    def _parameter(self, name: str) -> Iterator[Explained]:
        chosen, given, layers = self._chosen(name), self._given(name) is not None, self._loaded.layers
        default_keys = (*self._keys, "parameters", name, "default")
        for value in _values(chosen, chosen, (*self._keys, "with", name)):
            over = _explained(value, layers).over if given else ()
            over += tuple(origin for origin in _written(layers, default_keys) if origin != chosen.origin)
            found = Explained(value.path, _plain(value.value), value.value.origin, "" if given else "default", over)
            yield replace(found, used_in=tuple(self._uses.get(name, ())))

    def _given(self, name: str) -> Located | None:
        given = self._written.value("with")
        return given.value(name) if isinstance(given, Map) else None

    def _default(self, name: str) -> Located | None:
        parameter = self._declared.value(name)
        return parameter.value("default") if isinstance(parameter, Map) else None

    def _chosen(self, name: str) -> Located:
        return self._given(name) or self._default(name) or Leaf("", self._declared.entries[name][0])

    def _form(self, key: str) -> Iterator[Explained]:
        written, filled = self._written.value(key), self._filled.value(key)
        if key in ("mode", "parameters", "with") or written is None or filled is None:
            return
        for value in _values(written, filled, (*self._keys, key)):
            names = used_names(value.written)
            found = _explained(value, self._loaded.layers)
            for name in names:
                self._uses.setdefault(name, []).append(Place(value.path, value.written.origin))
            places = tuple(Place(f"with.{name}", self._chosen(name).origin) for name in names)
            yield Explained(found.path, found.value, found.origin, found.note, found.over, places)
