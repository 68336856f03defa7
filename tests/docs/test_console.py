from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.console import Shell, apply_edit, matches, run_block
from tests.docs.markdown import Block, blocks, commands


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    shell = Shell(tmp_path, os.environ)
    yield shell
    shell.close()


def block(text: str, language: str = "console", **options: str) -> Block:
    return Block(Path("page.md"), 7, language, options, text)


@pytest.mark.parametrize(
    ("expected", "printed"),
    [
        ("a", "a"),
        ("up (...)", "up (3.2 s)"),
        ("took 1.0 s", "took 33.1 s"),
        ("a\n...\nz", "a\nb\nc\nz"),
        ("a\n...\nz", "a\nz"),
        ("✓ a 1 s", "  ... a: on its way\n✓ a 12 s"),
        ("NAME  KIND", "NAME      KIND"),
    ],
)
def test_what_matches(expected: str, printed: str) -> None:
    assert matches(expected, printed)


@pytest.mark.parametrize(("expected", "printed"), [("a", "b"), ("a", "a\nb"), ("a...z", "a\nz"), ("a\n...\nz", "a\nb")])
def test_what_does_not_match(expected: str, printed: str) -> None:
    assert not matches(expected, printed)


def test_folder_and_variables_last_for_the_page(shell: Shell) -> None:
    run_block(shell, block("$ mkdir sub && cd sub\n$ export X=1\n$ echo $X $(basename $PWD)\n1 sub\n"))
    assert shell.folder.name == "sub"


def test_errors_are_part_of_the_output(shell: Shell) -> None:
    run_block(shell, block("$ echo out; echo err >&2\nout\nerr\n"))


def test_an_unexpected_exit_code_fails_with_its_place(shell: Shell) -> None:
    with pytest.raises(AssertionError, match=r"page.md:7: \$ false\nexit code 1, not 0"):
        run_block(shell, block("$ false\n"))
    run_block(shell, block("$ false\n", exit="1"))


def test_unexpected_output_fails(shell: Shell) -> None:
    with pytest.raises(AssertionError, match="the page shows:\na\nprinted was:\nb"):
        run_block(shell, block("$ echo b\na\n"))


def test_an_edit_changes_one_place(tmp_path: Path) -> None:
    (tmp_path / "f.py").write_text("x = 1\ny = 2\n")
    apply_edit(tmp_path, block("--- f.py\n-x = 1\n+x = 3\n", "diff"))
    assert (tmp_path / "f.py").read_text() == "x = 3\ny = 2\n"
    with pytest.raises(AssertionError, match="stands 0 times"):
        apply_edit(tmp_path, block("--- f.py\n-x = 1\n+x = 3\n", "diff"))


def test_blocks_of_a_page(tmp_path: Path) -> None:
    page = tmp_path / "p.md"
    page.write_text("text\n```console exit=1\n$ a \\\n> b\nout\n$ c\n```\n```yaml\nx: 1\n```\n")
    first, second = blocks(page)
    assert (first.language, first.options, first.line) == ("console", {"exit": "1"}, 2)
    assert [(c.text, c.output) for c in commands(first)] == [("a \\\nb", "out"), ("c", "")]
    assert (second.language, second.text) == ("yaml", "x: 1\n")
