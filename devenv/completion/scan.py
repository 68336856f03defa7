"""Names from YAML text by its top levels, line by line: for files that no command has read since they changed.

Only block style is seen, and nothing is ever an error: this is what to offer at a tab, not what the files mean.
"""

from __future__ import annotations

import os

MOST_INCLUDES = 20


def keys_below(text: str, section: str) -> list[str]:
    """The keys one level below a top-level key."""
    found: list[str] = []
    level = 0
    for line in _lines_of(text, section):
        indent = len(line) - len(line.lstrip(" "))
        level = level or indent
        key, colon, rest = line.strip().partition(":")
        if indent == level and colon and rest[:1] in ("", " ", "\t"):
            found.append(key.strip("'\""))
    return found


def value_of(text: str, section: str) -> list[str]:
    """The words of a top-level key's value: a scalar, a list in brackets, or a list of lines with dashes."""
    words = []
    for line in _lines_of(text, section, whole=True):
        for word in line.strip("[] ").split(","):
            words.append(word.strip().removeprefix("- ").strip(" '\""))
    return [word for word in words if word]


def dependencies(root: str, profile: str, shipped: dict[str, list[str]]) -> list[str]:
    """The dependencies of a profile and those it includes, by the files in `root`; `shipped` by profile."""
    found: list[str] = []
    seen: set[str] = set()
    waiting = [os.path.join(root, "profiles", f"{profile}.yaml")]
    while waiting and len(seen) < MOST_INCLUDES:
        file = os.path.normpath(waiting.pop(0))
        name = os.path.basename(file).removesuffix(".yaml")
        text = read(file)
        if file in seen or not text:
            found += shipped.get(name, [])
            continue
        seen.add(file)
        found += keys_below(text, "dependencies")
        waiting += [_included(root, file, item) for item in value_of(text, "include")]
    return list(dict.fromkeys(found))


def read(file: str) -> str:
    """A file's text, or nothing."""
    try:
        with open(file, encoding="utf-8", errors="replace") as opened:
            return opened.read()
    except OSError:
        return ""


def _included(root: str, file: str, item: str) -> str:
    if not item.startswith((".", "/")) and not item.endswith((".yaml", ".yml")):
        return os.path.join(root, "profiles", f"{item}.yaml")
    place = os.path.join(os.path.dirname(file), item)
    return place if os.path.isfile(place) else f"{place}.yaml"


def _lines_of(text: str, section: str, *, whole: bool = False) -> list[str]:
    """The lines below a top-level key, comments and empty ones left out; with `whole`, what stands beside it too."""
    lines: list[str] = []
    inside = False
    for full in text.splitlines():
        line = "" if full.lstrip().startswith("#") else full.partition(" #")[0].rstrip()
        if line[:1] not in ("", " ", "-"):
            key, _, rest = line.partition(":")
            inside = key.strip("'\"") == section
            lines += [rest] if inside and whole and rest.strip() else []
        elif inside and line.strip():
            lines.append(line)
    return lines
