"""Executes a page as a reader would: one shell for the whole page, its blocks in order.

Console blocks run each `$ ` line; the output must match what the page shows, where `...` stands for anything (alone
on a line: for any lines) and durations are not compared. `diff` blocks change one file.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.docs.markdown import Block, commands

END = "devenv-docs-command-ended"
_DURATION = re.compile(r"\b\d+(\.\d+)?\s?(ms|s)\b")
_SPACES = re.compile(r"[ \t]+")


class Shell:
    """One bash, with its folder and variables kept from command to command."""

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=folder,
            env=dict(env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.folder = folder

    def run(self, command: str) -> tuple[int, str]:
        """The exit code and everything printed."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f'{{ {command}\n}} </dev/null\nprintf "\\n%s %d %s\\n" {END} $? "$PWD"\n')
        self._process.stdin.flush()
        lines: list[str] = []
        for line in self._process.stdout:
            if line.startswith(END):
                _, code, folder = line.rstrip("\n").split(" ", 2)
                self.folder = Path(folder)
                return int(code), "".join(lines).rstrip("\n")
            lines.append(line)
        raise AssertionError(f"the shell ended in: {command}\n{''.join(lines)}")

    def close(self) -> None:
        """End the shell."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait(timeout=10)
        self._process.stdout.close()


def normal(text: str) -> str:
    """Output without what differs from run to run: durations, the width of columns, and that something goes on."""
    lines = [line for line in text.splitlines() if not line.startswith("  ... ")]
    return "\n".join(_SPACES.sub(" ", _DURATION.sub("# s", line)).rstrip() for line in lines)


def matches(expected: str, printed: str) -> bool:
    """Whether output is what a page shows."""
    parts = []
    for line in normal(expected).splitlines():
        if line.strip() == "...":
            parts.append(r"(?:.*\n)*?")
        else:
            parts.append(r"[^\n]*".join(re.escape(piece) for piece in line.split("...")) + r"\n")
    return re.fullmatch("".join(parts), normal(printed) + "\n") is not None


def run_block(shell: Shell, block: Block) -> None:
    """Execute one block; AssertionError with its place where it does not do what the page says."""
    if block.language == "console":
        for command in commands(block):
            code, printed = shell.run(command.text)
            wanted = int(block.options.get("exit", "0"))
            assert code == wanted, f"{block.name}: $ {command.text}\nexit code {code}, not {wanted}:\n{printed}"
            assert not command.output or matches(command.output, printed), (
                f"{block.name}: $ {command.text}\nthe page shows:\n{command.output}\nprinted was:\n{printed}"
            )
    elif block.language == "diff":
        apply_edit(shell.folder, block)


def apply_edit(folder: Path, block: Block) -> None:
    """Change the file a diff block names: its `-` lines, which stand there once, become its `+` lines."""
    first, *lines = block.text.splitlines()
    file = folder / first.removeprefix("--- ")
    old = "\n".join(line[1:] for line in lines if line.startswith("-"))
    new = "\n".join(line[1:] for line in lines if line.startswith("+"))
    text = file.read_text()
    assert text.count(old) == 1, f"{block.name}: {old!r} stands {text.count(old)} times in {file}"
    file.write_text(text.replace(old, new))
