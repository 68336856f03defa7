"""The stub of a dependency: where its answers come from."""

from __future__ import annotations

from pathlib import Path

from devenv.config import model, schema
from devenv.config.disk import exists, is_file, is_folder, resolved
from devenv.config.routing import routes_of
from devenv.config.sentences import nearest_path
from devenv.config.source import Fault, Located, Map, at_key

_SOURCES = {
    "wiremock": "a folder of WireMock mappings",
    "routes": "answers written here",
    "har": "a recording",
    "openapi": "a document",
}


def stub_of(name: str, form: Located, spec: schema.StubFile, faults: list[Fault]) -> model.Stub:
    """The stub form of a dependency, a fault for each thing that is wrong with it."""
    path = f"dependencies.{name}.stub"
    source = _check_sources(form, path, faults)
    folder = _folder(spec.wiremock, at_key(form, "wiremock"), path, faults) if spec.wiremock is not None else None
    routes = routes_of(at_key(form, "routes"), spec.routes, f"{path}.routes", faults) if spec.routes else ()
    har = _file("har", spec.har, form, path, faults)
    openapi = _file("openapi", spec.openapi, form, path, faults)
    place = at_key(form, "host" if spec.host else source).origin
    return model.Stub(folder, spec.ports, routes, har, spec.host or "", openapi, place)


def _check_sources(form: Located, path: str, faults: list[Fault]) -> str:
    """The key of the source that comes first; a fault where it is not the only one."""
    assert isinstance(form, Map)
    given = [key for key in form.entries if key in _SOURCES]
    if not given:
        *first, last = [f"{key} ({words})" for key, words in _SOURCES.items()]
        text = f"needs one source of answers: {', '.join(first)} or {last}"
        faults.append(Fault(form.origin, path, text))
    for key in given[1:]:
        text = f"has both {given[0]} and {key}: remove one of them"
        faults.append(Fault(form.entries[key][0], f"{path}.{key}", text))
    if given and "har" not in given and "host" in form.entries:
        text = f"host says whose answers of a recording are taken, and {given[0]} is none: remove it"
        faults.append(Fault(form.entries["host"][0], f"{path}.host", text))
    return given[0] if given else ""


def _folder(shown: str, leaf: Located, path: str, faults: list[Fault]) -> Path:
    folder = resolved(leaf.origin.file.parent / shown)
    if not is_folder(folder):
        text = no_folder(shown, folder, beside=leaf.origin.file.name)
        faults.append(Fault(leaf.origin, f"{path}.wiremock", text))
    return folder


def _file(key: str, shown: str | None, form: Located, path: str, faults: list[Fault]) -> Path | None:
    if shown is None:
        return None
    place = at_key(form, key).origin
    file = resolved(place.file.parent / shown)
    if is_folder(file):
        faults.append(Fault(place, f"{path}.{key}", f"expected a file, got the folder {shown}"))
    elif not is_file(file):
        text = f"there is no file {shown} beside {place.file.name}{nearest_path(file, but=place.file)}"
        faults.append(Fault(place, f"{path}.{key}", text))
    return file


def no_folder(shown: str, path: Path, *, beside: str) -> str:
    """What to say of a path that is no folder."""
    if exists(path):
        return f"expected a folder, got the file {shown}"
    return f"there is no folder {shown} beside {beside}{nearest_path(path)}"
