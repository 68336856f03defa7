"""Words for text that is not YAML: where it goes wrong, what is meant by it, and what to write instead."""

from __future__ import annotations

import codecs
import re

import yaml

Told = tuple[int, int, str]
"""A 1-based line and column, and the sentence."""

_BREAKS = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""What ends a line in YAML, and so in the places that the parser gives."""


def syntax_words(error: yaml.MarkedYAMLError, text: str) -> Told:
    """The place and the sentence for a text that the parser refuses."""
    lines = _BREAKS.split(text)
    started = any(word in str(error.context) for word in ("alias", "anchor", "simple key"))
    mark = (error.context_mark if started else None) or error.problem_mark or error.context_mark
    line, column = _within(lines, mark.line, mark.column) if mark else (0, 0)
    shown = lines[line]
    indent = shown[: len(shown) - len(shown.lstrip())]
    if "\t" in indent or "'\\t'" in str(error.problem):
        return line + 1, max(shown.find("\t"), 0) + 1, "a tab is used for indentation: YAML wants spaces"
    opened = _unclosed(error, lines)
    if opened:
        return opened
    return line + 1, column + 1, _sentence(error, lines, line, column)


def _within(lines: list[str], line: int, column: int) -> tuple[int, int]:
    """The place, or the end of the text where it lies behind that."""
    if line < len(lines):
        return line, min(column, len(lines[line]))
    return len(lines) - 1, len(lines[-1])


def _unclosed(error: yaml.MarkedYAMLError, lines: list[str]) -> Told | None:
    """What was opened and not closed is told where it was opened."""
    context, mark = str(error.context), error.context_mark
    if mark is None or mark.line >= len(lines):
        return None
    opener = lines[mark.line][mark.column : mark.column + 1]
    if "quoted scalar" in context and opener in ('"', "'") and "end of stream" in str(error.problem):
        return mark.line + 1, mark.column + 1, f"the quote {opener} is opened here and never closed"
    if "flow" in context and opener in ("[", "{"):
        return _unclosed_bracket(lines, mark, error.problem_mark or mark)
    return None


def _unclosed_bracket(lines: list[str], opened: yaml.Mark, noticed: yaml.Mark) -> Told:
    opener = lines[opened.line][opened.column]
    closer = "]" if opener == "[" else "}"
    line, column = _within(lines, noticed.line, noticed.column)
    if line == opened.line:
        return (
            line + 1,
            column + 1,
            f"expected , or {closer} for the {opener} that is opened in column {opened.column + 1}",
        )
    place = f"line {line + 1}, column {column + 1}"
    told = f"the {opener} that is opened here is not closed; expected , or {closer} before {place}"
    return opened.line + 1, opened.column + 1, told


def _sentence(error: yaml.MarkedYAMLError, lines: list[str], line: int, column: int) -> str:
    problem, context = str(error.problem or error.context), str(error.context)
    shown = lines[line]
    char = shown[column : column + 1]
    if "mapping values are not allowed" in problem:
        return _two_colons(lines, line, column)
    if "expected ':'" in problem:
        return "this line is neither a key nor part of a value: write key: value"
    if "cannot start any token" in problem and char:
        return f"a text can't begin with {char}: put it in quotes"
    if "undefined alias" in problem:
        return f"{_word(shown, column)} is an alias, and no anchor of that name stands before it: put a text in quotes"
    if "alphabetic or numeric" in problem and "alias" in context:
        return "a * at the beginning means an alias: put the text in quotes"
    if "alphabetic or numeric" in problem and "anchor" in context:
        return "an & at the beginning means an anchor: put the text in quotes"
    if any(
        word in problem + context
        for word in ("expected key", "block end", "block mapping", "'-' indicator", "block collection")
    ):
        return "this fits none of the lines above: what belongs together begins in the same column"
    return f"not valid YAML: {problem}"


def _two_colons(lines: list[str], line: int, column: int) -> str:
    before = lines[line][:column]
    if ": " in before:
        return "a second colon in one line: put quotes around the text that has one"
    above = next((number for number in range(line - 1, -1, -1) if lines[number].strip()), None)
    key = lines[above].strip() if above is not None else ""
    return f"no key can stand here: is a colon missing behind {key!r} in line {(above or 0) + 1}?"


def _word(shown: str, column: int) -> str:
    return shown[column:].split()[0].rstrip(",]}") if shown[column:].split() else "this"


def encoding_words(data: bytes, error: UnicodeDecodeError) -> Told:
    """The place and the sentence for a file that is not UTF-8."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return 1, 1, "expected UTF-8 text, got UTF-16: save the file as UTF-8"
    line, column = end_of(data[: error.start].decode("utf-8-sig"))
    return line, column, f"expected UTF-8 text, got the byte 0x{data[error.start]:02X}: save the file as UTF-8"


def character_words(error: yaml.reader.ReaderError, text: str) -> Told:
    """The place and the sentence for a character that no YAML text may have."""
    found = yaml.reader.Reader.NON_PRINTABLE.search(text)
    if not found:
        return 1, 1, f"not valid YAML: {error.reason}"
    line, column = end_of(text[: found.start()])
    return line, column, f"the character U+{ord(found[0]):04X} may not stand here: remove it"


def end_of(text: str) -> tuple[int, int]:
    """The 1-based line and column behind the last character of a text."""
    lines = _BREAKS.split(text)
    return len(lines), len(lines[-1]) + 1
