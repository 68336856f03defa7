from __future__ import annotations

import ast
import statistics
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "devenv"
FILES = sorted(PACKAGE.rglob("*.py"))
Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(path: Path) -> list[Function]:
    return [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, Function)]


def lines_of(node: Function) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_is_no_more_than_a_few_screens(path: Path) -> None:
    # The catalogue and the ports are lists: one place each on purpose.
    limit = 550 if path.name in ("problems.py", "ports.py") else 300
    assert len(path.read_text().splitlines()) <= limit


def test_functions_are_short() -> None:
    sizes = [lines_of(node) for path in FILES for node in functions(path)]
    assert statistics.median(sizes) < 10
    # A command's function is as long as its list of options.
    long = [
        f"{path.relative_to(PACKAGE)}:{node.name} {lines_of(node)}"
        for path in FILES
        for node in functions(path)
        if lines_of(node) > (60 if path.parent.name == "cli" else 40)
    ]
    assert long == []


def test_no_room_for_leftovers() -> None:
    assert [p.name for p in PACKAGE.rglob("*") if p.stem in ("utils", "helpers", "manager", "common", "base")] == []
