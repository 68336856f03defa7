"""Environment variables in the user's files: `${VAR}`, `${VAR:-default}`, and `$${` for a literal `${`.

Nothing else with a `$` means anything here: `$VAR` is left to the shell that may read it. What is put in is text; a
key that wants a number or true/false takes such a text where a variable gave it (`take_numbers`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from pydantic import ValidationError

from devenv.config.source import Fault, Leaf, Located, Map, plain_value
from devenv.config.source import Sequence as LocatedSequence
from devenv.config.strict import Strict

_USE = re.compile(r"\$\$\{|\$\{")
_INNER = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<default>:-(?P<text>.*))?", re.DOTALL)
_PARAMETER = "with."
_NUMBER = re.compile(r"0|-?[1-9][0-9]{0,17}")


class Interpolation:
    """Puts the variables of `environ` into trees; what could not be put in gathers in `faults`.

    In a profile (`parameters`), `${with.x}` and its literal `$${with.x}` are left to `parameters.fill`.
    """

    def __init__(self, environ: Mapping[str, str], *, parameters: bool = False) -> None:
        self._environ = environ
        self._parameters = parameters
        self.faults: list[Fault] = []

    def put_into(self, tree: Map) -> Map:
        """The tree with every text value filled in; keys stay as they are."""
        filled = self._put(tree, "")
        assert isinstance(filled, Map)
        return filled

    def _put(self, tree: Located, path: str) -> Located:
        if isinstance(tree, Map):
            entries = {k: (o, self._put(v, f"{path}.{k}" if path else k)) for k, (o, v) in tree.entries.items()}
            return Map(entries, tree.origin)
        if isinstance(tree, LocatedSequence):
            return LocatedSequence(tuple(self._put(v, f"{path}[{i}]") for i, v in enumerate(tree.items)), tree.origin)
        return self._leaf(tree, path)

    def _leaf(self, leaf: Leaf, path: str) -> Leaf:
        if not isinstance(leaf.value, str) or "${" not in leaf.value:
            return leaf
        text, wrong = self._text(leaf.value)
        self.faults.extend(Fault(leaf.origin, path, reason) for reason in wrong)
        return leaf if wrong else Leaf(text, leaf.origin, interpolated=text != leaf.value)

    def _text(self, text: str) -> tuple[str, list[str]]:
        """The text filled in, and what is wrong with it."""
        parts, wrong, at = [], [], 0
        while use := _USE.search(text, at):
            parts.append(text[at : use.start()])
            after = text[use.end() :]
            if self._parameters and after.startswith(_PARAMETER):
                parts.append(use[0])
                at = use.end()
            elif use[0] == "$${":
                parts.append("${")
                at = use.end()
            else:
                inner, closed, _ = after.partition("}")
                value, reason = self._value(inner, closed=bool(closed))
                parts.append(value)
                wrong += [reason] if reason else []
                at = use.end() + len(inner) + len(closed)
        return "".join([*parts, text[at:]]), wrong

    def _value(self, inner: str, *, closed: bool) -> tuple[str, str]:
        """What stands for `${inner}`, or the reason why nothing does."""
        found = _INNER.fullmatch(inner)
        if not closed:
            return "", "${ is not closed by a }; write $${ for a literal ${"
        if not found:
            return "", f"${{{inner}}} is neither ${{NAME}} nor ${{NAME:-default}}; write $${{ for a literal ${{"
        if "${" in inner:
            return "", f"the default of {found['name']} can't hold another ${{...}}"
        value = self._environ.get(found["name"])
        if found["default"] is not None:
            return self._quoted(value) if value else found["text"], ""
        if value is None:
            name = found["name"]
            return "", f"the environment variable {name} is not set; ${{{name}:-default}} gives it a default"
        return self._quoted(value), ""

    def _quoted(self, value: str) -> str:
        # A variable's value is never a use of a parameter.
        return value.replace("${" + _PARAMETER, "$${" + _PARAMETER) if self._parameters else value


def only_reasons(faults: Sequence[Fault], reasons: Sequence[Fault]) -> list[Fault]:
    """All faults, without those that a value has only because it could not be filled in (told in `reasons`)."""
    places = {fault.origin for fault in reasons}
    return [*reasons, *(fault for fault in faults if fault.origin not in places)]


def take_numbers(model: type[Strict], tree: Map) -> Map:
    """The tree with the number or true/false where the model wants one and variables gave a text that is one."""
    try:
        model.model_validate(plain_value(tree))
    except ValidationError as error:
        for found in error.errors(include_url=False):
            if found["type"] in ("int_type", "bool_type"):
                replaced = _typed(tree, found["loc"])
                assert isinstance(replaced, Map)
                tree = replaced
    return tree


def _typed(tree: Located, loc: Sequence[int | str]) -> Located:
    if isinstance(tree, Leaf):
        return _scalar(tree)
    if not loc:
        return tree
    part, rest = loc[0], loc[1:]
    if isinstance(tree, Map) and part in tree.entries:
        origin, value = tree.entries[str(part)]
        return Map({**tree.entries, str(part): (origin, _typed(value, rest))}, tree.origin)
    if isinstance(tree, LocatedSequence) and isinstance(part, int) and part < len(tree.items):
        items = list(tree.items)
        items[part] = _typed(items[part], rest)
        return LocatedSequence(tuple(items), tree.origin)
    return _typed(tree, rest)


def _scalar(leaf: Leaf) -> Leaf:
    if not leaf.interpolated or not isinstance(leaf.value, str):
        return leaf
    if leaf.value in ("true", "false"):
        return Leaf(leaf.value == "true", leaf.origin)
    return Leaf(int(leaf.value), leaf.origin) if _NUMBER.fullmatch(leaf.value) else leaf
