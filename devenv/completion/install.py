"""Puts a shell's completion where the shell looks for it: which files change, and how, as values; then changed."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

Shell = Literal["bash", "zsh", "fish"]
SHELLS: tuple[Shell, ...] = get_args(Shell)
MARK = "# devenv completion"
BASH_COMPLETION = (
    "/usr/share/bash-completion/bash_completion",
    "/etc/bash_completion",
    "/usr/local/etc/profile.d/bash_completion.sh",
    "/opt/homebrew/etc/profile.d/bash_completion.sh",
)
"""Where the package that finds scripts in the user's folder is."""


@dataclass(frozen=True, slots=True)
class Edit:
    """A file to write, or with `append` one to add to; `done` where it already is so."""

    path: Path
    text: str
    append: bool = False

    @property
    def done(self) -> bool:
        """Whether the file already has the text."""
        try:
            there = self.path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return False
        return self.text in there if self.append else there == self.text

    def apply(self) -> None:
        """Write whole or not at all; OSError."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # A start-up file may be a link into a repository of such files.
        target = self.path.resolve()
        before = target.read_bytes() if self.append and target.exists() else b""
        fresh = target.with_name(f"{target.name}.devenv-{os.getpid()}")
        try:
            fresh.write_bytes(before + self.text.encode())
            if target.exists():
                fresh.chmod(target.stat().st_mode & 0o7777)
            fresh.replace(target)
        finally:
            fresh.unlink(missing_ok=True)


def script(shell: Shell) -> str:
    """What the shell has to read."""
    return (Path(__file__).parent / "scripts" / f"devenv.{shell}").read_text(encoding="utf-8")


def shell_of(environ: Mapping[str, str]) -> Shell | None:
    """The user's shell by $SHELL, if it is one of ours."""
    name = Path(environ.get("SHELL", "")).name
    return next((shell for shell in SHELLS if shell == name), None)


def edits(shell: Shell, environ: Mapping[str, str], *, home: Path, loads_scripts: bool) -> list[Edit]:
    """The file with the script, and what must be in the shell's start-up file so that it is read.

    fish reads the folder by itself, and so does bash where `loads_scripts` (the package bash-completion is there).
    """
    data = Path(environ.get("XDG_DATA_HOME") or home / ".local/share")
    if shell == "fish":
        config = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
        return [Edit(config / "fish/completions/devenv.fish", script("fish"))]
    if shell == "zsh":
        place = data / "zsh/site-functions/_devenv"
        return [Edit(place, script("zsh")), _line(Path(environ.get("ZDOTDIR") or home) / ".zshrc", place)]
    place = Path(environ.get("BASH_COMPLETION_USER_DIR") or data / "bash-completion") / "completions/devenv"
    written = [Edit(place, script("bash"))]
    return written if loads_scripts else [*written, _line(home / ".bashrc", place)]


def has_bash_completion() -> bool:
    """Whether the package bash-completion is on this machine."""
    return any(Path(place).exists() for place in BASH_COMPLETION)


def _line(file: Path, script_file: Path) -> Edit:
    quoted = shlex.quote(str(script_file))
    return Edit(file, f"\n{MARK}\n[ -r {quoted} ] && source {quoted}\n", append=True)
