"""A compose file as a proposal: what is built becomes services, the rest dependencies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from devenv.config.checks import find_circles
from devenv.scan.compose_env import named_files
from devenv.scan.compose_files import Compose
from devenv.scan.compose_keys import top_advice
from devenv.scan.compose_parts import dependency_of, service_of
from devenv.scan.compose_service import ComposeService, read_service
from devenv.scan.dotenv import Variable
from devenv.scan.hosts import find_hosts, rename_hosts
from devenv.scan.kinds import repository_of
from devenv.scan.languages import language_of
from devenv.scan.names import clean_name
from devenv.scan.project import Project
from devenv.scan.proposal import Dependency, Note, Proposal, Service, gather
from devenv.scan.yamltext import place_of, text_at

_LANGUAGES = ("python", "node", "golang", "ruby", "php", "rust", "openjdk", "eclipse-temurin", "maven", "gradle", "bun")


def compose_proposal(project: Project, compose: Compose, name: str) -> Proposal:
    """What a compose file becomes; `name` is that of the environment where the file has none."""
    notes = list(compose.notes)
    found = [read_service(key, tree, place_of(o), compose, project) for key, (o, tree) in compose.services.items()]
    kept = [service for service in found if _is_kept(service, found, notes)]
    names = _names(kept, notes)
    renamed = [_renamed(service, names, named_files(service, names, project)) for service in kept]
    ports = _ports_by_host(renamed)
    services: list[Service] = []
    dependencies: list[Dependency] = []
    for service in renamed:
        if _is_edited(service, project):
            services.append(service_of(service, project, ports.get(service.name, []), notes))
        else:
            dependencies.append(dependency_of(service, project, ports.get(service.name, []), notes))
        notes += service.notes
    notes += [*_shared_volumes(renamed), *_top_notes(compose)]
    provided = {dependency.name for dependency in dependencies}
    everything = provided | {service.name for service in services}
    linked = _without_circles([_with_needs(service, everything, provided) for service in _tested_once(services)], notes)
    given = text_at(compose.top["name"][1]) if "name" in compose.top else ""
    sources = tuple(file for file in compose.files if file in project.texts)
    return Proposal(clean_name(given or name), linked, tuple(dependencies), gather(notes), sources)


def _is_kept(service: ComposeService, all_of_them: list[ComposeService], notes: list[Note]) -> bool:
    waited = any(other.needs.get(service.name, ("",))[0] == "service_completed_successfully" for other in all_of_them)
    if waited or (service.once and not service.ports):
        text = "runs once and ends, which a service does not: run its command after devenv up, or at a service's start"
    elif service.profiles and service.build:
        text = (
            f"is off unless the profile {', '.join(service.profiles)} is chosen, so it is left out: write it in later"
        )
    elif not service.build and not service.image:
        text = "has neither image nor build, so it is left out"
    else:
        return True
    notes.append(Note(service.place, f"{service.name} {text}"))
    return False


def _names(services: list[ComposeService], notes: list[Note]) -> dict[str, str]:
    """The name of each service by all the names that it goes by in the file."""
    names: dict[str, str] = {}
    for service in services:
        clean = clean_name(service.name, taken=set(names.values()))
        names[service.name] = clean
        if clean != service.name:
            text = f"{service.name} is called {clean}, as a Service must be; values that name it were rewritten"
            notes.append(Note(service.place, text))
    for service in services:
        for alias in service.aliases:
            names.setdefault(alias, names[service.name])
    return names


def _renamed(service: ComposeService, names: Mapping[str, str], env_files: tuple[str, ...]) -> ComposeService:
    def words(command: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return None if command is None else tuple(rename_hosts(word, names) for word in command)

    build = service.build
    if build:
        build = replace(build, args={key: rename_hosts(value, names) for key, value in build.args.items()})
    return replace(
        service,
        name=names[service.name],
        build=build,
        env_files=env_files,
        command=words(service.command),
        entrypoint=words(service.entrypoint),
        variables=[Variable(v.name, rename_hosts(v.value, names), v.place) for v in service.variables],
        needs={names[need]: how for need, how in service.needs.items() if need in names},
    )


def _ports_by_host(services: list[ComposeService]) -> dict[str, list[int]]:
    """The ports under which services name each other."""
    found: dict[str, list[int]] = {}
    for service in services:
        for value in (*(variable.value for variable in service.variables), *(service.command or ())):
            for host, port in find_hosts(value):
                if port and port not in found.setdefault(host, []):
                    found[host].append(port)
    return found


def _is_edited(service: ComposeService, project: Project) -> bool:
    """Whether somebody edits it: it is built here, or runs mounted sources in an image of a language."""
    if service.build:
        return True
    mounted = [mount.source for mount in service.mounts if mount.kind == "bind" and project.is_folder(mount.source)]
    return repository_of(service.image) in _LANGUAGES and any(language_of(project, source) for source in mounted)


def _tested_once(services: list[Service]) -> list[Service]:
    """The services, those that share a build with an earlier one without its tests."""
    contexts = [service.build.context if service.build else "" for service in services]
    return [
        replace(service, test=(), reports=()) if context in contexts[:index] else service
        for index, (service, context) in enumerate(zip(services, contexts, strict=True))
    ]


def _with_needs(service: Service, everything: set[str], provided: set[str]) -> Service:
    """The service with what it waits for: what is written, and the dependencies that its values name."""
    values = service.values.values()
    named = [host for value in values for host, _ in find_hosts(value)]
    named += [value for value in values if value in provided]
    wanted = [*(need for need in service.needs if need in everything), *(host for host in named if host in provided)]
    return replace(service, needs=tuple(dict.fromkeys(need for need in wanted if need != service.name)))


def _without_circles(services: list[Service], notes: list[Note]) -> tuple[Service, ...]:
    """The services without the needs that close a circle, which Compose would refuse too."""
    while circles := find_circles({service.name: service.needs for service in services}):
        *_, name, need = circles[0]
        notes.append(Note("", f"{name} can't wait for {need}, which waits for it: that need is left out"))
        services = [
            replace(service, needs=tuple(other for other in service.needs if other != need))
            if service.name == name
            else service
            for service in services
        ]
    return tuple(services)


def _shared_volumes(services: list[ComposeService]) -> list[Note]:
    users: dict[str, dict[str, str]] = {}
    for service in services:
        for mount in service.mounts:
            if mount.kind == "volume" and mount.source:
                users.setdefault(mount.source, {})[service.name] = mount.place
    text = "each of {} has a volume {} of its own: what they share goes through a service"
    return [
        Note(list(places.values())[-1], text.format(", ".join(places), volume))
        for volume, places in users.items()
        if len(places) > 1
    ]


def _top_notes(compose: Compose) -> list[Note]:
    notes = []
    for key, (origin, value) in compose.top.items():
        text = top_advice(key, value)
        if text:
            notes.append(Note(place_of(origin), text))
    return notes
