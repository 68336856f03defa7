from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.conftest import ROOT

HEAVY = ("kubernetes", "docker", "questionary", "rich", "watchdog", "websocket")

PROBE = """
import json, sys
from devenv.cli.app import main
code = main(sys.argv[1:])
sys.stderr.write("\\nMODULES " + json.dumps([code, sorted(sys.modules)]))
"""


def modules_after(*arguments: str) -> tuple[int, set[str]]:
    done = subprocess.run([sys.executable, "-c", PROBE, *arguments], capture_output=True, text=True, check=False)
    code, names = json.loads(done.stderr.rpartition("MODULES ")[2])
    return code, set(names)


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["up", "--help"], ["profiles"], ["explain"], ["pu"]])
def test_help_loads_no_heavy_library(arguments: list[str]) -> None:
    code, modules = modules_after(*arguments)
    assert code == (2 if arguments == ["pu"] else 0)
    assert [name for name in HEAVY if name in modules] == []


def test_the_probe_sees_what_is_loaded() -> None:
    _, modules = modules_after("--help")
    assert "typer" in modules


TAB = """
import sys
sys.argv = ["devenv", "__complete", "bash", "--", *sys.argv[1:]]
from devenv.__main__ import run
try:
    run()
finally:
    print("MODULES", *sys.modules)
"""
SLOW = {"dataclasses", "json", "pathlib", "pydantic", "re", "rich", "typer", "typing", "yaml", "devenv.cli"}


@pytest.mark.parametrize("words", [["u"], ["logs", ""], ["up", "-p", ""], ["explain", "x"]])
def test_a_tab_loads_next_to_nothing(words: list[str]) -> None:
    # -S: what an installation adds to site-packages is none of ours.
    command = [sys.executable, "-S", "-c", TAB, *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = done.stdout.rpartition("MODULES")[2].split()
    assert "devenv.completion.answer" in loaded
    assert SLOW & set(loaded) == set()
