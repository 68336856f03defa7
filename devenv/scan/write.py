"""A proposal as the texts of devenv.yaml and profiles/default.yaml."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from devenv.scan.names import clean_name
from devenv.scan.project import relative
from devenv.scan.proposal import Build, Dependency, Proposal, Rule, Service
from devenv.scan.yamlwrite import entry as yaml_entry
from devenv.scan.yamlwrite import text

ENVIRONMENT = "devenv.yaml"
PROFILE = "profiles/default.yaml"
_PROFILE_FOLDER = "profiles"


def write(proposal: Proposal, *, schemas: Mapping[str, str] | None = None) -> dict[str, str]:
    """The files by path: devenv.yaml, and the profile where there are dependencies.

    `schemas` are JSON Schemas by path, which the first line of a file names for editors.
    """
    lines = {ENVIRONMENT: _environment(proposal)}
    if proposal.dependencies:
        lines[PROFILE] = _profile(proposal)
    known = schemas or {}
    first = {path: [f"# yaml-language-server: $schema={known[path]}"] for path in lines if path in known}
    return {path: "\n".join([*first.get(path, []), *listed]) + "\n" for path, listed in lines.items()}


def _environment(proposal: Proposal) -> list[str]:
    origin = f" from {', '.join(proposal.sources)}" if proposal.sources else ""
    lines = [f"# Written by devenv init{origin}; yours to edit.", f"name: {text(proposal.name)}", ""]
    if not proposal.services:
        return [*lines, "services: {}"]
    blocks = [_service(service) for service in proposal.services]
    return [*lines, "services:", *_spaced(blocks)]


def _spaced(blocks: list[list[str]]) -> list[str]:
    joined = [line for block in blocks for line in (*block, "")]
    return joined[:-1]


def _service(service: Service) -> list[str]:
    why = service.why
    lines = [f"  {service.name}:"]
    if service.build:
        lines += entry("build", _build(service.build), 4, why=why.get("build", ""))
    if service.image:
        lines += entry("image", service.image, 4, why=why.get("image", ""))
    files = _one_or_all(service.env_file)
    for key, value in (("deploy", _deploy(service.deploy)), ("ports", service.ports), ("command", service.command),
                       ("env_file", files)):  # fmt: skip
        if value:
            lines += entry(key, value, 4, why=why.get(key, ""))
    if service.env:
        env = dict(service.env)
        lines += entry("env", env, 4, why=why.get("env", ""), block=len(env) > 1)
    for key, value in (("resources", _resources(service.limits)), ("volumes", _volumes(service.volumes))):
        lines += entry(key, value, 4) if value else []
    lines += _sync(service.sync)
    if service.test:
        test = {"command": service.test, **({"reports": service.reports} if service.reports else {})}
        lines += entry("test", test, 4, why=why.get("test", ""))
    return lines + (entry("needs", service.needs, 4) if service.needs else [])


def _one_or_all(paths: Sequence[str]) -> str | Sequence[str]:
    return paths[0] if len(paths) == 1 else paths


def _deploy(deploy: Mapping[str, str]) -> str | Mapping[str, str]:
    return deploy["path"] if len(deploy) == 1 else deploy


def _resources(limits: Mapping[str, str]) -> Mapping[str, Any]:
    return {"limits": limits} if limits else {}


def _volumes(volumes: Mapping[str, str]) -> Mapping[str, Any]:
    return {clean_name(key): {"path": path} for key, path in volumes.items()}


def _build(build: Build) -> str | Mapping[str, Any]:
    more = {"dockerfile": build.dockerfile, "target": build.target, "args": build.args}
    given = {key: value for key, value in more.items() if value}
    return {"context": build.context, **given} if given else build.context


def _sync(rules: tuple[Rule, ...]) -> list[str]:
    lines = ["    sync:"] if rules else []
    for rule in rules:
        shown = {"from": rule.source, "to": rule.to, **({"reload": rule.reload} if rule.reload != "none" else {})}
        lines += [f"      # {rule.why}"] if rule.why else []
        lines.append(f"      - {{{', '.join(f'{key}: {text(literal(value))}' for key, value in shown.items())}}}")
    return lines


def _profile(proposal: Proposal) -> list[str]:
    included = [dependency.profile for dependency in proposal.dependencies if dependency.profile]
    lines = ["# What the services need, and how each of these is provided."]
    lines += entry("include", included, 0, why="shipped with devenv") if included else []
    blocks = [_dependency(dependency) for dependency in proposal.dependencies]
    return [*lines, "dependencies:", *_spaced(blocks)]


def _dependency(dependency: Dependency) -> list[str]:
    why = [f"  # {' '.join(dependency.why.split())}"] if dependency.why else []
    off = ["    mode: off"] if dependency.off else []
    if dependency.profile:
        return [*why, *_with(dependency, off)]
    real: dict[str, Any] = {
        "image": dependency.image,
        "ports": dependency.ports,
        "env_file": _one_or_all([_beside(path) for path in dependency.env_file]),
        "env": dependency.env,
        "resources": _resources(dependency.limits),
        "command": dependency.command,
        "args": dependency.args,
        "volumes": _volumes(dependency.volumes),
        "files": {folder: [_beside(path) for path in paths] for folder, paths in dependency.files.items()},
        "ready": dependency.ready,
    }
    lines = [*why, f"  {dependency.name}:", *off, "    real:"]
    for key, value in real.items():
        if value:
            lines += entry(key, value, 6, block=key == "env" and len(value) > 1)
    return lines


def _with(dependency: Dependency, off: list[str]) -> list[str]:
    given: dict[str, Any] = dict(dependency.arguments)
    if dependency.seed:
        given["seed"] = [_beside(path) for path in dependency.seed]
    if not given:
        return [f"  {dependency.name}:", *(off or ["    mode: real"])]
    return [f"  {dependency.name}:", *off, *entry("with", given, 4)]


def _beside(path: str) -> str:
    return relative(path, _PROFILE_FOLDER)


def entry(key: str, value: Any, indent: int, *, why: str = "", block: bool = False) -> list[str]:
    """`key: value` with every text in it meant as it stands."""
    return yaml_entry(key, literal(value), indent, why=why, block=block)


def literal(value: Any) -> Any:
    """A value with `$${` for each `${`, which would be a variable in these files."""
    if isinstance(value, str):
        return value.replace("${", "$${")
    if isinstance(value, Mapping):
        return {key: literal(inner) for key, inner in value.items()}
    return [literal(item) for item in value] if isinstance(value, Sequence) else value
