"""Words for what pydantic finds wrong: what was expected, what is there, and what to write instead."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from devenv.config.descriptions import describe_key
from devenv.config.schema import NAME, PORT_NAME, WORDS_OF_PATTERNS
from devenv.config.source import describe_scalar
from devenv.config.strict import Strict


def sentences(founds: Sequence[Any]) -> list[str]:
    """One sentence for each error at one place; those that tell of the kinds of a union are one together."""
    if len(founds) > 1 and all(found["type"] in _WORDS for found in founds):
        *first, last = dict.fromkeys(_WORDS[found["type"]] for found in founds)
        empty = ': write "" for an empty text' if founds[0]["input"] is None else ""
        return [f"expected {', '.join(first)} or {last}{_got(founds[0])}{empty}"]
    return [_sentence(found) for found in founds]


def _sentence(found: Any) -> str:
    kind, context = found["type"], found.get("ctx", {})
    if kind == "missing":
        return _missing(found["loc"][-1], found["input"])
    if kind == "literal_error":
        wanted = context["expected"].replace("'", "")
        return f"expected {wanted}{_got(found)}{nearest(str(found['input']), wanted.replace(' or ', ', ').split(', '))}"
    if kind in ("greater_than_equal", "less_than_equal"):
        return f"expected {_RANGES[context.get('ge', context.get('le'))]}{_got(found)}"
    if kind == "too_short":
        return "expected at least one item, got none"
    if kind == "one_of":
        return str(found["msg"])
    if kind == "string_pattern_mismatch":
        return f"expected {WORDS_OF_PATTERNS[context['pattern']]}{_got(found)}{_example(found)}"
    if kind == "union_tag_invalid":
        tags = [tag for tag in _WORDS_OF_TAGS if f"'{tag}'" in context["expected_tags"]]
        return f"expected {' or '.join(_WORDS_OF_TAGS[tag] for tag in tags)}{_got(found)}"
    if kind == "model_type":
        return f"expected {_mapping_of(context.get('class_name'))}{_got(found)}{_cure(found)}"
    return f"expected {_WORDS.get(kind, found['msg'].lower())}{_got(found)}{_example(found)}{_cure(found)}"


def _missing(key: str, given: Mapping[str, object]) -> str:
    keys = {model: _keys_of(model) for model in _models(Strict)}
    needing = [model for model, known in keys.items() if known.get(key) and given.keys() <= known.keys()]
    meaning = describe_key(needing[0], key) if needing else ""
    return f"needs the key {key}{f' ({meaning})' if meaning else ''}"


def _got(found: Any) -> str:
    given = found["input"]
    return f", got {_container(given) if isinstance(given, dict | list) else describe_scalar(given)}"


_WORDS = {
    "string_type": "text",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "string_too_long": WORDS_OF_PATTERNS[PORT_NAME],
}


_RANGES = {
    **dict.fromkeys((1, 65535), "a port from 1 to 65535"),
    **dict.fromkeys((100, 599), "a status from 100 to 599"),
}
_WORDS_OF_TAGS = {"text": "text", "list": "a list", "map": "a mapping"}
_SHORT = 40


def _container(value: object) -> str:
    return "a mapping" if isinstance(value, dict) else "a list"


def _mapping_of(name: str | None) -> str:
    required = [key for key, needed in _keys_of(_model(name)).items() if needed]
    return f"a mapping with {' and '.join(required)}" if required else "a mapping"


def _keys_of(model: type[Strict]) -> dict[str, bool]:
    """The keys of a model, and whether each must be there."""
    return {field.alias or key: field.is_required() for key, field in model.model_fields.items()}


def _model(name: str | None) -> type[Strict]:
    return next((model for model in _models(Strict) if model.__name__ == name), Strict)


def _models(model: type[Strict]) -> Iterator[type[Strict]]:
    for inner in model.__subclasses__():
        yield inner
        yield from _models(inner)


def _example(found: Any) -> str:
    """For a name that is not one: the nearest that is."""
    pattern, given = found.get("ctx", {}).get("pattern"), found["input"]
    if pattern not in (NAME, PORT_NAME) and found["type"] != "string_too_long":
        return ""
    longest = 63 if pattern == NAME else 15
    cleaned = re.sub(r"[^a-z0-9]+", "-", given.lower()).strip("-")[:longest].strip("-")
    return f' (such as "{cleaned}")' if cleaned[:1].isalpha() else ' (such as "http")' if cleaned.isdigit() else ""


def _cure(found: Any) -> str:
    kind, given = found["type"], found["input"]
    if kind == "string_type" and isinstance(given, int):
        return "" if isinstance(given, bool) else ": put it in quotes"
    if kind == "int_type" and isinstance(given, str) and re.fullmatch("0|[1-9][0-9]{0,9}", given):
        return ": write it without quotes"
    if kind == "list_type" and isinstance(given, str) and 0 < len(given) < _SHORT:
        return f": write [{given}]"
    if kind in ("dict_type", "model_type"):
        return _cure_of_mapping(found)
    return ""


def _cure_of_mapping(found: Any) -> str:
    given = found["input"]
    if given is None:
        return ": remove the key, or indent what belongs to it"
    if isinstance(given, list):
        return ": write {http: 8080}" if found["loc"][-1] == "ports" else ": write key: value, without a dash"
    keys = _keys_of(_model(found.get("ctx", {}).get("class_name")))
    needed = [key for key, must in keys.items() if must]
    key = re.match(r"([-\w]+):\S", given) if isinstance(given, str) else None
    if key and key[1] in keys:
        return f": write a space after {key[1]}:"
    return f": write {{{needed[0]}: {given}}}" if len(needed) == 1 and isinstance(given, str) and given else ""


# --- words that are near -----------------------------------------------------------------------------------------
def nearest(word: str, known: Sequence[str], elsewhere: Mapping[str, str] | None = None) -> str:
    """` (did you mean "x"?)` for the nearest known word, or nothing; `elsewhere` has other names for known ones."""
    other = {name: target for name, target in (elsewhere or {}).items() if target in known}
    candidates = {candidate.lower(): candidate for candidate in (*other, *known)}
    close = difflib.get_close_matches(word.lower(), list(candidates), n=1, cutoff=0.6)
    found = candidates[close[0]] if close else ""
    return f' (did you mean "{other.get(found, found)}"?)' if found else ""


def nearest_or_all(word: str, known: Sequence[str], elsewhere: Mapping[str, str] | None = None) -> str:
    """The nearest known word, or all of them."""
    return nearest(word, known, elsewhere) or f"; known: {', '.join(known) or 'none'}"


def nearest_path(path: Path, *, but: Path | None = None) -> str:
    """` (did you mean "x"?)` for what stands beside a path that is not there, under the nearest name."""
    try:
        names = sorted(entry.name for entry in path.parent.iterdir() if entry != but)
    except OSError:
        return ""
    return nearest(path.name, names)
