"""The merged environment as the files that would describe it: each dependency with its mode and the form in use."""

from __future__ import annotations

import os
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

from devenv.config.json_values import json_value
from devenv.config.load import FILE, Loaded
from devenv.config.merge import merge_all
from devenv.config.model import Dependency
from devenv.config.parameters import fill
from devenv.config.search import is_path
from devenv.config.source import Leaf, Located, Map, Scalar, Sequence

# The keys of dependencies whose values are paths seen from the file that they stand in.
_JSON = "stub.routes.*.json*"
_LOCAL_PATHS = (
    "stub.wiremock",
    "stub.har",
    "stub.openapi",
    "real.files.*",
    "real.devenv",
    "real.env_file",
    "real.env.*.secret.file",
)


def documents(loaded: Loaded) -> dict[str, str]:
    """YAML texts by file name: devenv.yaml, and a profile where there are dependencies. Loaded, they mean the same."""
    environment, tree = loaded.environment, merge_all(loaded.layers)
    written = {key: _plain(value) for key, (_, value) in tree.entries.items() if key != "dependencies"}
    profile = environment.profile.replace(", ", "+")
    first = {"name": environment.name, **({"profile": profile} if environment.dependencies else {})}
    files = {FILE: _dump({**first, **{key: value for key, value in written.items() if key not in first}})}
    dependencies = tree.value("dependencies")
    if isinstance(dependencies, Map):
        name = _profile_file(profile)
        folder = (environment.root / name).parent
        shown = {
            d.name: _Shown(environment.root, folder).dependency(d, dependencies)
            for d in environment.dependencies.values()
        }
        files[name] = _dump({"dependencies": shown})
    return files


def _profile_file(profile: str) -> str:
    if not is_path(profile):
        return f"profiles/{profile}.yaml"
    return profile if profile.endswith((".yaml", ".yml")) else f"{profile}.yaml"


_LINE = 90


class _Shown:
    """What is shown of dependencies in a profile of `folder`."""

    def __init__(self, root: Path, folder: Path) -> None:
        self._root, self._folder = root, folder

    def dependency(self, dependency: Dependency, trees: Map) -> dict[str, Any]:
        tree = trees.value(dependency.name)
        assert isinstance(tree, Map)
        filled = fill(dependency.name, tree, [])
        unused = {"mode", "parameters", "with", "stub", "real"} - {dependency.mode}
        forms = {key: self._value(value, key) for key, (_, value) in filled.entries.items() if key not in unused}
        return {"mode": dependency.mode, **forms}

    def _value(self, tree: Located, path: str) -> Any:
        if isinstance(tree, Map):
            return {key: self._value(value, f"{path}.{key}") for key, (_, value) in tree.entries.items()}
        if isinstance(tree, Sequence):
            return [self._value(item, path) for item in tree.items]
        if fnmatchcase(path, _JSON):
            return _literal(json_value(tree))
        local = any(fnmatchcase(path, pattern) for pattern in _LOCAL_PATHS)
        return self._from_folder(tree) if local else _literal(tree.value)

    def _from_folder(self, leaf: Leaf) -> str:
        path = Path(os.path.normpath(leaf.origin.file.parent / str(leaf.value)))
        return os.path.relpath(path, self._folder) if path.is_relative_to(self._root) else str(path)


def _plain(tree: Located) -> Any:
    if isinstance(tree, Map):
        return {key: _plain(value) for key, (_, value) in tree.entries.items()}
    return [_plain(item) for item in tree.items] if isinstance(tree, Sequence) else _literal(tree.value)


def _literal(value: Scalar | float) -> Scalar | float:
    """What is put in stays as it is: nothing in it is a variable any more."""
    return value.replace("${", "$${") if isinstance(value, str) else value


class _Dumper(yaml.SafeDumper):
    """Short mappings and lists of scalars stand on one line, as people write them."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        super().increase_indent(flow, False)  # noqa: FBT003 - PyYAML's signature

    def represent_mapping(self, tag: str, mapping: Any, flow_style: bool | None = None) -> yaml.MappingNode:  # noqa: FBT001
        node = super().represent_mapping(tag, mapping, flow_style)
        node.flow_style = node.flow_style and sum(len(k.value) + len(str(v.value)) + 4 for k, v in node.value) < _LINE
        return node


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def _dump(value: dict[str, Any]) -> str:
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110, default_flow_style=None)
