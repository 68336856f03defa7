"""The command line as data, made from typer's by `make docs`: a line each, its fields between tabs.

    command   PATH  HELP
    option    PATH  NAMES  VALUE  MANY  HELP
    argument  PATH  VALUE  MANY
    code      CODE  MESSAGE
    profile   NAME  DESCRIPTION  DEPENDENCIES

PATH is "" for devenv itself, else such as "config show"; MANY is "many" or "". VALUE is "-" for an option that takes
none, "=text|json" for choices, "" for any text, else the kind of a value: "files", "services" … JSON would be as plain,
and reading it takes longer than all the rest of an answer.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Node = dict[str, Any]

FILE = os.path.join(os.path.dirname(__file__), "table.txt")


def load() -> dict[str, Any]:
    """`root` (a node `{help, options, arguments, commands}`), `codes` and `profiles`."""
    codes: dict[str, str] = {}
    profiles: dict[str, Node] = {}
    nodes: dict[str, Node] = {}
    with open(FILE, encoding="utf-8") as opened:
        for line in opened:
            kind, name, *rest = line.rstrip("\n").split("\t")
            if kind == "command":
                nodes[name] = _node(name, rest[0], nodes)
            elif kind == "option":
                names, value, many, about = rest
                option = {"names": names.split(" "), "value": value, "many": bool(many), "help": about}
                nodes[name]["options"].append(option)
            elif kind == "argument":
                nodes[name]["arguments"].append({"value": rest[0], "many": bool(rest[1])})
            elif kind == "code":
                codes[name] = rest[0]
            else:
                profiles[name] = {"description": rest[0], "dependencies": rest[1].split()}
    return {"root": nodes[""], "codes": codes, "profiles": profiles}


def _node(path: str, about: str, nodes: dict[str, Node]) -> Node:
    node: Node = {"help": about, "options": [], "arguments": [], "commands": {}}
    if path:
        above, _, name = path.rpartition(" ")
        nodes[above]["commands"][name] = node
    return node
