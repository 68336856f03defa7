"""The tutorial, executed word for word on the real cluster."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT, Machine
from tests.docs.console import Shell, run_block
from tests.docs.markdown import DOCS, blocks

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]


@pytest.fixture
def folder(machine: Machine, cluster: str, tmp_path: Path) -> Iterator[Path]:
    """A checkout as far as the tutorial needs one."""
    shop = tmp_path / "docs/tutorial/shop"
    ignored = shutil.ignore_patterns(".devenv", "__pycache__")
    shutil.copytree(ROOT / "docs/tutorial/shop", shop, ignore=ignored)
    yield tmp_path
    machine.devenv("down", "--volumes", cwd=shop)


def test_the_tutorial_does_what_it_says(machine: Machine, folder: Path) -> None:
    shell = Shell(folder, machine.env)
    try:
        for block in blocks(DOCS / "tutorial/index.md"):
            run_block(shell, block)
    finally:
        shell.close()
