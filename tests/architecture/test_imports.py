from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = ("kubernetes", "docker", "questionary", "watchdog", "websocket")

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


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["up", "--help"], ["explain"]])
def test_help_loads_no_heavy_library(arguments: list[str]) -> None:
    code, modules = modules_after(*arguments)
    assert code == 0
    assert [name for name in HEAVY if name in modules] == []


def test_the_probe_sees_what_is_loaded() -> None:
    _, modules = modules_after("--help")
    assert "typer" in modules
