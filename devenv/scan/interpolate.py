"""`${VAR:-default}` in compose files, resolved the way Compose does it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_NAME = r"[_a-zA-Z][_a-zA-Z0-9]*"
_HEAD = re.compile(rf"\$(?:(?P<escaped>\$)|(?P<bare>{_NAME})|\{{(?P<name>{_NAME})(?P<operator>:?[-?+])?)")


@dataclass(frozen=True, slots=True)
class Use:
    """One variable that a text uses: its name, what it became, and how that was found ("set", "default", "missing")."""

    name: str
    value: str
    how: str


def interpolate(text: str, variables: Mapping[str, str], on_use: Callable[[Use], None] = lambda use: None) -> str:
    """The text with its variables put in; a variable without value or default becomes nothing, and is told."""
    return _Reader(text, variables, on_use).read(0, closed=False)[0]


class _Reader:
    def __init__(self, text: str, variables: Mapping[str, str], on_use: Callable[[Use], None]) -> None:
        self._text, self._variables, self._on_use = text, variables, on_use

    def read(self, position: int, *, closed: bool) -> tuple[str, int]:
        """What the text from `position` on becomes, up to its end or (`closed`) to its closing brace."""
        parts: list[str] = []
        while position < len(self._text):
            if closed and self._text[position] == "}":
                return "".join(parts), position + 1
            head = _HEAD.match(self._text, position)
            if head is None:
                parts.append(self._text[position])
                position += 1
                continue
            part, position = self._one(head)
            parts.append(part)
        return "".join(parts), position

    def _one(self, head: re.Match[str]) -> tuple[str, int]:
        if head["escaped"]:
            return "$", head.end()
        if head["bare"]:
            return self._value(head["bare"], "", ""), head.end()
        if head["operator"] is None:
            if self._text[head.end() : head.end() + 1] != "}":
                return head[0], head.end()
            return self._value(head["name"], "", ""), head.end() + 1
        # What stands in the branch that is not taken uses nothing.
        quiet = _Reader(self._text, self._variables, lambda use: None)
        rest, end = quiet.read(head.end(), closed=True)
        return self._value(head["name"], head["operator"], rest), end

    def _value(self, name: str, operator: str, rest: str) -> str:
        given = self._variables.get(name)
        there = bool(given) if operator.startswith(":") else given is not None
        if operator.endswith("+"):
            value, how = (rest if there else ""), "set"
        elif there:
            value, how = given or "", "set"
        else:
            value, how = (rest, "default") if operator.endswith("-") else ("", "missing")
        self._on_use(Use(name, value, how))
        return value
