"""What pages show exists: YAML loads, commands and options are there, links lead somewhere, errors are documented."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from devenv.config.interpolate import Interpolation, take_numbers
from devenv.config.merge import settle
from devenv.config.settings import load_settings
from devenv.config.source import Fault, Map, read_text
from devenv.config.strict import Strict
from devenv.problems import CATALOGUE
from tests.docs.markdown import DOCS, ROOT, Block, blocks, commands, pages
from tests.docs.reference import cli_commands

ALL = [block for page in pages() for block in blocks(page)]
YAML = [block for block in ALL if block.language == "yaml"]
SHELL = [block for block in ALL if block.language in ("console", "sh", "bash")]
_LINK = re.compile(r"\]\((?!https?:)([^)#]+)")


@pytest.mark.parametrize("block", YAML, ids=lambda block: block.name)
def test_yaml_loads_as_what_it_says_it_is(block: Block, tmp_path: Path) -> None:
    from devenv.config.schema import EnvironmentFile, LocalFile, ProfileFile
    from devenv.config.shape import check

    first = block.text.splitlines()[0]
    if first.startswith("# settings.yaml"):
        (tmp_path / "s.yaml").write_text(block.text)
        load_settings({"DEVENV_SETTINGS": str(tmp_path / "s.yaml")}, default=tmp_path / "s.yaml")
        return
    faults: list[Fault] = []
    tree = read_text(block.text, block.file, faults)
    assert isinstance(tree, Map)
    if first.startswith("# devenv.yaml"):
        check(EnvironmentFile, filled(EnvironmentFile, tree), faults)
    elif first.startswith("# devenv.local.yaml"):
        check(LocalFile, filled(LocalFile, settled(tree)), faults, partial=True)
    elif first.startswith("# profiles/"):
        check(ProfileFile, tree, faults)
    else:
        assert list(yaml.safe_load_all(block.text)), block.name
    assert faults == []


def filled(model: type[Strict], tree: Map) -> Map:
    """The tree as it is where no variable is set: every one has a default."""
    interpolation = Interpolation({})
    tree = interpolation.put_into(tree)
    assert interpolation.faults == []
    return take_numbers(model, tree)


def settled(tree: Map) -> Map:
    plain = settle(tree)
    assert isinstance(plain, Map)
    return plain


def lines() -> list[tuple[str, str]]:
    found = [(b.name, c.text) for b in SHELL if b.language == "console" for c in commands(b)]
    shell = [(b.name, line) for b in SHELL if b.language != "console" for line in b.text.splitlines()]
    return found + [(name, line) for name, line in shell if not line.startswith("#")]


DEVENV = [(name, line) for name, line in lines() if re.search(r"\bdevenv\b", line.replace("/devenv", ""))]


@pytest.mark.parametrize(("name", "line"), DEVENV, ids=[f"{name} {line}" for name, line in DEVENV])
def test_commands_and_options_exist(name: str, line: str) -> None:
    check_commands(name, line)


def check_commands(name: str, line: str) -> None:
    """Each devenv command in a line of shell, with its options, exists."""
    known = dict(cli_commands())
    for words in re.findall(r"\bdevenv((?: +[-\w./=:]+)*)", line):
        parts = words.partition(" -- ")[0].split()
        verbs = [part for part in parts if not part.startswith("-")]
        if not verbs:
            assert all(part in ("--version", "--help") for part in parts), line
            continue
        command = known.get(f"devenv {' '.join(verbs[:2])}") or known.get(f"devenv {verbs[0]}")
        assert command, f"{name}: no command in: {line}"
        options = {option for parameter in command.params for option in parameter.opts} | {"--help", "-h", "--"}
        used = {part.partition("=")[0] for part in parts if part.startswith("-")}
        assert used <= options, f"{name}: {used - options}"


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    broken = [target for target in _LINK.findall(page.read_text()) if not (page.parent / target).exists()]
    assert broken == []


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_the_rows_of_a_table_have_as_many_cells_as_its_head(page: Path) -> None:
    wrong, head = [], 0
    for line in page.read_text().splitlines():
        bars = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else 0
        head = bars and (head or bars)
        wrong += [line] if bars != head else []
    assert wrong == []


def test_every_error_is_documented() -> None:
    text = (DOCS / "reference/errors.md").read_text()
    assert [p.code for p in CATALOGUE if f"## {p.code}\n" not in text] == []


def test_most_commands_are_used_in_the_docs() -> None:
    """Prints the coverage; the tutorial alone uses the verbs of the daily loop."""
    used = {name for name, _ in cli_commands() if any(name in line for _, line in DEVENV)}
    missing = sorted({name for name, _ in cli_commands()} - used)
    print(f"commands used in the docs: {len(used)} of {len(cli_commands())}; not yet: {', '.join(missing)}")  # noqa: T201
    assert {f"devenv {verb}" for verb in ("up", "status", "test", "logs", "url", "down", "doctor")} <= used
