"""A service whose program only says that it runs, and trees compared on both sides."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.conftest import Project
from tests.conftest import Machine

CONFIG = """\
name: NAME
services:
  app:
    image: python:3.11-slim
    command: [python, -u, /app/src/main.py]
    env: {ROUND: "0"}
    sync:
      - {from: src, to: /app/src, reload: restart}
"""
PROGRAM = """\
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
print("main runs", flush=True)
signal.pause()
"""
TREE = """
import hashlib, json, os, stat, sys
root, found = os.fsencode(sys.argv[1]), {}
for folder, folders, files in os.walk(root):
    for name in folders + files:
        path = os.path.join(folder, name)
        mode = os.lstat(path).st_mode
        key = os.path.relpath(path, root).decode("utf-8", "surrogateescape")
        if stat.S_ISLNK(mode):
            found[key] = "link " + os.readlink(path).decode("utf-8", "surrogateescape")
        elif stat.S_ISDIR(mode):
            found[key] = "dir"
        else:
            with open(path, "rb") as file:
                found[key] = hashlib.sha256(file.read()).hexdigest() + (" x" if mode & 0o100 else "")
print(json.dumps(found))
"""


class TreeProject(Project):
    """A project whose source is a tree of files."""

    @property
    def source(self) -> Path:
        return self.folder / "src"

    def exec(self, *command: str) -> str:
        return self.kubectl("exec", "deploy/app", "-c", "app", "--", *command)

    def there(self) -> dict[str, str]:
        """What the container has, by path: hash and x-bit, link text, or that it is a folder."""
        return dict(json.loads(self.exec("python", "-c", TREE, "/app/src")))

    def here(self) -> dict[str, str]:
        """The same of the source; what git has is not sent."""
        return {path: what for path, what in _walk(self.source) if not path.startswith(".git/") and path != ".git"}

    def settle(self) -> None:
        """Wait until everything that is saved is there, and see that it is."""
        done = self.devenv("wait", "--for", "synced", "--timeout", "60s")
        assert done.code == 0, done.text
        assert self.there() == self.here()

    def session_log(self) -> str:
        """What the session said so far."""
        [log] = Path(self.machine.env["XDG_STATE_HOME"]).glob(f"devenv/log/????????-{self.name}.log")
        return log.read_text()

    def git(self, *arguments: str) -> None:
        subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments],
            cwd=self.source,
            check=True,
            capture_output=True,
        )


def _walk(root: Path) -> Iterator[tuple[str, str]]:
    for folder, folders, files in os.walk(root):
        for name in folders + files:
            path = Path(folder, name)
            key = str(path.relative_to(root))
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode):
                yield key, f"link {os.readlink(path)}"
            elif stat.S_ISDIR(mode):
                yield key, "dir"
            else:
                yield key, hashlib.sha256(path.read_bytes()).hexdigest() + (" x" if mode & 0o100 else "")


def make_tree(machine: Machine, folder: Path, name: str) -> TreeProject:
    """The project, not up."""
    project = TreeProject(machine, folder, name)
    project.write("devenv.yaml", CONFIG.replace("NAME", name))
    project.write("src/main.py", PROGRAM)
    return project


@pytest.fixture(scope="module")
def tree(machine: Machine, cluster: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TreeProject]:
    """The project, up; tests of one module share it."""
    project = make_tree(machine, tmp_path_factory.mktemp("tree") / "p", "tree")
    done = project.devenv("up", "-d")
    assert done.code == 0, done.text
    yield project
    project.remove()
