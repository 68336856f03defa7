"""A project without a compose file: each Dockerfile is a service, and variables tell what it needs."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import replace

from devenv.scan.dependencies import by_hints
from devenv.scan.dockerfile import read_dockerfile
from devenv.scan.dotenv import Variable, as_map, looks_secret, read_variables
from devenv.scan.hosts import Hint, find_hints, find_hosts, to_dependency
from devenv.scan.languages import is_worker, libraries, port_of, test_of
from devenv.scan.names import clean_name, name_ports
from devenv.scan.project import Project, join, relative
from devenv.scan.proposal import Build, Dependency, Note, Proposal, Service, gather
from devenv.scan.sources import Image, copy_rules, image_of, ports_of

_ASIDE = frozenset({"test", "tests", "testdata", "example", "examples", "docs", "fixtures", ".devcontainer", ".github"})
_HOUSES = frozenset({"docker", ".docker", "deploy", "deployment", "ci", "infra", "ops", "container"})
_SAMPLES = (".env.example", ".env.sample", ".env.template", ".env.dist", "env.example", ".env.development")


def folders_proposal(project: Project, name: str, given: Mapping[str, str]) -> Proposal:
    """What the Dockerfiles of a project become; `given` are services by name with a folder or Dockerfile each."""
    notes: list[Note] = []
    builds = {key: _given_build(project, path) for key, path in given.items()}
    if not builds:
        builds = find_builds(project, name)
    found = [_service(project, key, build, notes, alone=len(builds) == 1) for key, build in builds.items()]
    hints = [hint for _, _, hints in found for hint in hints]
    names, dependencies = _dependencies(hints, {service.name for service, _, _ in found}, notes)
    services = tuple(_linked(service, variables, names, own) for service, variables, own in found)
    _tell_unknown_hosts(services, {dependency.name for dependency in dependencies}, notes)
    sources = tuple(dict.fromkeys(image_of(project, build).file for build in builds.values()))
    return Proposal(clean_name(name), services, tuple(dependencies), gather(notes), sources)


def _given_build(project: Project, path: str) -> Build:
    path = join("", path)
    return _build_of(project, path) if path in project.paths else Build(path)


def find_builds(project: Project, name: str) -> dict[str, Build]:
    """A build for each folder with a Dockerfile, by the service's name."""
    chosen: dict[str, str] = {}
    for path in sorted(project.paths, key=_preference):
        folder = posixpath.dirname(path)
        if is_dockerfile(path) and not _ASIDE & set(path.split("/")[:-1]):
            chosen.setdefault(folder, path)
    builds: dict[str, Build] = {}
    for folder, path in sorted(chosen.items()):
        build = _build_of(project, path)
        base = posixpath.basename(folder)
        named = name if build.context == "." and (not folder or base.lower() in _HOUSES) else base
        builds[clean_name(named, taken=builds)] = build
    return builds


def is_dockerfile(path: str) -> bool:
    """Whether a file is a Dockerfile by its name."""
    name = posixpath.basename(path).lower()
    return name in ("dockerfile", "containerfile") or (
        name.startswith("dockerfile.") and not name.endswith((".dockerignore", ".md", ".j2", ".tmpl"))
    )


def _preference(path: str) -> tuple[int, str]:
    name = posixpath.basename(path).lower()
    return (0 if name in ("dockerfile", "containerfile") else 1 if "dev" in name else 2), path


def _build_of(project: Project, path: str) -> Build:
    """The context from which all that COPY names is there: the Dockerfile's own folder, else the project's."""
    folder = posixpath.dirname(path) or "."
    stage = read_dockerfile(project.texts.get(path, ""))
    sources = [source for copy in (stage.copies if stage else ()) for source in copy.sources if "*" not in source]
    there = sum(project.has(join(folder, source)) for source in sources)
    context = "." if there < sum(project.has(join(".", source)) for source in sources) else folder
    inner = relative(path, context)
    return Build(context, "" if inner == "Dockerfile" else inner)


def _service(
    project: Project, name: str, build: Build, notes: list[Note], *, alone: bool
) -> tuple[Service, list[Variable], list[Hint]]:
    image = image_of(project, build)
    variables = _variables(project, build.context, notes, alone=alone)
    texts = "\n".join(libraries(project, build.context).values())
    hints = find_hints(variables, drivers=texts)
    ports, why = _ports(image, variables)
    test = test_of(project, build.context, image.language, image.stage.base)
    service = Service(
        name,
        build=build,
        ports=ports,
        sync=copy_rules(project, image, image.stage.program, notes),
        test=test.command if test else (),
        reports=test.reports if test else (),
        why={**({"ports": why} if why else {}), **({"test": test.why} if test else {})},
    )
    return service, variables, hints


def _ports(image: Image, variables: Sequence[Variable]) -> tuple[dict[str, int], str]:
    exposed = ports_of(image)
    if exposed:
        return name_ports(port for port, _ in exposed), exposed[0][1]
    if is_worker(image.stage.program):
        return {}, "a worker listens on no port"
    port, why = port_of(image.stage.program, {**image.stage.variables, **as_map(variables)})
    return (name_ports([port]), why) if port else ({}, "")


def _variables(project: Project, folder: str, notes: list[Note], *, alone: bool) -> list[Variable]:
    """The variables of a service: the sample beside it, then its .env without what is secret there."""
    for place in dict.fromkeys((folder, "." if alone else folder)):
        sample = next((path for name in _SAMPLES if (path := join(place, name)) in project.texts), "")
        own = join(place, ".env")
        if sample or own in project.texts:
            found = {v.name: v for v in read_variables(project.texts.get(sample, ""), sample)}
            for variable in read_variables(project.texts.get(own, ""), own):
                if _is_public(variable):
                    found[variable.name] = variable
                elif variable.name not in found or not found[variable.name].value:
                    found.pop(variable.name, None)
                    text = f"{variable.name} looks secret, so its value is not written down: put a local one under env"
                    notes.append(Note(variable.place, text))
            return list(found.values())
    return []


def _is_public(variable: Variable) -> bool:
    hosts = [host for host, _ in find_hosts(variable.value)]
    if any("." in host and not host.replace(".", "").isdigit() for host in hosts):
        return "@" not in variable.value
    hints = find_hints([variable])
    return bool(hints) or not looks_secret(variable.name) or len(variable.value) < 2


def _dependencies(
    hints: Sequence[Hint], services: set[str], notes: list[Note]
) -> tuple[dict[tuple[str, str], str], list[Dependency]]:
    """The dependencies that the hints name; and the name of each by kind and host."""
    names: dict[tuple[str, str], str] = {}
    grouped: dict[str, list[Hint]] = {}
    for hint in hints:
        if not hint.is_local and ("." in hint.host or hint.host in services):
            text = f"{hint.variable.name} names {hint.host}, which is outside, so its value stays as it is"
            notes.append(Note(hint.variable.place, text))
            continue
        wanted = hint.kind.name if hint.is_local else clean_name(hint.host)
        name = f"{wanted}-db" if wanted in services else wanted
        names[hint.kind.name, hint.host] = name
        grouped.setdefault(name, []).append(hint)
    return names, [by_hints(name, group) for name, group in grouped.items()]


def _linked(
    service: Service, variables: Sequence[Variable], names: Mapping[tuple[str, str], str], hints: Sequence[Hint]
) -> Service:
    """The service with its variables, which name dependencies instead of this machine, and its needs."""
    env = as_map(variables)
    needs = []
    for hint in hints:
        name = names.get((hint.kind.name, hint.host))
        if name is None:
            continue
        needs.append(name)
        variable = hint.variable.name
        if hint.is_local:
            env[variable] = to_dependency(env[variable], name, hint.kind.port)
            port = f"{variable.rpartition('_')[0]}_PORT"
            if env.get(port, "").isdecimal():
                env[port] = str(hint.kind.port)
    return replace(service, env=env, needs=tuple(dict.fromkeys(needs)))


def _tell_unknown_hosts(services: Sequence[Service], dependencies: set[str], notes: list[Note]) -> None:
    known = dependencies | {service.name for service in services}
    for service in services:
        for variable, value in service.env.items():
            for host, _ in find_hosts(value):
                if "." not in host and host not in known:
                    text = f"{service.name}: {variable} names {host}, which nothing here provides: add a dependency"
                    notes.append(Note("", f"{text} (devenv init --dependency {host}=IMAGE, or a stub in the profile)"))
