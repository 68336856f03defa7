"""Where in a command line the cursor stands: which option's value, which argument, which command. Pure.

Nodes, options, arguments and their values are as `table.py` says.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Node = dict[str, Any]


class Line:
    """A command line read up to the word at the cursor (`current`, maybe empty)."""

    __slots__ = ("_open", "arguments", "current", "given", "literal", "lost", "node", "used")

    def __init__(self, root: Node, words: list[str]) -> None:
        self.node = root
        self.arguments: list[str] = []
        self.given: dict[str, list[str]] = {}
        self.used: set[str] = set()
        self.literal = self.lost = False
        self._open: Node | None = None
        self.current = words[-1] if words else ""
        for word in words[:-1]:
            self._read(word)

    def value_at_cursor(self) -> tuple[str, str, str]:
        """What may stand at the cursor (a VALUE of the table, "options" or "commands"), and the word that is there.

        The word comes in two parts: what stays before the value ("--output="), and the value's first letters.
        """
        if self.lost:
            return "", "", self.current
        if self._open:
            return str(self._open["value"]), "", self.current
        name, sign, start = self.current.partition("=")
        if sign and name.startswith("--") and not self.literal:
            option = self._find(name)
            return option["value"] if option else "", f"{name}=", start
        if self.current.startswith("-") and not self.literal:
            return "options", "", self.current
        if self.node.get("commands"):
            return "commands", "", self.current
        return self._argument(), "", self.current

    def _argument(self) -> str:
        known = self.node.get("arguments", [])
        index = len(self.arguments)
        if known and known[-1]["many"]:
            index = min(index, len(known) - 1)
        return str(known[index]["value"]) if index < len(known) else ""

    def _read(self, word: str) -> None:
        if self._open:
            self._note(self._open, word)
            self._open = None
        elif self.literal or not word.startswith("-") or word == "-":
            self._read_plain(word)
        elif word == "--":
            self.literal = True
        elif word.startswith("--"):
            self._read_long(word)
        else:
            self._read_letters(word[1:])

    def _read_plain(self, word: str) -> None:
        commands = self.node.get("commands")
        if commands and not self.literal:
            self.lost = self.lost or word not in commands
            self.node = commands.get(word, self.node)
        else:
            self.arguments.append(word)

    def _read_long(self, word: str) -> None:
        name, sign, value = word.partition("=")
        option = self._find(name)
        if option and sign:
            self._note(option, value)
        elif option:
            self._begin(option)

    def _read_letters(self, letters: str) -> None:
        for index, letter in enumerate(letters):
            option = self._find(f"-{letter}")
            if option and option["value"] != "-" and letters[index + 1 :]:
                self._note(option, letters[index + 1 :])
                return
            if option:
                self._begin(option)

    def _begin(self, option: Node) -> None:
        self.used.add(option["names"][0])
        self._open = option if option["value"] != "-" else None

    def _note(self, option: Node, value: str) -> None:
        self.used.add(option["names"][0])
        self.given.setdefault(option["names"][0], []).append(value)

    def _find(self, name: str) -> Node | None:
        return next((option for option in self.node["options"] if name in option["names"]), None)


def join_equals(words: list[str]) -> list[str]:
    """The words of bash, which takes `--output=json` apart at the sign, put together again."""
    joined: list[str] = []
    glue = False
    for word in words:
        if joined and (glue or (word == "=" and joined[-1].startswith("--"))):
            joined[-1] += word
        else:
            joined.append(word)
        glue = word == "=" and joined[-1].startswith("--") and joined[-1].count("=") == 1
    return joined


def unquote(word: str) -> str:
    """A word as the shell would mean it, as far as file names need it."""
    return word.replace("\\", "").strip("'\"")
