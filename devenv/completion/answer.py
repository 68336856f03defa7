"""`devenv __complete SHELL -- WORDS…`: what may stand at the last word, a line each. Never an error, never stderr.

A line is the value, and for zsh and fish a tab and a few words on it; the line "\\tfiles" says that the shell
completes file names itself.
"""

from __future__ import annotations

import os
import sys

from devenv.completion import names
from devenv.completion.table import load
from devenv.completion.words import Line, join_equals, unquote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Offers = dict[str, str]

FILES = "\tfiles"


def main(arguments: list[str]) -> int:
    """Print the offers for `SHELL -- WORDS…`; always 0."""
    try:
        sys.stdout.write("".join(f"{line}\n" for line in answer(arguments)))
        sys.stdout.flush()
    except Exception:  # noqa: BLE001 - whatever it is, a tab is no place to tell it
        # What could not be written must not be tried again, and told, when the interpreter ends.
        sys.stdout = None
    return 0


def answer(arguments: list[str]) -> list[str]:
    """The lines for `SHELL -- WORDS…`, the last word being the one at the cursor."""
    shell, words = arguments[0], arguments[2:]
    table = load()
    line = Line(table["root"], [unquote(w) for w in join_equals(words)] if shell == "bash" else words)
    value, before, start = line.value_at_cursor()
    if value == "files":
        return [FILES]
    found = {name: about for name, about in _offers(value, line, table).items() if name.startswith(start)}
    if shell == "bash":
        # There, what stands before the sign is a word of its own.
        return list(found)
    return [f"{before}{name}\t{about}" if about else f"{before}{name}" for name, about in found.items()]


def _offers(value: str, line: Line, table: dict[str, Any]) -> Offers:
    if value.startswith("="):
        return dict.fromkeys(value[1:].split("|"), "")
    if value == "options":
        return _options(line)
    if value == "commands":
        return {name: node["help"] for name, node in line.node["commands"].items()}
    if value == "codes":
        return dict(table["codes"])
    return _without(_names(value, line, table), line) if value.isalpha() else {}


def _options(line: Line) -> Offers:
    free = (o for o in line.node["options"] if o["many"] or o["names"][0] not in line.used)
    return {name: option["help"] for option in free for name in option["names"] if name.startswith("--")}


def _without(found: Offers, line: Line) -> Offers:
    """What is already on the line is not offered again."""
    said = {*line.arguments, *(value for values in line.given.values() for value in values)}
    return {name: about for name, about in found.items() if name not in said}


def _names(kind: str, line: Line, table: dict[str, Any]) -> Offers:
    given = line.given.get("--file")
    file = os.path.abspath(os.path.expanduser(given[-1])) if given else names.find_file(os.getcwd())
    root = os.path.dirname(file)
    if kind == "profiles":
        own = {name: f"profiles/{name}.yaml" for name in (names.own_profiles(root) if file else [])}
        return {**own, **{n: shipped["description"] for n, shipped in table["profiles"].items() if n not in own}}
    if not os.path.isfile(file):
        return {}
    profile = ",".join(line.given.get("--profile", []))
    return _of_kind(kind, names.recall(file, profile) or _scanned(file, profile, table))


def _of_kind(wanted: str, known: names.Names) -> Offers:
    """The names for a kind of value; "real" and "stub" are dependencies that have that form."""
    if wanted == "units":
        return {name: kind for kind, name, _ in known if kind in ("service", "dependency")}
    own = {"services": "service", "dependencies": "dependency", "groups": "group"}.get(wanted)
    return {name: kind for kind, name, forms in known if kind == own or wanted in forms.split()}


def _scanned(file: str, profile: str, table: dict[str, Any]) -> names.Names:
    """The names by the files' lines; each dependency could have each form."""
    # Imported here: mostly the names are kept.
    from devenv.completion import scan

    text = scan.read(file)
    chosen = profile.split(",") if profile else scan.value_of(text, "profile") or ["default"]
    shipped = {name: entry["dependencies"] for name, entry in table["profiles"].items()}
    found = [name for one in chosen for name in scan.dependencies(os.path.dirname(file), one, shipped)]
    return [
        *(("service", name, "") for name in scan.keys_below(text, "services")),
        *(("dependency", name, "real stub") for name in found),
        *(("group", name, "") for name in scan.keys_below(text, "groups")),
    ]
