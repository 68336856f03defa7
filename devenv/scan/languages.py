"""What a project's own files say about a service: its language, whether a save needs a restart, how it is tested."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from devenv.scan.project import Project, join

_BY_FILE = (
    ("go.mod", "go"), ("pom.xml", "java"), ("build.gradle", "java"), ("build.gradle.kts", "java"),
    ("cargo.toml", "rust"), ("manage.py", "python"), ("pyproject.toml", "python"), ("requirements.txt", "python"),
    ("setup.py", "python"), ("pipfile", "python"), ("gemfile", "ruby"), ("composer.json", "php"),
    ("package.json", "node"),
)  # fmt: skip
_BY_ENDING = {
    ".py": "python", ".go": "go", ".java": "java", ".kt": "java", ".rs": "rust", ".cs": "dotnet", ".rb": "ruby",
    ".php": "php", ".js": "node", ".ts": "node", ".mjs": "node",
}  # fmt: skip
_BY_BASE = {
    "python": "python", "node": "node", "golang": "go", "ruby": "ruby", "php": "php", "rust": "rust", "maven": "java",
    "gradle": "java", "openjdk": "java", "eclipse-temurin": "java", "amazoncorretto": "java",
}  # fmt: skip
COMPILED = ("go", "java", "rust", "dotnet")
LIBRARIES = ("requirements", "pyproject.toml", "package.json", "go.mod", "pom.xml", "build.gradle", "pipfile", "setup")
"""Beginnings of the names of files that list libraries."""

_RELOADS_ITSELF = re.compile(
    r"--reload|\brunserver\b(?!.*--noreload)|--debug\b|\bnodemon\b|\bvite\b|next dev|nuxt dev|webpack[- ](dev-)?serve"
    r"|ts-node-dev|tsx watch|node --watch|\bair\b|watchmedo|react-scripts start|ng serve|\bwatchfiles\b|rails s"
)
_BUILT = re.compile(r"(^|[ /])(dist|build|lib)/|\.jar\b|next start|serve -s")
_NPM_RUN = re.compile(r"\b(?:npm|yarn|pnpm)(?: run)? ([\w:.-]+)")


@dataclass(frozen=True, slots=True)
class Reload:
    """What a save needs, and why."""

    kind: str
    why: str


@dataclass(frozen=True, slots=True)
class Test:
    """A test command with its reports, and why it is proposed."""

    command: tuple[str, ...]
    reports: tuple[str, ...]
    why: str

    __test__ = False


def language_of(project: Project, folder: str, base: str = "") -> str:
    """The language of the code in a folder: by the files that name libraries, the base image, or most endings."""
    names = {posixpath.basename(path).lower(): path for path in project.below(folder) if _is_in(path, folder)}
    found = next((language for name, language in _BY_FILE if name in names), "")
    if found:
        return found
    image = base.rpartition("/")[2].partition(":")[0]
    if image in _BY_BASE:
        return _BY_BASE[image]
    endings = [_BY_ENDING[end] for path in project.below(folder) if (end := posixpath.splitext(path)[1]) in _BY_ENDING]
    return max(set(endings), key=lambda language: (endings.count(language), language)) if endings else ""


def _is_in(path: str, folder: str) -> bool:
    return (posixpath.dirname(path) or ".") == (folder or ".")


def reload_of(project: Project, folder: str, language: str, program: Sequence[str]) -> Reload:
    """What a save in a service's sources needs."""
    started = resolve_scripts(project, folder, " ".join(program))
    own = _RELOADS_ITSELF.search(started)
    if own:
        return Reload("none", f"{own[0].strip()} reloads by itself")
    if language in COMPILED or (language == "node" and _BUILT.search(started)):
        return Reload("rebuild", "the image holds what was built from it")
    if language == "php":
        return Reload("none", "PHP reads its files at each request")
    return Reload("restart", f"{language} reads its files at start" if language else "")


def resolve_scripts(project: Project, folder: str, started: str) -> str:
    """A command line with the package.json scripts that it runs behind it."""
    scripts = package_scripts(project, folder)
    named = _NPM_RUN.search(started)
    return f"{started} {scripts.get(named[1], '')}" if named else started


def package_scripts(project: Project, folder: str) -> dict[str, str]:
    """The scripts of a folder's package.json."""
    found = _package(project, folder).get("scripts")
    return {str(name): str(script) for name, script in found.items()} if isinstance(found, dict) else {}


def _package(project: Project, folder: str) -> dict[str, Any]:
    try:
        found = json.loads(project.texts.get(join(folder, "package.json"), "{}"))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def libraries(project: Project, folder: str) -> dict[str, str]:
    """The texts of the files in a folder that list libraries, by path."""
    named = (path for path in project.below(folder) if _is_in(path, folder) and path in project.texts)
    return {path: project.texts[path] for path in named if posixpath.basename(path).lower().startswith(LIBRARIES)}


def test_of(project: Project, folder: str, language: str, base: str) -> Test | None:
    """How a service is tested, where its image can do it."""
    if language == "python":
        return _python_test(project, folder)
    script = package_scripts(project, folder).get("test", "")
    if language == "node" and script and "no test specified" not in script:
        return Test(("npm", "test"), (), f"scripts.test in {join(folder, 'package.json')}")
    image = base.rpartition("/")[2].partition(":")[0]
    if language == "go" and image == "golang":
        return Test(("go", "test", "./..."), (), "the image has Go")
    if language == "java" and image == "maven":
        return Test(("mvn", "-q", "test"), (), "the image has Maven")
    return None


def _python_test(project: Project, folder: str) -> Test | None:
    for path, text in libraries(project, folder).items():
        if re.search(r"\bpytest\b", text):
            reports = ("/tmp/junit.xml",)
            # `python -m` puts the working folder on the path, which is where the sources are.
            command = ("python", "-m", "pytest", "-q", f"--junitxml={reports[0]}")
            return Test(command, reports, f"pytest in {path}")
    if join(folder, "manage.py") in project.paths:
        return Test(("python", "manage.py", "test"), (), f"{join(folder, 'manage.py')} is Django's")
    return None


def port_of(program: Sequence[str], variables: dict[str, str]) -> tuple[int, str]:
    """The port that a command line or the variable PORT tells, and why; 0 where none does."""
    started = " ".join(program)
    for pattern in (
        r"(?:--port|-p|--bind|-b|--listen|-l|--host)[ =](?:[\w.:\[\]]*:)?(\d{2,5})\b",
        r"runserver (?:[\w.]+:)?(\d{2,5})\b",
    ):
        match = re.search(pattern, started)
        if match:
            return int(match[1]), f"{match[0]} in its command"
    if variables.get("PORT", "").isdecimal():
        return int(variables["PORT"]), "the variable PORT"
    return (8000, "Django's runserver") if re.search(r"\brunserver\b", started) else (0, "")


def is_worker(program: Sequence[str]) -> bool:
    """Whether a command line is one of a program that listens to nobody."""
    return re.search(r"\bcelery\b|\bworker\b|\brq\b|sidekiq|dramatiq|queue:work|\bbeat\b|cron|consumer",
                     " ".join(program)) is not None  # fmt: skip
