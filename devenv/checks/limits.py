"""Limits of the machine against what this environment needs: watches, open files, memory, the project's disk."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from devenv.checks.check import MIB, Argv, Check, Scene, Verdict, fail, ok, size, skipped, warn
from devenv.checks.docker import NODE_MEMORY
from devenv.config.model import Environment, Resources, Running
from devenv.config.quantities import amount
from devenv.plan.units import Unit, UnitKind, units_of

INOTIFY = Path("/proc/sys/fs/inotify")
ENOUGH = {"watches": 524288, "instances": 512}
"""What kind recommends."""
NODE_NEEDS = {"watches": 1000, "instances": 40}
"""What kubelet, containerd and the pods of a node hold."""

UNIT_MEMORY: Mapping[UnitKind, int] = {
    "service": 128 * MIB,
    "real": 192 * MIB,
    "engine": 200 * MIB,
    "stub": 0,
    "seed": 0,
}
"""What a unit's pod takes when it has little to do, by its kind: where nobody said. A seed is soon gone."""

DEAF = frozenset({"9p", "drvfs", "nfs", "nfs4", "cifs", "smb3", "vboxsf", "fuse.sshfs", "fuse.vmhgfs-fuse"})
"""File systems whose changes from the other side the kernel does not tell of."""


def inotify_watches(scene: Scene) -> Verdict:
    """max_user_watches against what is in use and the folders to be watched."""
    folders = sum(scene.files.count_folders(path) for path in _watched(scene.environment))
    cause = "Every folder below a sync rule takes a watch; without one, what is saved there is not seen."
    shown = "1 folder to watch" if folders == 1 else f"{folders} folders to watch"
    return _inotify(scene, "watches", used=scene.machine.inotify().watches, own=folders, shown=shown, cause=cause)


def inotify_instances(scene: Scene) -> Verdict:
    """max_user_instances against what is in use, a session and a node."""
    cause = (
        "A cluster node takes dozens of instances (of root, whose use only root sees). When they run out, programs in "
        'nodes and pods fail with "too many open files".'
    )
    shown = "a session takes 1"
    return _inotify(scene, "instances", used=scene.machine.inotify().instances, own=1, shown=shown, cause=cause)


def _watched(environment: Environment | None) -> list[Path]:
    """The folders that a session watches, those below another left out."""
    services = environment.services.values() if environment else ()
    sources = {rule.source for spec in services for rule in spec.sync}
    return sorted(path for path in sources if not any(other in path.parents for other in sources))


def _inotify(scene: Scene, kind: str, *, used: int, own: int, shown: str, cause: str) -> Verdict:
    limit = (scene.files.read(INOTIFY / f"max_user_{kind}") or "").strip()
    if not limit.isdecimal():
        return skipped("no inotify on this system")
    left = int(limit) - used - own
    text = f"{limit} allowed, {used} in use, {shown}"
    # A running node's share is in use already, but only root sees it.
    if left >= (8 if scene.machine.uid == 0 and scene.node_runs() else NODE_NEEDS[kind]):
        return ok(text)
    setting = f"fs.inotify.max_user_{kind}={ENOUGH[kind]}"
    cure = f"sudo sysctl -w {setting}; a file in /etc/sysctl.d keeps it after a reboot"
    return (fail if left < 0 else warn)(text, cause, cure, fixes=_raising(scene, kind, setting))


def _raising(scene: Scene, kind: str, setting: str) -> tuple[Argv, ...]:
    keep = f"echo {setting} > /etc/sysctl.d/60-devenv-{kind}.conf"
    return scene.as_root("sysctl", "-w", setting), scene.as_root("sh", "-c", keep)


def open_files(scene: Scene) -> Verdict:
    """How many files and connections a session may have open."""
    limit = scene.machine.open_files()
    if limit >= 1024:
        return ok(str(limit))
    cause = "A session keeps a connection for each container, each forward and each browser that asks."
    return (warn if limit >= 128 else fail)(f"{limit} is low", cause, "ulimit -n 4096, in your shell's profile")


def plan_memory(scene: Scene) -> Verdict:
    """What the environment takes against what Docker has."""
    if scene.environment is None:
        return skipped("no environment here")
    units = list(units_of(scene.environment).values())
    needed = NODE_MEMORY + sum(memory_of(scene.environment, unit) for unit in units)
    there = scene.daemon.info().memory
    count = "1 unit" if len(units) == 1 else f"{len(units)} units"
    text = f"about {size(needed)} of {size(there)} for {count} and the cluster"
    if needed <= 0.8 * there:
        return ok(text)
    cause = "When memory runs out, the kernel ends a program in some pod, and it starts over and over."
    cure = "stub what you don't need for real (devenv up --stub NAME), leave it out (--off NAME), or give Docker more"
    return (warn if needed <= there else fail)(text, cause, cure)


def memory_of(environment: Environment, unit: Unit) -> int:
    """About what all pods of a unit take, in bytes."""
    usual = UNIT_MEMORY[unit.kind]
    running = _running(environment, unit)
    if running is None:
        return usual
    dependency = environment.dependencies.get(unit.name)
    known = _bytes(dependency.memory) if dependency else None
    return (running.replicas or 1) * _memory_of_pod(running.resources, known or usual)


def _running(environment: Environment, unit: Unit) -> Running | None:
    if unit.kind == "service":
        return environment.services[unit.name].running
    real = environment.dependencies[unit.name].real if unit.kind == "real" else None
    return real.running if real else None


def _memory_of_pod(resources: Resources, usual: int) -> int:
    """What is kept for a pod: its request, or its limit, which Kubernetes takes for both; trimmed ones say nothing."""
    request, limit = _bytes(resources.requests.get("memory")), _bytes(resources.limits.get("memory"))
    if resources.trim:
        return min(usual, limit or usual)
    return request or limit or usual


def _bytes(quantity: str | None) -> int | None:
    found = amount(quantity) if quantity else None
    return int(found) if found else None


def project_folder(scene: Scene) -> Verdict:
    """Whether saves in the project's folder are told of: not from a Windows disk in WSL, nor a network disk."""
    mounts = scene.files.read(Path("/proc/mounts"))
    if mounts is None:
        return skipped("not Linux")
    kind = _file_system(scene.root, mounts)
    if kind not in DEAF:
        return ok(f"{scene.root} ({kind})")
    cause = "This is another system's disk: saves made there are not told of, and every access is slow."
    where = "into the Linux home folder (~), not below /mnt" if kind in ("9p", "drvfs") else "to a local disk"
    return warn(f"{scene.root} is on a {kind} disk", cause, f"move the project {where}")


def _file_system(folder: Path, mounts: str) -> str:
    """The file system type of the mount that a folder is on; the last of equal ones counts."""
    best, kind = -1, "unknown"
    for fields in (line.split() for line in mounts.splitlines()):
        point = Path(fields[1].replace("\\040", " "))
        if len(point.parts) >= best and folder.is_relative_to(point):
            best, kind = len(point.parts), fields[2]
    return kind


CHECKS = (
    Check("inotify-watches", "Watches for the folders of the sync rules", "Machine", inotify_watches),
    Check("inotify-instances", "inotify instances for a session and a node", "Machine", inotify_instances),
    Check("open-files", "How many files a session may open", "Machine", open_files),
    Check("plan-memory", "Memory for this environment", "Machine", plan_memory, needs="docker"),
    Check("project-folder", "Saves in the project's folder are told of", "Machine", project_folder),
)
