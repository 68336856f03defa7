from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

from devenv import problems
from devenv.errors import DevenvError, Problem
from devenv.problems import CATALOGUE, find_problem


@pytest.mark.parametrize("problem", CATALOGUE, ids=lambda problem: problem.code)
def test_an_entry_is_complete(problem: Problem) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", problem.code)
    assert not problem.message.endswith(".")
    assert problem.cause.endswith(".")
    assert problem.cure
    assert find_problem(problem.code) is problem


def test_codes_are_unique() -> None:
    assert len({problem.code for problem in CATALOGUE}) == len(CATALOGUE)


@pytest.mark.parametrize("problem", CATALOGUE, ids=lambda problem: problem.code)
def test_an_entry_can_be_raised_with_the_facts_it_names(problem: Problem) -> None:
    fields = {f for text in (problem.message, problem.cure) for _, f, _, _ in string.Formatter().parse(text) if f}
    error = DevenvError(problem, **dict.fromkeys(fields, "x"))
    assert error.code == problem.code
    assert "{" not in error.message


def test_every_entry_is_provoked_by_a_test() -> None:
    tests = Path(__file__).parents[1]
    text = "".join(path.read_text() for path in tests.rglob("test_*.py") if path != Path(__file__))
    names = {problem.code: name for name, problem in vars(problems).items() if isinstance(problem, Problem)}
    forms = {code: (f"[{code}]", f'"{code}"', f"problems.{name}") for code, name in names.items()}
    assert [code for code, ways in forms.items() if not any(way in text for way in ways)] == []


def test_every_entry_is_raised_somewhere() -> None:
    package = Path(problems.__file__).parent
    text = "".join(path.read_text() for path in package.rglob("*.py") if path.name != "problems.py")
    unused = [name for name, value in vars(problems).items() if isinstance(value, Problem) and name not in text]
    assert unused == []
