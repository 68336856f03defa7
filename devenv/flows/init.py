"""`devenv init`: a project's files become a proposal, and on a yes devenv.yaml and a profile."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from devenv import problems
from devenv.config.load import load, name_of
from devenv.config.schema import NAME
from devenv.errors import ConfigError, DevenvError, Refused, UsageError
from devenv.flows.init_manifests import with_manifests
from devenv.ports import ProjectFiles
from devenv.scan.choices import with_dependencies, with_ports
from devenv.scan.compose import compose_proposal
from devenv.scan.compose_files import Compose, find_compose, read_compose
from devenv.scan.folders import folders_proposal
from devenv.scan.kinds import KINDS
from devenv.scan.project import Project
from devenv.scan.proposal import Note, Proposal, gather
from devenv.scan.write import write
from devenv.scan.yamltext import Unreadable

IGNORED = ("devenv.local.yaml", ".devenv/")
_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class InitRequest:
    """What is asked for: the folder, a compose file in it (""), and what the command line knows better.

    `schemas` are JSON Schemas by the path of the file that names one.
    """

    root: Path
    compose: str = ""
    name: str = ""
    services: Mapping[str, str] = field(default_factory=dict)
    ports: Mapping[str, Sequence[int]] = field(default_factory=dict)
    dependencies: Mapping[str, str] = field(default_factory=dict)
    schemas: Mapping[str, str] = field(default_factory=dict)
    dry_run: bool = False
    overwrite: bool = False


@dataclass(frozen=True, slots=True)
class InitResult:
    """What `devenv init` proposes: texts by path, what was written of it, and one line for each thing left out."""

    name: str
    files: Mapping[str, str]
    written: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answers:
    """Who answers: `port` the ports of a service (None: nobody), `show` shows texts and notes, `confirm` says yes."""

    port: Callable[[str], Sequence[int] | None]
    show: Callable[[Mapping[str, str], Sequence[str]], None]
    confirm: Callable[[str], bool]


def init(request: InitRequest, files: ProjectFiles, answers: Answers) -> InitResult:
    """Propose, ask what can't be known, show, and write on a yes.

    Raises UsageError init-option; ConfigError init-nothing, compose-invalid; Refused unconfirmed, init-exists,
    write-failed. Before the last yes nothing is written.
    """
    project = files.read(request.root)
    proposal = propose(request, project, files)
    asked = {} if request.dry_run else {name: answers.port(name) for name in proposal.portless}
    given = {name: ports for name, ports in asked.items() if ports is not None}
    proposal = _with_port_notes(with_ports(proposal, given))
    texts = write(proposal, schemas=request.schemas)
    notes = tuple(str(note) for note in proposal.notes)
    known = {path: project.texts.get(path) for path in texts}
    changes = {path: text for path, text in texts.items() if known[path] != text}
    answers.show({path: _shown(path, known[path], text) for path, text in changes.items()}, notes)
    result = InitResult(proposal.name, texts, (), notes)
    if request.dry_run:
        return result
    written = _write(request, files, answers, changes, known)
    return replace(result, written=(*written, *_ignore(request, project, files, answers)))


def propose(request: InitRequest, project: Project, files: ProjectFiles) -> Proposal:
    """The proposal of a project's files and of what the command line says."""
    name = request.name or name_of(request.root)
    source = request.compose or ("" if request.services else find_compose(project))
    if source:
        project, compose = _read_compose(project, source, request.root, files)
        proposal = compose_proposal(project, compose, name)
    else:
        proposal = folders_proposal(project, name, request.services)
    if not proposal.services and not proposal.dependencies:
        raise ConfigError(problems.INIT_NOTHING, folder=request.root)
    _check(request, proposal)
    proposal = with_manifests(proposal, project)
    proposal = replace(proposal, name=request.name or proposal.name, notes=gather(proposal.notes))
    return with_dependencies(with_ports(proposal, request.ports), request.dependencies)


def _read_compose(project: Project, source: str, root: Path, files: ProjectFiles) -> tuple[Project, Compose]:
    """The compose file, read again as long as it names files that were not read yet."""
    for _ in range(_ROUNDS):
        try:
            compose = read_compose(project, source)
            compose_proposal(project, compose, "x")
        except Unreadable as error:
            raise ConfigError(problems.COMPOSE_INVALID, file=source, line=error.line, reason=error.reason) from error
        texts = {path: files.read_text(root / path) for path in compose.missing - set(project.texts)}
        found = {path: text for path, text in texts.items() if text is not None}
        if source in compose.missing and source not in found:
            raise ConfigError(problems.COMPOSE_INVALID, file=source, line=1, reason="there is no such file")
        if not found:
            break
        project = replace(project, texts={**project.texts, **found}, paths=project.paths | set(found))
    return project, read_compose(project, source)


def _check(request: InitRequest, proposal: Proposal) -> None:
    import re

    known = [service.name for service in proposal.services]
    for service in request.ports:
        if service not in known:
            reason = f"services are {', '.join(known) or 'none'}"
            raise UsageError(
                problems.INIT_OPTION, option="--port", given=service, reason=reason, form="--port web=8000"
            )
    for name, image in request.dependencies.items():
        kinds = [kind.name for kind in KINDS]
        if name in known or (not image and name not in kinds):
            reason = "a service has that name" if name in known else f"known without an image: {', '.join(kinds)}"
            form = "--dependency postgres, or --dependency search=opensearch:2"
            raise UsageError(problems.INIT_OPTION, option="--dependency", given=name, reason=reason, form=form)
    for option, name in (("--name", request.name), *(("--service", name) for name in request.services)):
        if name and not re.fullmatch(NAME, name):
            reason = "a name has lowercase letters, digits and dashes"
            raise UsageError(problems.INIT_OPTION, option=option, given=name, reason=reason, form=f"{option} shop")


def _with_port_notes(proposal: Proposal) -> Proposal:
    text = "nothing says which port it listens on, so nobody reaches it: devenv init --port {0}=8000, or ports: in it"
    notes = [Note("", f"{name}: {text.format(name)}") for name in proposal.portless]
    return replace(proposal, notes=(*proposal.notes, *notes))


def _shown(path: str, known: str | None, text: str) -> str:
    """A new file as it is, one that is there as what would change."""
    if known is None:
        return text
    lines = difflib.unified_diff(known.splitlines(), text.splitlines(), f"{path} (there)", f"{path} (new)", lineterm="")
    return "\n".join(lines) + "\n"


def _write(
    request: InitRequest,
    files: ProjectFiles,
    answers: Answers,
    changes: Mapping[str, str],
    known: Mapping[str, str | None],
) -> tuple[str, ...]:
    if not changes:
        return ()
    replaced = [path for path in changes if known[path] is not None]
    what = f"replace {' and '.join(replaced)}" if replaced else f"write {' and '.join(changes)}"
    if not answers.confirm(what):
        raise Refused(problems.UNCONFIRMED, action=what)
    files.write({request.root / path: text for path, text in changes.items()})
    return tuple(changes)


def _ignore(request: InitRequest, project: Project, files: ProjectFiles, answers: Answers) -> tuple[str, ...]:
    """Add what is personal to .gitignore, where the project is in git and a yes is given."""
    text = project.texts.get(".gitignore", "")
    missing = [line for line in IGNORED if line not in text.splitlines()]
    if not missing or (".gitignore" not in project.texts and ".git" not in project.folders):
        return ()
    if not answers.confirm(f"add {' and '.join(missing)} to .gitignore"):
        return ()
    ended = text if not text or text.endswith("\n") else f"{text}\n"
    files.write({request.root / ".gitignore": ended + "\n".join(missing) + "\n"})
    return (".gitignore",)


def faults_of(root: Path) -> list[str]:
    """What is wrong with the files that are there now; nothing, where all is well."""
    try:
        load(root / "devenv.yaml", start=root)
    except DevenvError as error:
        return list(error.details) or [error.message]
    return []
