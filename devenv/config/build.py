"""Checked trees to the values of `model.py`; what only the file system can tell is checked here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from devenv.config import model, schema, shape
from devenv.config.disk import is_file, is_folder, resolved
from devenv.config.parameters import fill
from devenv.config.projects import Borrowed, project_file
from devenv.config.running import RunningBuilder, command_of
from devenv.config.secrets import plain_env, secrets_of
from devenv.config.sentences import nearest_path
from devenv.config.source import Fault, Leaf, Located, Map, Sequence, at_key
from devenv.config.strict import text_of
from devenv.config.stubbing import no_folder, stub_of
from devenv.config.syncing import SyncBuilder


def at(tree: Located, *path: str | int) -> Located:
    """The value at a path, or the nearest one above it."""
    for part in path:
        tree = at_key(tree, part)
    return tree


def services_of(tree: Map, root: Path, faults: list[Fault]) -> dict[str, model.Service]:
    """The services of devenv.yaml whose shape is right."""
    services = tree.value("services")
    found = {}
    for name, (_, service) in services.entries.items() if isinstance(services, Map) else ():
        spec = shape.parse(schema.ServiceFile, service)
        if spec:
            found[name] = _Service(name, spec, service, root, faults).build()
    return found


def borrowed_services(borrowed: Mapping[str, Borrowed], faults: list[Fault]) -> dict[str, model.Service]:
    """Services of other projects under the names they get here; nobody edits them now, so sync and tests are left."""
    found = {}
    for name, other in borrowed.items():
        spec = shape.parse(schema.ServiceFile, other.tree)
        if spec:
            service = _Service(other.name, spec, other.tree, other.file.parent, faults).build()
            found[name] = replace(service, name=name, sync=(), test=None, syncing=model.Syncing())
    return found


class _Service:
    def __init__(self, name: str, spec: schema.ServiceFile, tree: Located, root: Path, faults: list[Fault]) -> None:
        self._name, self._spec, self._tree, self._root, self._faults = name, spec, tree, root, faults
        self._beside = tree.origin.file.name

    def _fault(self, text: str, *path: str | int) -> None:
        origin, shown = shape.locate(self._tree, path)
        inner = f"services.{self._name}.{shown}" if shown else f"services.{self._name}"
        self._faults.append(Fault(origin, inner, text))

    def build(self) -> model.Service:
        spec = self._spec
        if (spec.build is None) == (spec.image is None):
            both = "has both build and image: remove one of them"
            self._fault("needs build (a folder with a Dockerfile) or image" if spec.build is None else both)
        running = RunningBuilder(self._name, self._tree, f"services.{self._name}", self._faults)
        syncing = SyncBuilder(self._name, self._tree, self._root, self._faults)
        return model.Service(
            name=self._name,
            build=self._build(spec.build) if spec.build is not None else None,
            image=spec.image if spec.build is None else None,
            ports=spec.ports,
            env=running.env(plain_env(spec.env), folder=self._root),
            deploy=self._deploy(spec.deploy),
            sync=syncing.rules(spec.sync),
            test=model.Test(command_of(spec.test.command), tuple(spec.test.reports)) if spec.test else None,
            needs=tuple(spec.needs),
            command=command_of(spec.command),
            origin=self._tree.origin,
            secrets=secrets_of(spec.env, at(self._tree, "env")),
            volumes=running.volumes(spec.volumes),
            running=running.running(spec),
            syncing=syncing.syncing(spec.sync),
        )

    def _build(self, build: str | schema.BuildFile) -> model.Build:
        spec = schema.BuildFile(context=build) if isinstance(build, str) else build
        context = resolved(self._root / spec.context)
        if not is_folder(context):
            self._fault(no_folder(spec.context, context, beside=self._beside), "build", "context")
        dockerfile = context / (spec.dockerfile or "Dockerfile")
        args = {key: text_of(value) for key, value in spec.args.items()}
        return model.Build(context, dockerfile, spec.target, args)

    def _deploy(self, deploy: str | schema.DeployFile | None) -> model.Deploy | None:
        if deploy is None:
            return None
        spec = schema.DeployFile(path=deploy) if isinstance(deploy, str) else deploy
        for key in ("volumes", "init"):
            if getattr(self._spec, key):
                self._fault(f"{key} of a service with own manifests belong into them ({spec.path})", key)
        path = resolved(self._root / spec.path)
        if not is_file(path):
            missing = f"there is no file {spec.path} beside {self._beside}{nearest_path(path)}"
            self._fault(
                f"expected a file of manifests, got the folder {spec.path}" if is_folder(path) else missing,
                "deploy",
                "path",
            )
        return model.Deploy(path, spec.workload, spec.container)


def dependencies_of(
    merged: Map, faults: list[Fault], *, modes: Mapping[str, model.Mode]
) -> dict[str, model.Dependency]:
    """The dependencies of a merged profile; those with faults are left out.

    A dependency's mode is the one in `modes`, else the one written, else `stub` where there is a stub form (it needs
    no image of its own), else `real`.
    """
    found = {}
    for name, (_, tree) in merged.entries.items():
        if isinstance(tree, Map):
            before = len(faults)
            dependency = _dependency(name, fill(name, tree, faults), faults, modes.get(name))
            if dependency and len(faults) == before:
                found[name] = dependency
    return found


def _dependency(name: str, tree: Map, faults: list[Fault], mode: model.Mode | None) -> model.Dependency | None:
    spec = shape.parse(schema.DependencyFile, tree)
    if spec is None:
        own: list[Fault] = []
        shape.check(schema.DependencyFile, tree, own)
        faults.extend(Fault(f.origin, f"dependencies.{name}.{f.path}".rstrip("."), f.text) for f in own)
        return None
    stub = stub_of(name, at(tree, "stub"), spec.stub, faults) if spec.stub else None
    project = _project(name, tree, spec.real, faults) if spec.real and spec.real.devenv else None
    real = _real(name, tree, spec.real, faults) if spec.real and not project else None
    chosen = mode or spec.mode or ("stub" if stub else "real")
    if (chosen == "stub" and stub is None) or (chosen == "real" and not (real or project)):
        faults.append(Fault(at(tree, "mode").origin, f"dependencies.{name}", _formless(chosen, tree, asked=mode)))
        return None
    return model.Dependency(name, chosen, stub, real, tree.origin, project, spec.memory)


def _formless(mode: model.Mode, tree: Map, *, asked: model.Mode | None) -> str:
    if not asked and tree.value("mode") is None:
        return "needs a form: stub or real"
    other = "" if asked or mode == "off" else f": add {mode}:, or choose another mode"
    return f"mode is {mode}{' on the command line' if asked else ''}, and there is no {mode} form{other}"


def _project(name: str, tree: Map, spec: schema.RealFile, faults: list[Fault]) -> model.Project:
    """Another project's service. What an included profile said of the real form no longer counts."""
    leaf, form = at(tree, "real", "devenv"), at(tree, "real")
    assert isinstance(leaf, Leaf)
    assert isinstance(form, Map)
    for key, (origin, _) in form.entries.items():
        if key not in ("devenv", "service") and origin.file == leaf.origin.file:
            text = f"devenv: {leaf.value} is the whole real form: {key} is written in that project"
            faults.append(Fault(origin, f"dependencies.{name}.real.{key}", text))
    return model.Project(project_file(leaf), spec.service or name)


def _real(name: str, tree: Map, spec: schema.RealFile, faults: list[Fault]) -> model.Real:
    form, path = at(tree, "real"), f"dependencies.{name}.real"
    if spec.image is None or spec.service:
        text = "needs the key devenv beside service" if spec.service else "needs the key image (the image that runs)"
        faults.append(Fault(form.origin, path, text))
    running = RunningBuilder(name, form, path, faults)
    return model.Real(
        image=spec.image or "",
        ports=spec.ports,
        env=running.env(plain_env(spec.env)),
        command=tuple(spec.command),
        args=tuple(spec.args),
        volumes=running.volumes(spec.volumes),
        files={
            folder: _files(f"dependencies.{name}.real.files.{folder}", at(tree, "real", "files", folder), faults)
            for folder in spec.files
        },
        ready=tuple(spec.ready),
        secrets=secrets_of(spec.env, at(tree, "real", "env")),
        running=running.running(spec),
    )


def _files(path: str, listed: Located, faults: list[Fault]) -> tuple[Path, ...]:
    """Each file is looked for beside the file that names it."""
    files = []
    for index, item in enumerate(listed.items if isinstance(listed, Sequence) else ()):
        assert isinstance(item, Leaf)
        file = resolved(item.origin.file.parent / str(item.value))
        if not is_file(file):
            missing = f"there is no file {item.value} beside {item.origin.file.name}{nearest_path(file)}"
            text = f"expected a file, got the folder {item.value}" if is_folder(file) else missing
            faults.append(Fault(item.origin, f"{path}[{index}]", text))
        files.append(file)
    return tuple(files)
