"""Files of environment variables: `.env` as Compose and the dotenv libraries read it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_LINE = re.compile(r"\s*(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_.-]*)\s*(?:=\s*(?P<value>.*))?$")
_DOUBLE = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "$": "$"}
_SECRET = re.compile(
    r"SECRET|TOKEN|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL|PRIVATE|API_?KEY|ACCESS_?KEY|_KEY$|_PWD$|^KEY$"
)


@dataclass(frozen=True, slots=True)
class Variable:
    """An environment variable and where it was written."""

    name: str
    value: str
    place: str


def read_variables(text: str, file: str) -> list[Variable]:
    """The variables of a file, in order; a name without `=` has no value here and is left out."""
    found = {}
    for number, line in enumerate(text.lstrip("\ufeff").splitlines(), 1):
        match = None if line.lstrip().startswith("#") else _LINE.match(line)
        if match and match["value"] is not None:
            found[match["name"]] = Variable(match["name"], _value(match["value"]), f"{file}:{number}")
    return list(found.values())


def _value(written: str) -> str:
    double = _DOUBLE.match(written)
    if double:
        return re.sub(r"\\(.)", lambda escape: _ESCAPES.get(escape[1], escape[0]), double[1])
    if written.startswith("'") and "'" in written[1:]:
        return written[1 : written.index("'", 1)]
    return re.sub(r"(^|\s)#.*$", "", written).strip()


def looks_secret(name: str) -> bool:
    """Whether a variable's name says that its value is nobody else's business."""
    return _SECRET.search(name.upper()) is not None


def as_map(variables: Iterable[Variable]) -> dict[str, str]:
    """Values by name; the later wins."""
    return {variable.name: variable.value for variable in variables}
