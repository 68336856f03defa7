"""What git's own files tell of the repository around a folder: found as git finds it, without running git."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_SECTION = re.compile(r'\[\s*([-.\w]+)(?:\s+"((?:[^"\\]|\\.)*)")?\s*\]')
_KEY = re.compile(r"\s*([A-Za-z][-\w]*)\s*(?:=\s*(.*))?$", re.DOTALL)
_PIECE = re.compile(r'\\(.)|"|([#;])|([^\\"#;]+)', re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "b": "\b"}
_DEEPEST = 10


@dataclass(frozen=True, slots=True)
class Repository:
    """A work tree's root, its git folder, and the one it shares with its other work trees."""

    root: Path
    git_dir: Path
    common_dir: Path


def find_repository(folder: Path) -> Repository | None:
    """The repository that a folder is in; None where it is in none."""
    for root in (folder, *folder.parents):
        git = _follow(root / ".git")
        # Not Path's own questions: those raise where a folder can't be entered.
        if git and os.path.exists(git / "HEAD"):
            common = _first_line(git / "commondir")
            shared = git / common if common else git
            if os.path.isdir(shared / "objects") and os.path.isdir(shared / "refs"):
                return Repository(root, git, shared)
    return None


def _follow(git: Path) -> Path | None:
    """A `.git` that is a folder, or the folder that one names that is a file: of a work tree or a submodule."""
    if os.path.isdir(git):
        return git
    text = _first_line(git)
    return git.parent / text.removeprefix("gitdir: ") if text.startswith("gitdir: ") else None


def _first_line(file: Path) -> str:
    try:
        return file.read_text(errors="surrogateescape").partition("\n")[0]
    except OSError:
        return ""


@dataclass(frozen=True, slots=True)
class IgnoreSettings:
    """What git's configuration says of ignoring: the user's own ignore file, and whether case counts."""

    excludes: Path | None
    fold: bool


def ignore_settings(repository: Repository) -> IgnoreSettings:
    """As git's configuration files say; conditional includes (`includeIf`) are not followed."""
    values = dict(pair for file in _config_files(repository) for pair in _read_config(file, 0))
    named = values.get("core.excludesfile")
    if named is None:
        excludes: Path | None = _xdg() / "git/ignore"
    else:
        excludes = repository.root / os.path.expanduser(named) if named else None
    return IgnoreSettings(excludes, fold=values.get("core.ignorecase", "").lower() in ("true", "yes", "on", "1"))


def _xdg() -> Path:
    return Path(os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config"))


def _config_files(repository: Repository) -> list[Path]:
    """From the weakest to the strongest."""
    system = Path(os.environ.get("GIT_CONFIG_SYSTEM", "/etc/gitconfig"))
    own = os.environ.get("GIT_CONFIG_GLOBAL")
    user = [Path(own)] if own is not None else [_xdg() / "git/config", Path(os.path.expanduser("~/.gitconfig"))]
    first = [] if os.environ.get("GIT_CONFIG_NOSYSTEM") else [system]
    return [*first, *user, repository.common_dir / "config", repository.git_dir / "config.worktree"]


def _read_config(file: Path, depth: int) -> Iterator[tuple[str, str]]:
    """Each setting of a file and of what it includes, in their order: `section.key` in small letters, and the value."""
    try:
        text = file.read_text(errors="surrogateescape")
    except OSError:
        return
    section = ""
    for line in re.sub(r"\\\r?\n", "", text).splitlines():
        head = _SECTION.match(line.lstrip())
        if head:
            section = head[1].lower() + (f".{head[2]}" if head[2] is not None else "")
            line = line.lstrip()[head.end() :]
        found = _KEY.match(line)
        if not found:
            continue
        key, value = f"{section}.{found[1].lower()}", "true" if found[2] is None else _value(found[2])
        if key == "include.path" and depth < _DEEPEST:
            yield from _read_config(file.parent / os.path.expanduser(value), depth + 1)
        yield key, value


def _value(text: str) -> str:
    parts: list[str] = []
    quoted = False
    for piece in _PIECE.finditer(text.strip()):
        escaped, comment, plain = piece.groups()
        if comment and not quoted:
            return "".join(parts).rstrip()
        if escaped is None and comment is None and plain is None:
            quoted = not quoted
            continue
        parts.append(_ESCAPES.get(escaped, escaped) if escaped else comment or plain)
    return "".join(parts)
