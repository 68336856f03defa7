from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from devenv.completion.install import SHELLS, Edit, Shell, edits, script, shell_of


def wanted(shell: Shell, home: Path, *, loads_scripts: bool = True, **environ: str) -> list[Edit]:
    return edits(shell, environ, home=home, loads_scripts=loads_scripts)


def test_where_each_shell_looks(tmp_path: Path) -> None:
    def places(shell: Shell, *, loads_scripts: bool = True, **environ: str) -> list[str]:
        found = wanted(shell, tmp_path, loads_scripts=loads_scripts, **environ)
        return [str(edit.path.relative_to(tmp_path)) for edit in found]

    assert places("bash") == [".local/share/bash-completion/completions/devenv"]
    assert places("bash", loads_scripts=False)[1:] == [".bashrc"]
    assert places("bash", BASH_COMPLETION_USER_DIR=str(tmp_path / "b")) == ["b/completions/devenv"]
    assert places("zsh") == [".local/share/zsh/site-functions/_devenv", ".zshrc"]
    assert places("zsh", ZDOTDIR=str(tmp_path / "z"), XDG_DATA_HOME=str(tmp_path / "d")) == [
        "d/zsh/site-functions/_devenv",
        "z/.zshrc",
    ]
    assert places("fish") == [".config/fish/completions/devenv.fish"]


@pytest.mark.parametrize("shell", SHELLS)
def test_what_is_written_is_there_and_needs_no_second_time(shell: Shell, tmp_path: Path) -> None:
    for edit in wanted(shell, tmp_path, loads_scripts=False):
        assert not edit.done
        edit.apply()
        assert edit.done
    assert script(shell) in [edit.path.read_text() for edit in wanted(shell, tmp_path)]
    assert [path for path in tmp_path.rglob("*.devenv-*")] == []


def test_a_start_up_file_keeps_what_it_has_its_rights_and_its_link(tmp_path: Path) -> None:
    real = tmp_path / "dotfiles/bashrc"
    real.parent.mkdir()
    real.write_bytes(b"alias x=y # \xff")
    real.chmod(0o640)
    (tmp_path / ".bashrc").symlink_to(real)
    edit = wanted("bash", tmp_path, loads_scripts=False)[1]
    edit.apply()
    assert real.read_bytes() == b"alias x=y # \xff" + edit.text.encode()
    assert real.stat().st_mode & 0o777 == 0o640
    assert (tmp_path / ".bashrc").is_symlink()


def test_a_folder_with_strange_letters(tmp_path: Path) -> None:
    home = tmp_path / "my $HOME"
    for edit in wanted("bash", home, loads_scripts=False):
        edit.apply()
    command = ["bash", "--norc", "-c", 'source "$1"; complete -p devenv', "-", str(home / ".bashrc")]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (told.stdout, told.stderr) == ("complete -F _devenv devenv\n", "")


def test_the_users_shell() -> None:
    assert shell_of({"SHELL": "/usr/bin/zsh"}) == "zsh"
    assert shell_of({"SHELL": "/bin/tcsh"}) is None
    assert shell_of({}) is None
