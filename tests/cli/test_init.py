"""`devenv init` as a user meets it: without a terminal, at one, and when interrupted there."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.test_boundary import devenv
from tests.conftest import ROOT, own_folders

DOCKERFILE = "FROM x\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "Dockerfile").write_text(f"{DOCKERFILE}EXPOSE 80\n")
    (folder / ".env.example").write_text("REDIS_URL=redis://localhost\n")
    return folder


def written(folder: Path) -> list[str]:
    return [path for path in ("devenv.yaml", "profiles/default.yaml", ".gitignore") if (folder / path).exists()]


def test_without_a_terminal_the_proposal_is_shown_and_how_to_accept_it(project: Path) -> None:
    done = devenv(project, "init")
    assert (done.code, "[unconfirmed]" in done.err, "hint: devenv init --yes writes it" in done.err) == (15, True, True)
    assert "name: shop" in done.out
    assert written(project) == []


def test_yes_takes_the_proposal_and_a_second_run_changes_nothing(project: Path) -> None:
    done = devenv(project, "init", "--yes")
    assert done.code == 0
    assert done.out.splitlines()[-2:] == ["wrote devenv.yaml, profiles/default.yaml", "next: devenv up"]
    assert devenv(project, "init", "--yes").out == "nothing changed\nnext: devenv up\n"
    assert devenv(project, "up", "--dry-run").code == 0


def test_what_is_there_is_replaced_only_with_overwrite(project: Path) -> None:
    (project / "devenv.yaml").write_text("name: mine\n")
    done = devenv(project, "init", "--yes")
    assert (done.code, "[init-exists]" in done.err, "-name: mine" in done.out) == (15, True, True), done.text
    assert (project / "devenv.yaml").read_text() == "name: mine\n"
    assert devenv(project, "init", "--yes", "--overwrite").code == 0
    assert "name: shop" in (project / "devenv.yaml").read_text()


def test_the_schema_is_named_for_editors_only_where_that_is_asked_for(project: Path) -> None:
    assert "yaml-language-server" not in devenv(project, "init", "--dry-run").out
    assert devenv(project, "init", "--yes", "--schema-line").code == 0
    first = (project / "devenv.yaml").read_text().splitlines()[0]
    assert first.startswith("# yaml-language-server: $schema=/")
    assert Path(first.partition("=")[2]).is_file()


def test_json(project: Path) -> None:
    shown = json.loads(devenv(project, "init", "--dry-run", "-o", "json").out)
    assert sorted(shown) == ["faults", "files", "name", "notes", "written"]
    assert json.loads(devenv(project, "init", "-o", "json").out)["error"]["code"] == "unconfirmed"
    assert written(project) == []
    done = json.loads(devenv(project, "init", "-o", "json", "--yes").out)
    assert (done["written"], done["faults"]) == (["devenv.yaml", "profiles/default.yaml"], [])


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--port", "x"], 2, "[init-option]"),
        (["--port", "shop=99999"], 2, "[init-option]"),
        (["--service", "x"], 2, "[init-option]"),
        (["--dependency", "=x"], 2, "[init-option]"),
        (["--from", "none.yaml"], 10, "[compose-invalid]"),
        (["--from", "Dockerfile"], 10, "[compose-invalid]"),
        (["--prot", "x"], 2, "No such option"),
    ],
)
def test_what_is_wrong_is_told(project: Path, arguments: list[str], code: int, said: str) -> None:
    done = devenv(project, "init", *arguments)
    assert (done.code, said in done.err, "Traceback" in done.text) == (code, True, False), done.text


def test_an_empty_folder(tmp_path: Path) -> None:
    done = devenv(tmp_path, "init")
    assert (done.code, "[init-nothing]" in done.err) == (10, True)


def at_a_terminal(folder: Path, keys: list[tuple[str, str]]) -> tuple[int, str]:
    """Run `devenv init` at a terminal; `keys` are what to wait for and what is typed then."""
    main, side = pty.openpty()
    env = {**os.environ, **own_folders(folder / "home"), "PYTHONPATH": str(ROOT), "TERM": "xterm", "NO_COLOR": "1"}
    command = [sys.executable, "-m", "devenv", "init"]
    process = subprocess.Popen(
        command, cwd=folder, env=env, stdin=side, stdout=side, stderr=side, start_new_session=True,
        preexec_fn=_take_terminal,
    )  # fmt: skip
    os.close(side)
    said, end = "", time.monotonic() + 40
    while time.monotonic() < end:
        if select.select([main], [], [], 0.1)[0]:
            try:
                said += os.read(main, 65536).decode(errors="replace")
            except OSError:
                break
        if keys and keys[0][0] in said:
            time.sleep(0.2)
            os.write(main, keys.pop(0)[1].encode())
    os.close(main)
    return process.wait(timeout=10), said


def _take_terminal() -> None:
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def test_at_a_terminal_it_asks_what_nothing_tells(project: Path) -> None:
    (project / "Dockerfile").write_text(DOCKERFILE)
    (project / ".gitignore").write_text("")
    keys = [("Which port does shop listen on?", "8080\r"), ("Write devenv.yaml", "y"), (".gitignore?", "y")]
    code, said = at_a_terminal(project, keys)
    assert (code, "next: devenv up" in said) == (0, True), said
    assert "ports: {http: 8080}" in (project / "devenv.yaml").read_text()
    assert (project / ".gitignore").read_text() == "devenv.local.yaml\n.devenv/\n"


@pytest.mark.parametrize("question", ["Which port does shop", "Write devenv.yaml"])
def test_an_interrupt_at_a_question_writes_nothing(project: Path, question: str) -> None:
    (project / "Dockerfile").write_text(DOCKERFILE)
    (project / ".gitignore").write_text("")
    keys = [(question, "\x03")] if "port" in question else [("Which port does shop", "\r"), (question, "\x03")]
    code, said = at_a_terminal(project, keys)
    assert (code, "Traceback" in said) == (130, False), said
    assert written(project) == [".gitignore"]
    assert (project / ".gitignore").read_text() == ""
