"""One service of a compose file as a proposed service or dependency."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Sequence
from dataclasses import replace

from devenv.scan.compose_service import ComposeService, Mount
from devenv.scan.dependencies import ready_of, shipped_postgres, shipped_redis
from devenv.scan.dotenv import as_map
from devenv.scan.kinds import IMAGE_PORTS, Kind, kind_of_image, repository_of
from devenv.scan.languages import is_worker, language_of, port_of, reload_of, test_of
from devenv.scan.names import clean_name, name_ports
from devenv.scan.project import SKIPPED, Project
from devenv.scan.proposal import Build, Dependency, Note, Rule, Service
from devenv.scan.sources import Image, copy_rules, image_of, is_writable, ports_of

_DEBUGGERS = (5678, 9229, 5005, 2345)
_SEEDS = "/docker-entrypoint-initdb.d"
_MOST_FILES = 40


def service_of(found: ComposeService, project: Project, named: Sequence[int], notes: list[Note]) -> Service:
    """A service that is built here; `named` are the ports under which others name it."""
    image = image_of(project, found.build) if found.build else image_of(project, Build("."))
    if not found.build:
        image = replace(image, stage=replace(image.stage, base=found.image), file="")
        text = f"{found.name} runs mounted sources in {found.image}, and a pod starts without them: build an image"
        notes.append(Note(found.place, f"{text} (FROM {found.image}, COPY of the sources) and name it under build"))
    elif image.file not in project.texts:
        notes.append(Note(found.place, f"{found.name}: there is no {image.file}: write one before devenv up"))
    if found.ready:
        text = f"{found.name}: healthcheck.test is not carried over: it is ready once its first port is open"
        notes.append(Note(found.ready_place, text))
    command = _service_command(found, image)
    program = command or image.stage.program
    ports, why = _service_ports(found, image, named, program)
    folder = found.build.context if found.build else "."
    test = test_of(project, folder, image.language, image.stage.base)
    rules = _rules(found, project, image, program, notes)
    return Service(
        found.name,
        build=found.build,
        image="" if found.build else found.image,
        ports=ports,
        env=as_map(found.own_variables),
        env_file=found.env_files,
        from_files=as_map(found.from_files),
        command=command,
        limits=found.limits,
        volumes=_service_volumes(found, rules, notes),
        sync=rules,
        test=test.command if test else (),
        reports=test.reports if test else (),
        needs=tuple(found.needs),
        why={"ports": why, **({"test": test.why} if test else {})},
    )


def _service_command(found: ComposeService, image: Image) -> tuple[str, ...]:
    if found.entrypoint is None and found.command is None:
        command: tuple[str, ...] = ()
    elif found.entrypoint is not None:
        command = found.entrypoint + (found.command or ())
    else:
        command = image.stage.entrypoint + (found.command or ())
    if found.workdir and found.workdir != image.stage.workdir:
        program = command or image.stage.program
        if program:
            return ("sh", "-c", f'cd {found.workdir} && exec "$@"', "sh", *program)
    return command


def _service_ports(
    found: ComposeService, image: Image, named: Sequence[int], program: tuple[str, ...]
) -> tuple[dict[str, int], str]:
    """Ports by name, those of debuggers last as the first one tells readiness; and why."""
    ports = list(dict.fromkeys([*found.ports, *named]))
    why = f"ports in {found.ports_place}" if found.ports_place else "others name it by this port"
    if not ports and not is_worker(program):
        exposed = ports_of(image)
        ports, why = [port for port, _ in exposed], exposed[0][1] if exposed else "nothing says that it listens"
        guess, reason = port_of(program, as_map(found.variables))
        if not ports and guess:
            ports, why = [guess], reason
    ports.sort(key=lambda port: port in _DEBUGGERS)
    return name_ports(ports), why


def _rules(
    found: ComposeService, project: Project, image: Image, program: tuple[str, ...], notes: list[Note]
) -> tuple[Rule, ...]:
    rules: dict[str, Rule] = {}
    for mount in found.mounts:
        if mount.kind == "bind" and _is_there(mount, found, project):
            language = image.language or language_of(project, mount.source)
            reload = reload_of(project, image.build.context, language, program)
            why = f"volumes in {mount.place}" + (f"; {reload.why}" if reload.why else "")
            rules[mount.target] = Rule(mount.source, mount.target, reload.kind, why)
    for watch in found.watches:
        kind = {"sync": "none", "sync+restart": "restart"}.get(watch.action, "")
        if kind and watch.target and project.has(watch.path):
            rules.setdefault(watch.target, Rule(watch.path, watch.target, kind, f"develop.watch in {watch.place}"))
        elif watch.action != "rebuild":
            notes.append(Note(watch.place, f"{found.name}: the watch of {watch.path} is not carried over: see sync"))
    if any(not is_writable(project, image, rule) for rule in rules.values()):
        text = f"{found.name}: runs as {image.stage.user}, which can't write into system folders: these are not synced"
        notes.append(Note(found.place, f"{text}: put the sources into a folder of their own in {image.file}"))
        rules = {to: rule for to, rule in rules.items() if is_writable(project, image, rule)}
    return tuple(rules.values()) or (copy_rules(project, image, program, notes) if found.build else ())


def _is_there(mount: Mount, found: ComposeService, project: Project) -> bool:
    if mount.source.startswith("..") or project.has(mount.source):
        return True
    found.notes.append(Note(mount.place, f"{found.name}: there is no {mount.source}, so it is not mounted"))
    return False


def _service_volumes(found: ComposeService, rules: tuple[Rule, ...], notes: list[Note]) -> dict[str, str]:
    volumes: dict[str, str] = {}
    for mount in {mount.target: mount for mount in found.mounts}.values():
        if mount.kind == "volume" and mount.source and not _hides(mount.target, rules):
            volumes[clean_name(posixpath.basename(mount.source) or "data", taken=volumes)] = mount.target
        elif mount.kind != "bind":
            notes.append(Note(mount.place, f"{found.name}: {_no_volume(mount)}"))
    return volumes


def _hides(target: str, rules: tuple[Rule, ...]) -> bool:
    """Whether an empty volume there would hide what is synced, or libraries that the image has below it."""
    for to in (rule.to.rstrip("/") for rule in rules):
        below = target.startswith(f"{to}/") and posixpath.basename(target) in SKIPPED
        if below or target == to or to.startswith(f"{target.rstrip('/')}/"):
            return True
    return False


def _no_volume(mount: Mount) -> str:
    if mount.kind == "tmpfs":
        return f"{mount.target} is the container's own file system and goes away with the pod"
    if not mount.source:
        return f"the anonymous volume {mount.target} is not needed: sync leaves there what the image has"
    hidden = f"it would be empty, and hide what the image has in {mount.target}"
    return f"the volume {mount.source} is not carried over: {hidden}"


def dependency_of(found: ComposeService, project: Project, named: Sequence[int], notes: list[Note]) -> Dependency:
    """A dependency that runs an image; `named` are the ports under which others name it."""
    if found.needs:
        text = (
            f"{found.name} starts without waiting for {', '.join(found.needs)}, and is started again until it can run"
        )
        notes.append(Note(found.place, text))
    if found.profiles:
        text = f"{found.name} is off, as its profile is with Compose: devenv up --real {found.name} starts it"
        notes.append(Note(found.place, text))
    kind = kind_of_image(found.image)
    shipped = _shipped(found, kind, project) if kind else None
    dependency = shipped or _written_out(found, kind, project, named, notes)
    return replace(dependency, off=bool(found.profiles), why=f"{found.name} in {found.place}")


def _shipped(found: ComposeService, kind: Kind, project: Project) -> Dependency | None:
    """The shipped profile where it says all that is written."""
    if found.name != kind.name or repository_of(found.image) != kind.name:
        return None
    if found.command or found.entrypoint or found.limits or kind.password in as_map(found.from_files):
        return None
    named = set(found.ports) <= {kind.port}
    env = as_map(found.variables)
    if kind.name == "redis" and named and not env and not found.mounts:
        return shipped_redis(found.image, "")
    seeds = [mount for mount in found.mounts if mount.kind == "bind"]
    usual = {kind.user, kind.password, kind.database, "PGDATA"}
    plain = all(mount.target == kind.volume for mount in found.mounts if mount.kind != "bind")
    seeding = all(mount.target.startswith(_SEEDS) for mount in seeds)
    if kind.name == "postgres" and named and set(env) <= usual and plain and seeding and env.get(kind.password):
        return shipped_postgres(found.image, env, _seed_files(seeds, project), "")
    return None


def _seed_files(mounts: Iterable[Mount], project: Project) -> list[str]:
    return [path for mount in mounts for path in _files_at(mount.source, project)]


def _files_at(path: str, project: Project) -> list[str]:
    if path in project.paths:
        return [path]
    return [file for file in project.below(path) if posixpath.dirname(file) == path]


def _written_out(
    found: ComposeService, kind: Kind | None, project: Project, named: Sequence[int], notes: list[Note]
) -> Dependency:
    env, own = as_map(found.variables), as_map(found.own_variables)
    usual = (kind.port, *kind.more_ports) if kind else IMAGE_PORTS.get(repository_of(found.image), ())
    # What an image of a known kind listens on needs no line in a compose file; of others, what is published leads.
    listed = [*usual, *found.ports, *named] if kind else [*found.ports, *named, *usual]
    ports = list(dict.fromkeys(listed))
    volumes, files = _storage(found, kind, project, notes)
    if kind and kind.name == "postgres" and kind.volume in volumes.values():
        own |= {} if "PGDATA" in env else {"PGDATA": kind.env["PGDATA"]}
    if not ports:
        text = f"{found.name}: nothing says which port it listens on, so nobody reaches it: write it under ports"
        notes.append(Note(found.place, text))
    return Dependency(
        found.name,
        image=found.image,
        ports=name_ports(ports),
        env=own,
        env_file=found.env_files,
        from_files=as_map(found.from_files),
        limits=found.limits,
        command=found.entrypoint or (),
        args=found.command or (),
        volumes=volumes,
        files=files,
        ready=found.ready or (ready_of(kind, env) if kind else ()),
    )


def _storage(
    found: ComposeService, kind: Kind | None, project: Project, notes: list[Note]
) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    volumes: dict[str, str] = {}
    files: dict[str, list[str]] = {}
    # A place that is mounted twice has what is mounted last.
    for mount in {mount.target: mount for mount in found.mounts}.values():
        is_data = kind is not None and mount.target == kind.volume
        if mount.kind in ("tmpfs", "npipe", "cluster") or (not mount.source and not is_data):
            notes.append(Note(mount.place, f"{found.name}: {mount.target} is the container's own file system"))
        elif mount.kind != "bind" or is_data:
            base = clean_name(posixpath.basename(mount.source) or "data")
            volumes[clean_name(base, taken=volumes)] = mount.target
        else:
            _add_files(files, mount, found, project, notes)
    return volumes, {folder: tuple(sorted(set(paths), key=posixpath.basename)) for folder, paths in files.items()}


def _add_files(
    files: dict[str, list[str]], mount: Mount, found: ComposeService, project: Project, notes: list[Note]
) -> None:
    listed = _files_at(mount.source, project)
    is_file = listed == [mount.source]
    folder = posixpath.dirname(mount.target) or "/" if is_file else mount.target
    if not listed:
        text = f"there is no file in {mount.source}, so it is not mounted"
    elif is_file and posixpath.basename(mount.source) != posixpath.basename(mount.target):
        name = posixpath.basename(mount.target)
        text = f"{mount.source} is not mounted, as its name is not {name}: name it so, and list it under files"
    elif len(listed) > _MOST_FILES or len(listed) < len(project.below(mount.source)):
        text = f"{mount.source} has folders or many files, so it is not mounted: put it into an image of your own"
    else:
        files.setdefault(folder, []).extend(listed)
        return
    notes.append(Note(mount.place, f"{found.name}: {text}"))
