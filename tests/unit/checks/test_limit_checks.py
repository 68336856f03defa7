from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from devenv.checks import limits
from devenv.checks.check import GIB, MIB
from devenv.checks.facts import InotifyUse
from devenv.checks.limits import memory_of
from devenv.config.model import (
    ContainerStep,
    Dependency,
    Environment,
    Origin,
    Project,
    Real,
    Resources,
    Running,
    Stub,
    SyncRule,
)
from devenv.plan.units import units_of
from tests.fakes.machine import PROJECT, Fakes, environment, service


@pytest.fixture
def fakes() -> Fakes:
    return Fakes(environment=environment())


def put_limit(fakes: Fakes, name: str, value: int) -> None:
    fakes.files.put(f"/proc/sys/fs/inotify/max_user_{name}", str(value))


@pytest.mark.parametrize(("limit", "status"), [(524288, "ok"), (8192, "warn"), (7000, "fail")])
def test_watches_against_the_folders_of_the_sync_rules(fakes: Fakes, limit: int, status: str) -> None:
    put_limit(fakes, "watches", limit)
    fakes.files.folders[PROJECT / "orders"] = 7200
    verdict = limits.inotify_watches(fakes.scene)
    assert (verdict.status, "7200 folders" in verdict.text, bool(verdict.fixes)) == (status, True, status != "ok")


def test_a_folder_below_another_is_watched_once(fakes: Fakes) -> None:
    rules = (SyncRule(PROJECT / "a", "/a"), SyncRule(PROJECT / "a/b", "/b"), SyncRule(PROJECT / "a", "/c"))
    fakes.environment = environment(service("orders", sync=rules))
    fakes.files.folders = {PROJECT / "a": 5, PROJECT / "a/b": 3}
    assert "5 folders" in limits.inotify_watches(fakes.scene).text
    fakes.files.folders = {PROJECT / "a": 1}
    assert limits.inotify_watches(fakes.scene).text.endswith(", 1 folder to watch")


@pytest.mark.parametrize(("limit", "used", "status"), [(512, 60, "ok"), (128, 100, "warn"), (128, 128, "fail")])
def test_instances(fakes: Fakes, limit: int, used: int, status: str) -> None:
    put_limit(fakes, "instances", limit)
    fakes.machine.in_use = InotifyUse(used, 0)
    assert limits.inotify_instances(fakes.scene).status == status


def test_the_fix_raises_the_limit_and_keeps_it(fakes: Fakes) -> None:
    put_limit(fakes, "instances", 10)
    setting = "fs.inotify.max_user_instances=512"
    assert limits.inotify_instances(fakes.scene).fixes == (
        ("sudo", "sysctl", "-w", setting),
        ("sudo", "sh", "-c", f"echo {setting} > /etc/sysctl.d/60-devenv-instances.conf"),
    )


def test_a_running_nodes_share_is_in_use_already_where_it_is_seen(fakes: Fakes) -> None:
    put_limit(fakes, "instances", 128)
    fakes.machine.in_use = InotifyUse(100, 0)
    fakes.nodes.add("devenv-control-plane")
    assert limits.inotify_instances(fakes.scene).status == "warn"
    fakes.machine.uid = 0
    assert limits.inotify_instances(fakes.scene).status == "ok"


def test_a_system_without_inotify(fakes: Fakes) -> None:
    fakes.files.texts.clear()
    scene = fakes.scene
    assert {limits.inotify_watches(scene).status, limits.inotify_instances(scene).status} == {"skipped"}


@pytest.mark.parametrize(("count", "status"), [(4096, "ok"), (256, "warn"), (64, "fail")])
def test_open_files(fakes: Fakes, count: int, status: str) -> None:
    fakes.machine.files_open = count
    assert limits.open_files(fakes.scene).status == status


@pytest.mark.parametrize(("memory", "status"), [(16 * GIB, "ok"), (2.2 * GIB, "warn"), (1.5 * GIB, "fail")])
def test_memory_of_the_plan(fakes: Fakes, memory: float, status: str) -> None:
    fakes.environment = environment(*(service(f"s{number}") for number in range(10)))
    fakes.daemon.told["memory"] = int(memory)
    verdict = limits.plan_memory(fakes.scene)
    assert (verdict.status, "10 units" in verdict.text) == (status, True)


def memory(*, replicas: int | None = None, trim: bool = False, **said: str) -> Running:
    """What is said of memory as `request` and `limit`."""
    kinds = {kind: {"memory": said[kind]} for kind in ("request", "limit") if kind in said}
    return Running(replicas, Resources(kinds.get("request", {}), kinds.get("limit", {}), trim))


def real(name: str, running: Running, memory: str | None = None) -> Dependency:
    origin = Origin(PROJECT / "devenv.yaml", 1, 1)
    return Dependency(name, "real", None, Real("x:1", {}, running=running), origin, memory=memory)


def taken(environment: Environment) -> dict[str, float]:
    """What each unit takes, in MiB."""
    return {name: memory_of(environment, unit) / MIB for name, unit in units_of(environment).items()}


@pytest.mark.parametrize(
    ("running", "mib"),
    [
        (Running(), 128),
        (memory(replicas=3), 384),
        (memory(request="1Gi"), 1024),
        (memory(request="1Gi", limit="2Gi", replicas=2), 2048),
        (memory(limit="2Gi"), 2048),
        (memory(limit="64Mi"), 64),
        (memory(request="1048576k"), 1000),
        (memory(request="0"), 128),
        (memory(trim=True), 128),
        (memory(trim=True, limit="2Gi", replicas=2), 256),
        (memory(trim=True, limit="64Mi"), 64),
    ],
)
def test_memory_of_a_service_is_what_it_asks_for_times_its_pods(running: Running, mib: float) -> None:
    assert taken(environment(service("web", running=running))) == {"web": mib}


@pytest.mark.parametrize(
    ("running", "known", "mib"),
    [
        (Running(), None, 192),
        (Running(), "32Mi", 32),
        (memory(replicas=2), "32Mi", 64),
        (memory(request="1Gi"), "32Mi", 1024),
        (memory(trim=True), "512Mi", 512),
        (memory(trim=True, limit="100Mi"), "512Mi", 100),
    ],
)
def test_memory_of_a_dependency_is_what_its_profile_tells_unless_it_asks_for_some(
    running: Running, known: str | None, mib: float
) -> None:
    given = replace(environment(), services={}, dependencies={"db": real("db", running, known)})
    assert taken(given) == {"db": mib}


def test_memory_of_another_projects_service_is_what_the_dependency_tells() -> None:
    origin = Origin(PROJECT / "devenv.yaml", 1, 1)
    users = Dependency("users", "real", None, None, origin, Project(PROJECT / "u/devenv.yaml", "users"), "700Mi")
    assert taken(replace(environment(service("users")), dependencies={"users": users})) == {"users": 700}


def test_stubs_share_an_engine_and_seeds_are_soon_gone() -> None:
    origin = Origin(PROJECT / "devenv.yaml", 1, 1)
    stubbed = {n: Dependency(n, "stub", Stub(PROJECT, {}), None, origin, memory="4Gi") for n in ("a", "b")}
    seeded = service("web", running=Running(replicas=2, seed=(ContainerStep("rows", ("load",)),)))
    amounts = taken(replace(environment(seeded), dependencies=stubbed))
    assert sorted(amounts.values()) == [0, 0, 0, 200, 256]


def test_requests_that_the_machine_has_not_fail(fakes: Fakes) -> None:
    fakes.environment = environment(service("web", running=memory(request="6Gi", replicas=3)))
    verdict = limits.plan_memory(fakes.scene)
    assert (verdict.status, verdict.text) == ("fail", "about 18.7 GiB of 16.0 GiB for 1 unit and the cluster")


def test_no_environment_needs_no_memory(fakes: Fakes) -> None:
    fakes.environment = None
    assert limits.plan_memory(fakes.scene).status == "skipped"


MOUNTS = "/dev/sda1 / ext4 rw 0 0\nC:\\134 /mnt/c 9p rw 0 0\nnas:/x /home/ada/my\\040net nfs4 rw 0 0\n"


@pytest.mark.parametrize(
    ("here", "status", "said"),
    [
        ("/home/ada/shop", "ok", "ext4"),
        ("/mnt/c/Users/ada/shop", "warn", "Linux home"),
        ("/mnt/cdrom", "ok", "ext4"),
        ("/home/ada/my net/shop", "warn", "local disk"),
    ],
)
def test_where_the_project_is(fakes: Fakes, here: str, status: str, said: str) -> None:
    fakes.environment = None
    fakes.files.put("/proc/mounts", MOUNTS)
    scene = fakes.scene
    object.__setattr__(scene, "places", type(scene.places)(Path(here), Path("/r"), Path("/s")))
    verdict = limits.project_folder(scene)
    assert (verdict.status, said in verdict.text + verdict.cure) == (status, True)


def test_no_mounts_to_see(fakes: Fakes) -> None:
    del fakes.files.texts[Path("/proc/mounts")]
    assert limits.project_folder(fakes.scene).status == "skipped"
