from __future__ import annotations

import re
import string

import pytest

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
