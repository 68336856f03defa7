"""The in-pod program, run by real shells: whatever happens to a source, its target becomes equal."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from devenv.config.model import Origin, Reload, Service, SyncRule
from devenv.errors import ClusterError, SyncError
from devenv.problems import BUG
from devenv.session.sync.outcome import Outcome
from devenv.session.sync.service_sync import ServiceSync
from devenv.sync.ignore import Ignore
from devenv.sync.index import rescan, scan
from tests.scale import scaled, seconds
from tests.unit.sync.shells import LocalPods, make_pods
from tests.unit.sync.trees import read_tree

FLAVOURS = ("dash", "busybox")
ODD_NAMES = [
    "plain",
    "a b",
    "-rf",
    "*",
    "it's",
    '"',
    "$HOME",
    "back\\slash",
    ".dot",
    "..two",
    "é",
    os.fsdecode(b"\xff"),
    "l" * 255,
]


def make_service(*rules: SyncRule) -> Service:
    return Service("orders", None, "x", {}, {}, None, rules, None, (), (), Origin(Path("devenv.yaml"), 1, 1))


class Bench:
    """A source folder, a target folder, and a sync between them."""

    def __init__(self, flavour: str, folder: Path, reload: Reload = Reload("restart")) -> None:  # noqa: B008
        self.folder = folder
        self.source, self.target = folder / "source", folder / "container/app"
        self.source.mkdir()
        self.pods: LocalPods = make_pods(flavour, folder)
        self.service = make_service(SyncRule(self.source, str(self.target), reload))
        self.ignore = Ignore(self.source)
        self.index = scan(self.source, self.ignore)
        self.sync = self.connect()

    def connect(self, container: str = "containerd://one") -> ServiceSync:
        return ServiceSync.connect(
            self.service, self.pods, [self.index], place=("shop", "orders-1", "orders"), container_id=container
        )

    def bring(self) -> Outcome:
        self.index, changed = rescan(self.index, self.ignore, [""])
        self.sync.mark(0, changed)
        sent, reloaded = self.sync.send([self.index]), self.sync.reload()
        return replace(sent, reloaded=reloaded.reloaded, output=reloaded.output)

    def close(self) -> None:
        self.pods.close()


@pytest.fixture(params=FLAVOURS)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(request.param, tmp_path)
    yield bench
    bench.close()


def test_names_of_every_kind_arrive(bench: Bench) -> None:
    for name in ODD_NAMES:
        (bench.source / name).mkdir()
        (bench.source / name / name).write_text(name, errors="surrogateescape")
    bench.bring()
    assert read_tree(bench.target) == read_tree(bench.source)


def test_modes_links_and_times_arrive(bench: Bench) -> None:
    (bench.source / "run").write_text("x")
    (bench.source / "run").chmod(0o755)
    os.utime(bench.source / "run", ns=(0, 1_600_000_000_000_000_000))
    (bench.source / "dangling").symlink_to("nowhere")
    bench.bring()
    assert read_tree(bench.target) == read_tree(bench.source)
    assert (bench.target / "run").stat().st_mtime_ns == 1_600_000_000_000_000_000


def test_a_container_that_has_it_all_gets_nothing_and_is_not_reloaded(bench: Bench) -> None:
    (bench.source / "a").write_text("x")
    (bench.source / "back\\slash").write_text("y")
    shutil.copytree(bench.source, bench.target, dirs_exist_ok=True)
    outcome = bench.bring()
    assert (outcome.files, outcome.reloaded) == (0, ())
    assert bench.pods.sent() == []


def test_foreign_and_ignored_files_are_left_alone(bench: Bench) -> None:
    (bench.source / "package").mkdir()
    (bench.source / "package/a.py").touch()
    bench.bring()
    (bench.target / "package/foreign").touch()
    shutil.rmtree(bench.source / "package")
    bench.bring()
    assert set(read_tree(bench.target)) == {"package", "package/foreign"}


def test_bytecode_does_not_keep_a_deleted_package_alive(bench: Bench) -> None:
    (bench.source / "package").mkdir()
    (bench.source / "package/a.py").touch()
    bench.bring()
    (bench.target / "package/__pycache__").mkdir()
    (bench.target / "package/__pycache__/a.pyc").touch()
    shutil.rmtree(bench.source / "package")
    bench.bring()
    assert read_tree(bench.target) == {}


def test_a_path_that_becomes_ignored_stays_in_the_container(bench: Bench) -> None:
    (bench.source / "notes.txt").touch()
    bench.bring()
    (bench.source / ".gitignore").write_text("notes.txt\n")
    ignore = Ignore(bench.source)
    index, changed = rescan(bench.index, ignore, [""])
    bench.sync.mark(0, changed)
    bench.sync.send([index], kept=lambda rule, path: ignore.matches(path, is_dir=False))
    assert set(read_tree(bench.target)) == {".gitignore", "notes.txt"}


def test_nothing_is_written_through_a_link_that_leads_out_of_the_target(bench: Bench) -> None:
    outside = bench.folder / "outside"
    outside.mkdir()
    (bench.target / "data").symlink_to(outside)
    (bench.source / "data").mkdir()
    (bench.source / "data/file").write_text("x")
    bench.bring()
    assert list(outside.iterdir()) == []
    assert read_tree(bench.target) == read_tree(bench.source)


def test_no_staging_folder_is_left_behind(bench: Bench) -> None:
    (bench.source / "a").touch()
    bench.bring()
    bench.sync.close()
    assert [place.name for place in bench.target.parent.iterdir()] == ["app"]


def test_a_killed_program_is_swept_up_after_by_the_next(bench: Bench) -> None:
    bench.pods.streams[0].process.kill()
    bench.pods.streams[0].process.wait()
    again = bench.connect()
    again.close()
    assert [place.name for place in bench.target.parent.iterdir()] == ["app"]


def test_after_a_failed_batch_the_container_is_asked_anew(bench: Bench) -> None:
    (bench.source / "a").write_text("x")
    (bench.target / "a").mkdir()
    (bench.target / "a/foreign").touch()
    with pytest.raises(SyncError) as caught:
        bench.bring()
    assert caught.value.code == "sync-failed"
    assert not bench.sync.complete
    shutil.rmtree(bench.target / "a")
    assert bench.bring().files == 1
    assert read_tree(bench.target) == read_tree(bench.source)


def test_a_reader_never_sees_half_a_file(bench: Bench) -> None:
    size = 300_000
    place = bench.source / "page"
    place.write_bytes(b"0" * size)
    bench.bring()
    torn: list[int] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            data = (bench.target / "page").read_bytes()
            if len(data) != size or len(set(data)) != 1:
                torn.append(len(data))

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(40):
        place.write_bytes(str(number % 10).encode() * size)
        bench.bring()
    done.set()
    reader.join()
    assert torn == []


def test_one_file_goes_to_the_name_it_is_given(bench: Bench) -> None:
    (bench.folder / "local.toml").write_text("x")
    rule = SyncRule(bench.folder / "local.toml", str(bench.folder / "container/etc/remote.toml"))
    index = scan(rule.source, Ignore(rule.source), name="remote.toml")
    place = ("shop", "orders-1", "orders")
    sync = ServiceSync.connect(make_service(rule), bench.pods, [index], place=place, container_id="one")
    assert sync.send([index]).files == 1
    assert (bench.folder / "container/etc/remote.toml").read_text() == "x"


@pytest.mark.parametrize("bench", FLAVOURS[:1], indirect=True)
@pytest.mark.parametrize(
    ("reload", "signals", "label"),
    [
        (Reload("restart"), ["-s USR1 1"], ("restart",)),
        (Reload("signal", signal="HUP"), ["-s HUP 1"], ("HUP",)),
        (Reload("none"), [], ()),
        (Reload("rebuild"), [], ()),
    ],
)
def test_a_reload_does_what_its_rule_says(
    bench: Bench, reload: Reload, signals: list[str], label: tuple[str, ...]
) -> None:
    bench.service = make_service(replace(bench.service.sync[0], reload=reload))
    bench.sync = bench.connect()
    bench.bring()
    (bench.source / "a").touch()
    outcome = bench.bring()
    assert bench.pods.sent() == signals
    assert outcome.reloaded == label
    assert outcome.rebuild == (reload.kind == "rebuild")


def test_a_reload_command_runs_and_its_output_comes_back(bench: Bench) -> None:
    reload = Reload("exec", command=("sh", "-c", 'echo "$0"; printf "no newline\\0"', "it's * me"))
    bench.service = make_service(replace(bench.service.sync[0], reload=reload))
    bench.sync = bench.connect()
    (bench.source / "a").touch()
    assert bench.bring().output == "it's * me\nno newline"


def test_a_reload_command_that_fails_is_told_and_the_stream_goes_on(bench: Bench) -> None:
    bench.service = make_service(
        replace(bench.service.sync[0], reload=Reload("exec", command=("sh", "-c", "echo no; exit 3")))
    )
    bench.sync = bench.connect()
    (bench.source / "a").touch()
    with pytest.raises(SyncError, match="exit 3") as caught:
        bench.bring()
    assert caught.value.details == ("no",)
    assert bench.sync.alive
    bench.sync.ping()


@pytest.mark.parametrize("bench", FLAVOURS[:1], indirect=True)  # this busybox finds its tools without any file
@pytest.mark.parametrize("tool", ["tar", "sha256sum"])
def test_a_missing_tool_is_named(bench: Bench, tool: str) -> None:
    (Path(bench.pods.path) / tool).unlink()
    with pytest.raises(SyncError, match=f"has no {tool}") as caught:
        bench.connect()
    assert caught.value.code == "sync-needs-shell"


def test_a_missing_shell_is_named(bench: Bench) -> None:
    said = 'exec: "sh": executable file not found in $PATH: unknown'
    bench.pods.failures.append(ClusterError(BUG, reason=said, log=""))
    with pytest.raises(SyncError, match="has no sh"):
        bench.connect()


def test_a_target_that_can_not_be_written_is_named(bench: Bench) -> None:
    (bench.folder / "file").touch()
    bench.service = make_service(SyncRule(bench.source, str(bench.folder / "file/app")))
    with pytest.raises(SyncError, match="file/app") as caught:
        bench.connect()
    assert caught.value.code == "sync-not-writable"


NAMES = st.sampled_from(["a", "b", ".c", "d e", "__pycache__"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)


class Edits(RuleBasedStateMachine):
    """Any sequence of operations on a source, with syncs, lost connections and new containers between them."""

    flavour = "dash"

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench(self.flavour, Path(tempfile.mkdtemp()))
        self.clean = True

    def _clear(self, place: Path) -> None:
        for parent in reversed(place.relative_to(self.bench.source).parents):
            folder = self.bench.source / parent
            if folder.is_symlink() or folder.is_file():
                folder.unlink()
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place)
        else:
            place.unlink(missing_ok=True)
        self.clean = False

    @rule(path=PATHS, data=st.binary(max_size=3), mode=st.sampled_from([0o644, 0o755]))
    def write(self, path: str, data: bytes, mode: int) -> None:
        place = self.bench.source / path
        self._clear(place)
        place.write_bytes(data)
        place.chmod(mode)

    @rule(path=PATHS)
    def make(self, path: str) -> None:
        self._clear(self.bench.source / path)
        (self.bench.source / path).mkdir()

    @rule(path=PATHS, aim=NAMES)
    def link(self, path: str, aim: str) -> None:
        self._clear(self.bench.source / path)
        (self.bench.source / path).symlink_to(aim)

    @rule(path=PATHS)
    def remove(self, path: str) -> None:
        self._clear(self.bench.source / path)

    @rule(old=NAMES, new=NAMES)
    def rename(self, old: str, new: str) -> None:
        if old != new and os.path.lexists(self.bench.source / old):
            self._clear(self.bench.source / new)
            (self.bench.source / old).rename(self.bench.source / new)

    @rule()
    def sync(self) -> None:
        self.bench.bring()
        self.clean = True

    @rule()
    def reconnect(self) -> None:
        self.bench.sync.close()
        acked = list(self.bench.sync._acked[0])  # noqa: SLF001 - what a loop remembers as seen
        self.bench.sync = self.bench.connect()
        self.bench.sync.adopt([self.bench.index], [acked])
        self.bench.bring()
        self.clean = True

    @invariant()
    def target_is_equal_once_synced(self) -> None:
        if self.clean:
            expected = {path: what for path, what in read_tree(self.bench.source).items() if "__pycache__" not in path}
            assert read_tree(self.bench.target) == expected

    def teardown(self) -> None:
        self.bench.close()
        shutil.rmtree(self.bench.folder)


@pytest.mark.timeout(seconds())
@pytest.mark.parametrize("flavour", FLAVOURS)
def test_any_sequence_of_edits_converges(flavour: str) -> None:
    if not shutil.which(flavour):
        pytest.skip(f"{flavour} is not installed")
    machine = type("Machine", (Edits,), {"flavour": flavour})
    checks = settings(
        max_examples=scaled(12, full=300),
        stateful_step_count=15,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=checks)
