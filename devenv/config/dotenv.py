"""Environment variables from files in dotenv format.

`NAME=value`, `export NAME=value`, empty lines and `#` comments. An unquoted value ends at ` #` or the line's end. A
single-quoted one is taken as it is. In a double-quoted one `\\n`, `\\r`, `\\t`, `\\"`, `\\$` and two backslashes are
read as in a shell. Quoted values may span lines. The later of two lines of one name wins; `$` stands for itself.
"""

from __future__ import annotations

import re
from pathlib import Path

from devenv.config.model import Origin
from devenv.config.source import Fault, Located, read_utf8

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_START = re.compile(r"(?:export[ \t]+)?")
_BLANKS = re.compile(r"[ \t]*")
_QUOTED = {"'": re.compile(r"'([^']*)'"), '"': re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)}
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "$": "$"}
_REST = re.compile(r"[ \t]*(#[^\n]*)?$", re.MULTILINE)
_LINE = re.compile(r"[^\n]*")


def read_dotenv(place: Located, name: str, folder: Path, path: str, faults: list[Fault]) -> dict[str, str]:
    """The variables of the file `name` in `folder`; faults are at `place`, or in the file itself under `path`."""
    file = (folder / name).resolve()
    if not file.is_file():
        faults.append(Fault(place.origin, path, f"there is no file {name}"))
        return {}
    text = read_utf8(file, faults)
    return parse_dotenv(text, file, path, faults) if text is not None else {}


def parse_dotenv(text: str, file: Path, path: str, faults: list[Fault]) -> dict[str, str]:
    """The variables in a text, with a fault for each line that is none."""
    reader = _Reader(text.removeprefix("\ufeff").replace("\r\n", "\n"), file, path, faults)
    while not reader.at_end():
        reader.read_line()
    return reader.values


class _Reader:
    def __init__(self, text: str, file: Path, path: str, faults: list[Fault]) -> None:
        self._text, self._file, self._path, self._faults = text, file, path, faults
        self._position = 0
        self.values: dict[str, str] = {}

    def at_end(self) -> bool:
        return self._position >= len(self._text)

    def read_line(self) -> None:
        """Take in one variable, comment or empty line, its end included."""
        self._take(_BLANKS)
        if self._next() not in ("", "\n", "#"):
            self._variable()
        self._take(_LINE)
        self._position += 1

    def _variable(self) -> None:
        self._take(_START)
        start = self._position
        name = self._take(_NAME)
        self._take(_BLANKS)
        if not name or self._next() != "=":
            shown = f" after {name}" if name else ""
            self._fault(self._position if name else start, f"expected NAME=value, found no {_missing(name)}{shown}")
            return
        self._position += 1
        self._take(_BLANKS)
        quote = self._next()
        value = self._quoted(quote) if quote in _QUOTED else self._plain()
        if value is not None:
            self.values[name] = value

    def _plain(self) -> str:
        line = self._take(_LINE)
        return re.sub(r"(^|[ \t])#.*", "", line).strip()

    def _quoted(self, quote: str) -> str | None:
        start = self._position
        match = _QUOTED[quote].match(self._text, start)
        if match is None:
            self._fault(start, f"the quote {quote} that opens here is never closed")
            return None
        self._position = match.end()
        rest = _REST.match(self._text, match.end())
        if rest is None:
            self._fault(match.end(), f"something follows the closing quote {quote}")
            return None
        return _ESCAPE.sub(_unescape, match[1]) if quote == '"' else match[1]

    def _take(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._position)
        self._position = match.end() if match else self._position
        return match[0] if match else ""

    def _next(self) -> str:
        return self._text[self._position : self._position + 1]

    def _fault(self, position: int, text: str) -> None:
        before = self._text[:position]
        origin = Origin(self._file, before.count("\n") + 1, position - before.rfind("\n"))
        self._faults.append(Fault(origin, self._path, text))


def _missing(name: str) -> str:
    return "=" if name else "name"


def _unescape(match: re.Match[str]) -> str:
    return _ESCAPES.get(match[1], match[0])
