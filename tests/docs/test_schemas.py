"""The JSON Schemas that editors use: as the models say, and true of every file that is shown or shipped."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from devenv.config.search import schema_file
from devenv.config.source import Map, plain_value, read_file, read_text
from tests.docs.markdown import ROOT, blocks, pages
from tests.docs.schemas import MODELS, texts

BROKEN = ROOT / "tests/unit/config/broken"
FIRST_LINES = {
    "# devenv.yaml": "environment",
    "# devenv.local.yaml": "local",
    "# profiles/": "profile",
    "# settings.yaml": "settings",
}


def validator(kind: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads(schema_file(kind).read_text()))


def faults(kind: str, tree: Map | None) -> list[str]:
    assert tree is not None
    return [f"{error.json_path}: {error.message}" for error in validator(kind).iter_errors(plain_value(tree))]


@pytest.mark.parametrize("kind", MODELS)
def test_the_package_has_what_the_models_say(kind: str) -> None:
    assert schema_file(kind).read_text() == texts()[kind], "run: make docs"


@pytest.mark.parametrize("kind", MODELS)
def test_it_is_a_schema_in_which_everything_is_described(kind: str) -> None:
    schema = json.loads(schema_file(kind).read_text())
    Draft202012Validator.check_schema(schema)
    parts = {"": schema, **schema.get("$defs", {})}
    bare = [f"{part}.{key}" for part in parts for key, value in properties(parts[part]) if not value["description"]]
    assert bare == [], "describe them in devenv/config/descriptions.py"
    assert [part for part in parts if parts[part].get("additionalProperties", True) is not False] == []


def properties(part: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return list(part.get("properties", {}).items())


def examples() -> Iterator[Any]:
    """Every YAML text of the documentation and every file that is shipped or shown, with the kind of file it is."""
    for block in (block for page in pages() for block in blocks(page) if block.language == "yaml"):
        for start, kind in FIRST_LINES.items():
            if block.text.startswith(start):
                yield pytest.param(kind, read_text(block.text, block.file, []), id=block.name)
    for file in [*(ROOT / "profiles").glob("*.yaml"), *(ROOT / "docs").rglob("profiles/*.yaml")]:
        yield pytest.param("profile", read_file(file, []), id=str(file.relative_to(ROOT)))
    for file in [*(ROOT / "docs").rglob("devenv.yaml"), *(ROOT / "tests/cluster").rglob("devenv.yaml")]:
        yield pytest.param("environment", read_file(file, []), id=str(file.relative_to(ROOT)))


@pytest.mark.parametrize(("kind", "tree"), list(examples()))
def test_what_is_shown_and_shipped_is_valid(kind: str, tree: Map | None) -> None:
    assert faults(kind, tree) == []


# What no schema can know: what is on the disk, in another file, or in another place of the same one; and what of a
# text is told before there are values.
_ELSEWHERE = re.compile(
    r"there is no (folder|file|profile|parameter)|got the (file|folder)|no service or dependency|can't need itself|"
    r"need each other|too, in |include each other|mode is |needs a form|unknown parameter|list of files|"
    r"is the target of|stands twice|merge keys|an alias|more than|deeper than|the tag |expected a signal|"
    r"stands beside it|as key|with\\.|expected text, got a list$|a size such as 1Gi, got \"(lots|10GB)\""
)


def broken() -> Iterator[Any]:
    """Each file of the broken configurations that has a fault which a schema can know."""
    for case in sorted(path for path in BROKEN.iterdir() if path.is_dir()):
        for line in (case / "expected.txt").read_text().splitlines():
            found = re.match(r"  (\S+\.yaml):\d+:\d+  (\S+  .*)", line)
            if found and not _ELSEWHERE.search(found[2]) and read_file(case / found[1], []):
                yield pytest.param(case / found[1], id=f"{case.name}/{found[1]}")
                break


BROKEN_FILES = list(broken())


@pytest.mark.parametrize("file", BROKEN_FILES)
def test_a_schema_refuses_what_it_can_know(file: Path) -> None:
    kind = "environment" if file.name == "devenv.yaml" else "profile"
    assert faults(kind, read_file(file, [])) != []


def test_there_are_enough_broken_files() -> None:
    assert len(BROKEN_FILES) >= 20


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("profile", "include: [redis]\ndependencies: {redis: {real: {+args: [a], env: {A: 1}}}}"),
        ("profile", "dependencies: {a: {real: {files: {+/etc/a: [b], /etc/c: '${with.files}'}}}}"),
        ("profile", "dependencies: {a: {real: {volumes: {d: {path: /d, size: '${with.size}'}}}}}"),
        ("local", "services: {web: {+needs: [a], ports: {http: '${PORT}'}}}\ndependencies: {redis: {mode: off}}"),
        ("environment", "services: {web: {image: x, env: {A: {secret: {file: a}}}}}\nhooks: {after_up: [make seed]}"),
        ("environment", "services: {web: {image: x, env: {RATE: 1.5, FLAG: no, EMPTY: ''}}}"),
    ],
)
def test_what_looks_odd_and_is_valid(kind: str, text: str) -> None:
    assert faults(kind, read_text(text, Path("f"), [])) == []


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("profile", "+include: [redis]"),
        ("profile", "dependencies: {a: {real: {+image: x}}}"),
        ("profile", "dependencies: {a: {real: {+args: x}}}"),
        ("environment", "services: {web: {image: x, +needs: [a]}}"),
        ("environment", "services: {web: {image: x, build: y}}"),
        ("environment", "services: {web: {image: x, sync: [{from: a, to: /b, reload: {signal: HUP, exec: [a]}}]}}"),
        ("settings", "cluster: {provider: k3d}"),
        ("settings", "mirrors: {docker.io: mirror}"),
    ],
)
def test_what_is_refused(kind: str, text: str) -> None:
    assert faults(kind, read_text(text, Path("f"), [])) != []
