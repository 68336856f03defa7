"""Completion as shells ask for it: each shell that is on this machine, with the script that devenv prints."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from tests.cli.test_boundary import devenv
from tests.conftest import ROOT, own_folders

QUIET_SECONDS = 1.0
START_SECONDS = 20.0


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "profiles").mkdir()
    (tmp_path / "devenv.yaml").write_text("services:\n  orders:\n    image: x\n  web:\n    image: x\n")
    (tmp_path / "profiles/default.yaml").write_text("include: [postgres, redis]\n")
    return tmp_path


@pytest.fixture
def env(project: Path) -> dict[str, str]:
    """A user's variables; `devenv` on PATH is this checkout's."""
    program = project / "bin/devenv"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m devenv "$@"\n')
    program.chmod(0o755)
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, **own_folders(project / "home"), "HOME": str(project), "PATH": path, "TERM": "dumb"}


def needs(shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not on this machine")


def run(argv: Sequence[str], project: Path, env: dict[str, str]) -> list[str]:
    done = subprocess.run(
        argv, cwd=project, env=env, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


def bash(words: str, project: Path, env: dict[str, str]) -> list[str]:
    """What bash offers, its function called as bash calls it."""
    lines = [
        'source "$(command -v devenv-script)"',
        f"COMP_WORDS=({words})",
        "COMP_CWORD=$((${#COMP_WORDS[@]} - 1))",
        "complete -p devenv",
        '_devenv devenv "${COMP_WORDS[COMP_CWORD]}"',
        'printf "%s\\n" "${COMPREPLY[@]}"',
    ]
    script = project / "bin/devenv-script"
    script.write_text(devenv(project, "completion", "bash").out)
    script.chmod(0o755)
    first, *offers = run(["bash", "--norc", "-c", "\n".join(lines)], project, env)
    assert first == "complete -F _devenv devenv"
    return offers


@pytest.mark.parametrize(
    ("words", "offers"),
    [
        ("devenv s", ["status", "sync"]),
        ("devenv logs ''", ["orders", "web", "postgres", "redis"]),
        ("devenv logs web o", ["orders"]),
        ("devenv up --real p", ["postgres"]),
        ("devenv up --output = j", ["json"]),
        ("devenv explain crash", ["crash-loop"]),
        ("devenv url nothing", [""]),
    ],
)
def test_bash(words: str, offers: list[str], project: Path, env: dict[str, str]) -> None:
    assert bash(words, project, env) == offers


def test_fish(project: Path, env: dict[str, str]) -> None:
    needs("fish")

    def offers(line: str) -> list[str]:
        command = f"devenv completion fish | source; complete -C '{line}'"
        return [found.partition("\t")[0] for found in run(["fish", "--no-config", "-c", command], project, env)]

    assert sorted(offers("devenv s")) == ["status", "sync"]
    assert sorted(offers("devenv logs ")) == ["orders", "postgres", "redis", "web"]
    assert offers("devenv up --output=j") == ["--output=json"]
    assert "--dry-run" in offers("devenv up --")
    assert "profiles/" in offers("devenv up -f ")


class Keys:
    """A program in a terminal, to type at."""

    def __init__(self, argv: Sequence[str], cwd: Path, env: dict[str, str]) -> None:
        self._text = ""
        self._pid, self._file = pty.fork()
        if self._pid == 0:
            os.chdir(cwd)
            os.execvpe(argv[0], list(argv), env)

    def type(self, keys: str, until: str) -> None:
        """Type, and wait until the screen shows something."""
        self._text = ""
        os.write(self._file, keys.encode())
        deadline = time.monotonic() + START_SECONDS
        while not re.search(until, self._text) and time.monotonic() < deadline:
            if select.select([self._file], [], [], QUIET_SECONDS)[0]:
                self._text += os.read(self._file, 65536).decode(errors="replace")
        assert re.search(until, self._text), self._text

    def close(self) -> None:
        """End it."""
        os.close(self._file)
        with suppress(ChildProcessError):
            os.waitpid(self._pid, 0)


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_the_tab_key(shell: str, project: Path, env: dict[str, str]) -> None:
    needs(shell)
    start = {
        "bash": 'eval "$(devenv completion bash)"',
        "zsh": "autoload -Uz compinit; compinit -u; source <(devenv completion zsh)",
    }[shell]
    keys = Keys([shell, "--norc" if shell == "bash" else "-f", "-i"], project, env)
    try:
        keys.type(f"{start}; echo rea''dy\n", "ready")
        keys.type("devenv up --real post\t", "--real postgres ")
        keys.type("\x15devenv logs orders \t\t", r"(?s)postgres\s+redis.*\sweb")
        keys.type("\x15devenv up --file prof\t", "profiles/")
        keys.type("\x15devenv expl\tcrash\t", "crash-loop ")
    finally:
        keys.close()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_installed_and_read_by_a_new_shell(shell: str, project: Path, env: dict[str, str]) -> None:
    needs(shell)
    env.pop("XDG_DATA_HOME", None)
    asked = subprocess.run(
        ["devenv", "completion", "install"],
        cwd=project,
        env={**env, "SHELL": f"/bin/{shell}"},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert (asked.returncode, "[unconfirmed]" in asked.stderr) == (15, True)
    assert not (project / ".zshrc").exists()
    run(["devenv", "completion", "install", "--shell", shell, "--yes"], project, env)
    again = run(["devenv", "completion", "install", "--shell", shell, "--yes"], project, env)
    assert again[0].startswith(f"completion for {shell} is installed: ")
    if shell == "fish":
        assert run(["fish", "-c", "complete -C 'devenv s'"], project, env)[0].startswith("status")
    elif shell == "zsh":
        assert run(["zsh", "-c", "source ~/.zshrc; print $_comps[devenv]"], project, env) == ["_devenv"]
    else:
        place = project / ".local/share/bash-completion/completions/devenv"
        told = run(["bash", "--norc", "-c", f"source {place}; complete -p devenv"], project, env)
        assert told == ["complete -F _devenv devenv"]


def test_a_shell_that_is_none_of_ours(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELL", "/bin/tcsh")
    done = devenv(project, "completion", "install")
    assert (done.code, "[shell-unknown]" in done.err) == (2, True)


def test_a_place_that_cant_be_written(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(project / "devenv.yaml"))
    monkeypatch.delenv("BASH_COMPLETION_USER_DIR", raising=False)
    done = devenv(project, "completion", "install", "--shell", "bash", "--yes")
    assert (done.code, "[file-not-written]" in done.err) == (11, True)


def test_a_tab_never_says_anything_else(project: Path) -> None:
    for words in ([], ["tcsh"], ["bash"], ["bash", "--", "nothing", ""], ["bash", "--", "up", "-f", "\udcff", "x"]):
        done = devenv(project, "__complete", *words)
        assert (done.code, done.err) == (0, "")
