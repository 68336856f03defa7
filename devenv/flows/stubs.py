"""The sources of stubs, each as the WireMock folder that it means."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from devenv.config.load import FILE, invalid
from devenv.config.model import Environment, Origin
from devenv.config.model import Stub as Form
from devenv.config.source import Fault, read_utf8
from devenv.stubs import har, openapi, routes
from devenv.stubs.documents import read_document
from devenv.stubs.mappings import EMPTY, Stub, parse_mappings

Folder = Mapping[str, bytes]

_LARGEST_DOCUMENT = 10_000_000


def read_stubs(environment: Environment, tell: Callable[[str], None]) -> dict[str, Folder]:
    """The files of each stubbed dependency by relative name; `tell` hears what of a source is left out.

    ConfigError config-invalid with every fault of every source; OSError where a file can't be read.
    """
    faults: list[Fault] = []
    stubs = {name: d.stub for name, d in environment.dependencies.items() if d.mode == "stub" and d.stub}
    folders = {name: _folder(name, stub, tell, faults) for name, stub in stubs.items()}
    if faults:
        raise invalid(faults, environment.root / FILE)
    return folders


def _folder(name: str, stub: Form, tell: Callable[[str], None], faults: list[Fault]) -> Folder:
    if stub.wiremock is not None:
        return _checked(name, stub, stub.wiremock, faults)
    if stub.har is not None:
        return _recording(name, stub, stub.har, tell, faults)
    if stub.openapi is not None:
        return _document(name, stub.openapi, faults)
    return folder_of("routes", routes.mappings(stub.routes))


def _read_folder(folder: Path) -> Folder:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def _checked(name: str, stub: Form, folder: Path, faults: list[Fault]) -> Folder:
    files = _read_folder(folder)
    found, told = parse_mappings(files)
    faults.extend(Fault(Origin(folder / one.name, one.line, one.column), "", one.text) for one in told)
    if not found and not told:
        faults.append(Fault(stub.origin, f"dependencies.{name}.stub.wiremock", EMPTY))
    return files


def folder_of(source: str, mappings: Sequence[Stub]) -> Folder:
    """A WireMock folder with mappings that were made of a source."""
    return {f"mappings/{source}.json": json.dumps({"mappings": mappings}).encode()}


def _recording(name: str, stub: Form, file: Path, tell: Callable[[str], None], faults: list[Fault]) -> Folder:
    text = _text(file, har.LARGEST, faults)
    if text is None:
        return {}
    source = har.Recording(file, stub.host, stub.origin, f"dependencies.{name}.stub.{'host' if stub.host else 'har'}")
    taken = har.mappings(text, source, faults)
    if taken.left_out:
        tell(f"{name}: {file.name}: {taken.left_out}")
    return folder_of("har", taken.mappings)


def _document(name: str, file: Path, faults: list[Fault]) -> Folder:
    text = _text(file, _LARGEST_DOCUMENT, faults)
    document = read_document(text, file, faults) if text is not None else None
    if document is None:
        return {}
    found, wrong = openapi.mappings(document.values, service=name)
    faults.extend(Fault(document.place(fault.pointer), fault.pointer, fault.text) for fault in wrong)
    return folder_of("openapi", found)


def _text(file: Path, largest: int, faults: list[Fault]) -> str | None:
    """The text of a file, whose size is looked at before it is read."""
    size = file.stat().st_size
    if size > largest:
        sizes = f"the file has {size / 1e6:.0f} MB, and at most {largest / 1e6:.0f} MB are read"
        told = f"{sizes}: leave out what is not needed"
        faults.append(Fault(Origin(file, 1, 1), "", told))
        return None
    return read_utf8(file, faults)
