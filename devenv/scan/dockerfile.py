"""What a Dockerfile says about the image that a stage of it becomes."""

from __future__ import annotations

import json
import posixpath
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

_HEREDOC = re.compile(r"<<-?\s*['\"]?(\w+)['\"]?")
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)(?:(:?[-+])([^}]*))?\})")


@dataclass(frozen=True, slots=True)
class Copy:
    """Paths of the context that are put into the image: sources as written, where to (absolute), and whose they are."""

    sources: tuple[str, ...]
    to: str
    line: int
    owned: bool = False


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage with all it inherits: what a container of it starts, where, as whom, and what was copied into it."""

    name: str
    base: str
    line: int
    workdir: str = "/"
    ports: tuple[tuple[int, int], ...] = ()
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    user: str = ""
    copies: tuple[Copy, ...] = ()
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def program(self) -> tuple[str, ...]:
        """What the container starts, as far as this file says it."""
        return self.entrypoint + self.command

    @property
    def is_root(self) -> bool:
        """Whether its programs run as root."""
        return self.user.partition(":")[0] in ("", "0", "root")


def read_dockerfile(text: str, target: str = "") -> Stage | None:
    """The stage that `target` names, else the last one; None where there is no such stage."""
    reader = _Reader()
    for line, word, rest in _instructions(text):
        reader.take(line, word, rest)
    stages = reader.stages
    if not target:
        return stages[-1] if stages else None
    return next((stage for stage in stages if stage.name.lower() == target.lower()), None)


def stage_names(text: str) -> tuple[str, ...]:
    """The names of the stages that have one."""
    reader = _Reader()
    for line, word, rest in _instructions(text):
        reader.take(line, word, rest)
    return tuple(stage.name for stage in reader.stages if stage.name)


def _instructions(text: str) -> Iterator[tuple[int, str, str]]:
    """Each instruction: its line, its word in capitals, the rest as one line; heredocs are passed over."""
    lines = list(enumerate(text.splitlines(), 1))
    while lines:
        number, line = lines.pop(0)
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        joined = line.strip()
        while joined.endswith(("\\", "`")) and lines:
            _, more = lines.pop(0)
            joined = joined if more.lstrip().startswith("#") else f"{joined[:-1].rstrip()} {more.strip()}"
        word, _, rest = joined.partition(" ")
        if word.upper() in ("RUN", "COPY", "ADD"):
            for end in _HEREDOC.findall(rest):
                while lines and lines.pop(0)[1].strip() != end:
                    pass
        yield number, word.upper(), rest.strip()


class _Reader:
    def __init__(self) -> None:
        self.stages: list[Stage] = []
        self._global: dict[str, str] = {}

    def take(self, line: int, word: str, rest: str) -> None:
        """One more instruction."""
        if word == "FROM":
            self._begin(line, rest)
        elif word == "ARG" and not self.stages:
            name, _, value = rest.partition("=")
            self._global[name.strip()] = _unquoted(value)
        elif self.stages:
            change = getattr(self, f"_{word.lower()}", None)
            if change:
                self.stages[-1] = change(self.stages[-1], line, rest)

    def _begin(self, line: int, rest: str) -> None:
        words = [word for word in rest.split() if not word.startswith("--")]
        base = _filled(words[0], self._global) if words else ""
        name = words[2] if len(words) > 2 and words[1].lower() == "as" else ""
        before = next((stage for stage in self.stages if stage.name and stage.name.lower() == base.lower()), None)
        inherited = replace(before, name=name, line=line) if before else Stage(name, base, line)
        self.stages.append(inherited)

    def _arg(self, stage: Stage, _line: int, rest: str) -> Stage:
        name, _, value = rest.partition("=")
        given = _unquoted(value) or self._global.get(name.strip(), "")
        return replace(stage, variables={**stage.variables, name.strip(): given})

    def _env(self, stage: Stage, _line: int, rest: str) -> Stage:
        words = _words(rest)
        if words and "=" not in words[0]:
            name, _, value = rest.partition(" ")
            pairs = {name: value.strip()}
        else:
            pairs = {key: value for key, equals, value in (word.partition("=") for word in words) if equals}
        filled = {key: _filled(value, stage.variables) for key, value in pairs.items()}
        return replace(stage, variables={**stage.variables, **filled})

    def _workdir(self, stage: Stage, _line: int, rest: str) -> Stage:
        return replace(stage, workdir=_inside(stage, _filled(_unquoted(rest), stage.variables)))

    def _user(self, stage: Stage, _line: int, rest: str) -> Stage:
        return replace(stage, user=_filled(rest, stage.variables))

    def _expose(self, stage: Stage, line: int, rest: str) -> Stage:
        found = []
        for word in _filled(rest, stage.variables).split():
            number, _, protocol = word.partition("/")
            if number.isdecimal() and protocol.lower() in ("", "tcp"):
                found.append((int(number), line))
        return replace(stage, ports=(*stage.ports, *found))

    def _cmd(self, stage: Stage, _line: int, rest: str) -> Stage:
        return replace(stage, command=_exec_form(rest))

    def _entrypoint(self, stage: Stage, _line: int, rest: str) -> Stage:
        # As Docker does it: a new entrypoint forgets the command that a stage below set.
        return replace(stage, entrypoint=_exec_form(rest), command=())

    def _copy(self, stage: Stage, line: int, rest: str) -> Stage:
        flags = [word for word in rest.split() if word.startswith("--")]
        if any(flag.startswith("--from") for flag in flags):
            return stage
        words = _copied(rest, flags)
        if len(words) < 2 or any(_HEREDOC.match(word) for word in words):
            return stage
        *sources, to = (_filled(word, stage.variables) for word in words)
        place = _inside(stage, to) + ("/" if to.endswith("/") or len(sources) > 1 or to == "." else "")
        owned = any(flag.startswith("--chown") for flag in flags)
        return replace(stage, copies=(*stage.copies, Copy(tuple(sources), place, line, owned)))

    _add = _copy


def _copied(rest: str, flags: list[str]) -> list[str]:
    listed = rest[rest.index("[") :] if "[" in rest and rest.rstrip().endswith("]") else ""
    if listed:
        try:
            return [str(word) for word in json.loads(listed)]
        except ValueError:
            pass
    return [word for word in _words(rest) if word not in flags]


def _inside(stage: Stage, path: str) -> str:
    return posixpath.normpath(posixpath.join(stage.workdir, path))


def _exec_form(rest: str) -> tuple[str, ...]:
    if rest.startswith("["):
        try:
            return tuple(str(word) for word in json.loads(rest))
        except ValueError:
            pass
    return ("/bin/sh", "-c", rest) if rest else ()


def _words(rest: str) -> list[str]:
    try:
        return shlex.split(rest)
    except ValueError:
        return rest.split()


def _unquoted(text: str) -> str:
    return text.strip().strip("\"'")


def _filled(text: str, variables: dict[str, str]) -> str:
    def one(match: re.Match[str]) -> str:
        given = variables.get(match[1] or match[2], "")
        if match[3] and match[3].endswith("-"):
            return given or match[4]
        return (match[4] if given else "") if match[3] else given

    return _VARIABLE.sub(one, text)
