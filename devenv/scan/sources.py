"""Sources of a service and their way into its image: sync rules, and why."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from devenv.config.system_folders import is_system
from devenv.scan.dockerfile import Copy, Stage, read_dockerfile
from devenv.scan.languages import LIBRARIES, language_of, reload_of
from devenv.scan.project import Project, join
from devenv.scan.proposal import Build, Note, Rule

_MOST_FILES = 10


@dataclass(frozen=True, slots=True)
class Image:
    """An image that is built here: its Dockerfile's path, the stage that is built, and the language of its sources."""

    build: Build
    file: str
    stage: Stage
    language: str


def image_of(project: Project, build: Build) -> Image:
    """What is known of a build; without a Dockerfile to read, an image of which nothing is known."""
    file = join(build.context, build.dockerfile or "Dockerfile")
    stage = read_dockerfile(project.texts.get(file, ""), build.target) or Stage("", "", 1)
    return Image(build, file, stage, language_of(project, build.context, stage.base))


def ports_of(image: Image) -> list[tuple[int, str]]:
    """The ports that an image exposes, with the line that says so."""
    return [(port, f"EXPOSE in {image.file}:{line}") for port, line in image.stage.ports]


def copy_rules(project: Project, image: Image, program: tuple[str, ...], notes: list[Note]) -> tuple[Rule, ...]:
    """A sync rule for each COPY of sources into the image that is run."""
    rules: dict[str, Rule] = {}
    reload = reload_of(project, image.build.context, image.language, program or image.stage.program)
    for copy in image.stage.copies:
        for source, to in _pairs(project, image, copy):
            why = f"COPY in {image.file}:{copy.line}" + (f"; {reload.why}" if reload.why else "")
            rule = Rule(source, to, reload.kind, why)
            if is_writable(project, image, rule) or copy.owned:
                rules[to] = rule
            else:
                user = image.stage.user
                text = f"{to} belongs to root and the image runs as {user}, so it is not synced: add --chown={user}"
                notes.append(Note(f"{image.file}:{copy.line}", text))
    return tuple(rule for rule in rules.values() if not _is_covered(rule, rules.values()))


def is_writable(project: Project, image: Image, rule: Rule) -> bool:
    """Whether sync can write there: as root anywhere, else where the folder becomes a volume of the pod."""
    return image.stage.is_root or not goes_into_system(project, rule)


def goes_into_system(project: Project, rule: Rule) -> bool:
    """Whether a rule's files go right into a system folder, such as /etc."""
    whole = rule.to.endswith("/") or project.is_folder(rule.source)
    return is_system(rule.to.rstrip("/") or "/" if whole else posixpath.dirname(rule.to))


def _pairs(project: Project, image: Image, copy: Copy) -> Iterator[tuple[str, str]]:
    for written in copy.sources:
        found = join(image.build.context, written.lstrip("/"))
        if found.startswith("..") or posixpath.isabs(found):
            continue
        if project.is_folder(found):
            yield found, copy.to.rstrip("/") or "/"
            continue
        for path in _matching(project, found):
            if not posixpath.basename(path).lower().startswith((*LIBRARIES, "package-lock", "yarn.lock", "go.sum")):
                yield path, copy.to


def _matching(project: Project, pattern: str) -> list[str]:
    if not any(character in pattern for character in "*?["):
        return [pattern] if pattern in project.paths else []
    found = [path for path in sorted(project.paths) if fnmatchcase(path, pattern)]
    return found if len(found) <= _MOST_FILES else []


def _is_covered(rule: Rule, others: Iterable[Rule]) -> bool:
    """Whether another rule brings the same files to the same place."""
    for other in others:
        below = other.source == "." or rule.source.startswith(f"{other.source}/")
        if other is rule or not below or rule.source == other.source:
            continue
        inner = posixpath.relpath(rule.source, other.source)
        target = posixpath.join(rule.to, posixpath.basename(rule.source)) if rule.to.endswith("/") else rule.to
        if posixpath.join(other.to, inner) == posixpath.normpath(target):
            return True
    return False
