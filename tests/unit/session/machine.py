"""Random edits of a source under random faults: after each settling, the container's tree equals the source's."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Protocol

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from devenv.ports import Change
from tests.unit.session.agent_scene import STAGE, AgentScene
from tests.unit.sync.trees import read_tree

NAMES = ("a", "b", "c.log", "d", "é", "e f")
PATHS = [*NAMES, *(f"{folder}/{name}" for folder in ("a", "d", "sub") for name in NAMES), "sub/d/a", "sub/d/b"]
FOREIGN = ("foreign", "outside/foreign")
TEXTS = ("", "one", "two", "six", "a much longer text, and then some", "x" * 70_000)
IGNORED = ("", "*.log\n", "sub/\n", "*.log\n!/c.log\n", "/d\n")

paths = st.sampled_from(PATHS)
texts = st.integers(0, len(TEXTS) - 1).map(TEXTS.__getitem__)
told = st.sampled_from(["told", "told", "bare", "dropped", "twice", "late", "overflow"])


class World(Protocol):
    """What the faults are done to."""

    scene: AgentScene

    def cut(self, after: int) -> None:
        """The stream, or the next, ends after so many bytes, maybe in the midst of a frame."""

    def stall(self) -> None:
        """The container falls silent until `resume`."""

    def resume(self) -> None:
        """No fault is left."""

    def kill_agent(self) -> None:
        """It ends at once, leaving what is staged."""

    def restart_container(self) -> None:
        """A new start in the same pod."""

    def replace_pod(self) -> None:
        """A new pod with the image's files."""

    def close(self) -> None:
        """The end."""


class SyncMachine(RuleBasedStateMachine):
    """The rules; `make_world` is set by who runs it."""

    make_world: Callable[[Path], World]

    def __init__(self) -> None:
        super().__init__()
        self.late: list[Path] = []
        self.prepare()

    def prepare(self) -> None:
        """Everything at its start."""
        self.folder = Path(tempfile.mkdtemp(prefix="devenv-machine-"))
        self.world = type(self).make_world(self.folder)
        self.scene = self.world.scene
        self.scene.loop.__enter__()

    def teardown(self) -> None:
        try:
            self.settle()
        finally:
            self.world.resume()
            self.scene.loop.__exit__(None, None, None)
            self.world.close()
            shutil.rmtree(self.folder, ignore_errors=True)

    def tell(self, how: str, *places: Path) -> None:
        late, self.late = self.late, []
        for place in late:
            self.scene.watcher.tell(Change(place))
        match how:
            case "told" | "bare":
                for place in places:
                    self.scene.watcher.tell(Change(place, settled=how == "told"))
            case "twice":
                for place in (*places, *places):
                    self.scene.watcher.tell(Change(place))
            case "late":
                self.late += places
            case "overflow":
                self.scene.watcher.tell(Change(self.scene.source, overflow=True))

    def clear(self, path: str) -> Path:
        """Make room for something at a path: no link or file is in the way of its folders."""
        place = self.scene.source
        for part in Path(path).parts[:-1]:
            place = place / part
            if place.is_symlink() or place.is_file():
                place.unlink()
            place.mkdir(exist_ok=True)
        place = self.scene.source / path
        remove(place)
        return place

    @rule(path=paths, text=texts, how=told, executable=st.booleans())
    def write(self, path: str, text: str, how: str, executable: bool) -> None:
        place = self.scene.source / path
        if not place.is_file() or place.is_symlink() or has_link_above(place, self.scene.source):
            place = self.clear(path)
        place.write_text(text)
        place.chmod(0o755 if executable else 0o644)
        self.tell(how, place)

    @rule(path=paths, how=told)
    def edit_keeping_size_and_time(self, path: str, how: str) -> None:
        place = self.scene.source / path
        if place.is_file() and not place.is_symlink():
            status, data = place.stat(), place.read_bytes()
            place.write_bytes(data[::-1])
            os.utime(place, ns=(status.st_atime_ns, status.st_mtime_ns))
            self.tell(how, place)

    @rule(path=paths, text=texts, how=told)
    def save_by_rename(self, path: str, text: str, how: str) -> None:
        place = self.clear(path)
        young = self.scene.folder / "young"
        young.write_text(text)
        young.rename(place)
        self.tell(how, place)

    @rule(path=paths, how=told)
    def delete(self, path: str, how: str) -> None:
        if not has_link_above(self.scene.source / path, self.scene.source):
            remove(self.scene.source / path)
            self.tell(how, self.scene.source / path)

    @rule(path=paths, how=told)
    def make_folder(self, path: str, how: str) -> None:
        place = self.clear(path)
        place.mkdir()
        self.tell(how, place)

    @rule(path=paths, text=st.sampled_from(["a", "nowhere", "sub", "../a", "/etc/passwd", "../../../x", "."]), how=told)
    def link(self, path: str, text: str, how: str) -> None:
        place = self.clear(path)
        place.symlink_to(text)
        self.tell(how, place)

    @rule(one=paths, other=paths, how=told)
    def rename(self, one: str, other: str, how: str) -> None:
        source = self.scene.source / one
        if not os.path.lexists(source) or f"{other}/".startswith(f"{one}/") or f"{one}/".startswith(f"{other}/"):
            return
        if has_link_above(source, self.scene.source):
            return
        kept = self.scene.folder / "kept"
        source.rename(kept)
        aim = self.clear(other)
        kept.rename(aim)
        self.tell(how, source, aim)

    @rule(path=paths, how=told)
    def toggle_executable(self, path: str, how: str) -> None:
        place = self.scene.source / path
        if place.is_file() and not place.is_symlink():
            place.chmod(place.stat().st_mode ^ 0o111)
            self.tell(how, place)

    @rule(text=st.sampled_from(IGNORED), how=told)
    def edit_ignore(self, text: str, how: str) -> None:
        place = self.scene.source / ".gitignore"
        place.write_text(text)
        self.tell(how, place)

    @rule(edits=st.lists(st.tuples(paths, texts), min_size=3, max_size=8))
    def burst(self, edits: list[tuple[str, str]]) -> None:
        for path, text in edits:
            place = self.clear(path)
            place.write_text(text)
            self.scene.watcher.tell(Change(place, settled=False))

    @rule(path=st.sampled_from(FOREIGN))
    def put_a_foreign_file(self, path: str) -> None:
        self.add_foreign(path)

    def add_foreign(self, path: str) -> None:
        place = self.scene.target / path
        place.parent.mkdir(exist_ok=True)
        place.write_text("foreign")

    @rule(after=st.integers(0, 200_000))
    def cut(self, after: int) -> None:
        self.world.cut(after)

    @rule()
    def stall(self) -> None:
        self.world.stall()

    @rule()
    def resume(self) -> None:
        self.world.resume()

    @rule()
    def kill_agent(self) -> None:
        self.world.kill_agent()

    @rule()
    def restart_container(self) -> None:
        self.world.restart_container()

    @rule()
    def replace_pod(self) -> None:
        self.world.replace_pod()

    @rule()
    def restart_session(self) -> None:
        self.restart()

    def restart(self) -> None:
        self.scene.loop.__exit__(None, None, None)
        self.scene.make_loop().__enter__()

    @precondition(lambda self: True)
    @rule()
    def settle(self) -> None:
        self.world.resume()
        self.tell("dropped")
        self.scene.wait_synced()
        self.compare()

    def compare(self) -> None:
        patterns = ignored_now(self.scene.source)
        here = read_tree(self.scene.source)
        there, foreign = self.trees()
        assert STAGE not in there
        for path in foreign:
            assert there[path] == (b"foreign", False)
        wanted = {path: what for path, what in here.items() if not is_left_out(path, what, patterns)}
        found = {path: what for path, what in there.items() if not is_ignored(path, patterns) and path not in foreign}
        # A folder goes only with its last file, and what is ignored or foreign stays.
        kept = {parent for path in there.keys() - found.keys() for parent in parents(path)}
        found = {path: what for path, what in found.items() if path in wanted or path not in kept}
        wrong = {path for path in found.keys() | wanted.keys() if found.get(path) != wanted.get(path)}
        assert not wrong, {path: (str(found.get(path))[:60], str(wanted.get(path))[:60]) for path in sorted(wrong)}

    def trees(self) -> tuple[dict[str, object], set[str]]:
        """The container's tree, and what is foreign in it."""
        there = read_tree(self.scene.target)
        return there, set(FOREIGN) & there.keys()


def read_lines(place: Path) -> list[str]:
    return place.read_text().splitlines() if place.is_file() else []


def ignored_now(source: Path) -> list[str]:
    return read_lines(source / ".gitignore")


def is_ignored(path: str, patterns: list[str]) -> bool:
    """The few forms of IGNORED, as git reads them."""
    return any(matches(each, patterns) for each in [*parents(path), path])


def matches(path: str, patterns: list[str]) -> bool:
    verdict = False
    for pattern in patterns:
        text = pattern.lstrip("!").rstrip("/")
        hit = path == text[1:] if text.startswith("/") else fnmatch(path.rpartition("/")[2], text)
        # Of the names here, only "sub" is written with a slash behind it, and only ever a folder where it counts.
        verdict = (not pattern.startswith("!")) if hit else verdict
    return verdict


def is_left_out(path: str, what: object, patterns: list[str]) -> bool:
    if is_ignored(path, patterns):
        return True
    if isinstance(what, tuple) and what[0] == "link":
        aim = os.path.normpath(os.path.join(os.path.dirname(path), what[1]))
        return os.path.isabs(what[1]) or aim == ".." or aim.startswith("../")
    return False


def parents(path: str) -> Iterator[str]:
    return (str(parent) for parent in Path(path).parents if str(parent) != ".")


def has_link_above(place: Path, root: Path) -> bool:
    return any(parent.is_symlink() for parent in place.parents if parent.is_relative_to(root))


def remove(place: Path) -> None:
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    elif os.path.lexists(place):
        place.unlink()
