"""What devenv made on this machine: the cluster, the registry, and what interrupted runs left behind."""

from __future__ import annotations

from pathlib import Path

from devenv import problems
from devenv.checks.check import Check, Scene, Verdict, fail_as, ok, warn

MARKER = "creating-"


def cluster(scene: Scene) -> Verdict:
    """The cluster of the settings: running, or not there yet."""
    state = scene.clusters.inspect()
    name = scene.settings.cluster
    if state.status == "foreign":
        return fail_as(problems.CLUSTER_FOREIGN, name=name)
    if state.status == "partial":
        cause = "Its creation was interrupted."
        return warn(f"{name} is half made", cause, "devenv up removes it and makes it anew")
    if state.status == "stopped":
        stopped = [node.name for node in scene.nodes.find(name) if not node.running]
        cause = "Its node is a container that does not run; after a reboot, for example."
        fixes = (("docker", "start", *stopped),)
        return warn(f"{name} is stopped", cause, "devenv up starts it", fixes=fixes)
    return ok(f"{name} is running" if state.status == "running" else f"no {name} yet; devenv up creates it")


def registry(scene: Scene) -> Verdict:
    """The registry beside the cluster: running, or not there yet."""
    name = scene.settings.registry_name
    container = scene.daemon.find_container(name)
    if container is None:
        return ok(f"no {name} yet; devenv up creates it")
    if not container.ours:
        return fail_as(problems.REGISTRY_FOREIGN, name=name)
    if container.running:
        return ok(f"{name} is running")
    cause = "Pods can't pull the images that were built here while it does not run."
    return warn(f"{name} is stopped", cause, "devenv up starts it", fixes=(("docker", "start", name),))


def sockets(scene: Scene) -> Verdict:
    """Sockets of sessions that are gone."""
    entries = scene.files.entries(scene.places.runtime)
    found = [path for path in entries if path.suffix == ".sock" and _is_socket(scene, path)]
    dead = [path for path in found if not scene.network.listens(path)]
    cause = "A session was ended by force and could not remove its socket."
    live = len(found) - len(dead)
    return _left_behind(dead, "socket", cause, f"{live} live {'session' if live == 1 else 'sessions'}")


def _is_socket(scene: Scene, path: Path) -> bool:
    facts = scene.files.look(path)
    return facts is not None and facts.kind == "socket"


def markers(scene: Scene) -> Verdict:
    """Marks of cluster creations that were cut off and left no cluster."""
    entries = scene.files.entries(scene.places.state)
    found = [path for path in entries if path.name.startswith(MARKER)]
    # While a cluster is being created, the folder is locked.
    under_way = scene.files.is_locked(scene.places.state)
    left = [] if under_way else [p for p in found if not scene.nodes.find(p.name.removeprefix(MARKER))]
    cause = "The creation of a cluster was ended by force; nothing of the cluster is there."
    return _left_behind(left, "marker", cause, "none left behind")


def _left_behind(paths: list[Path], word: str, cause: str, fine: str) -> Verdict:
    if not paths:
        return ok(fine)
    text = f"{len(paths)} dead {word if len(paths) == 1 else word + 's'}: {', '.join(path.name for path in paths[:3])}"
    names = tuple(str(path) for path in paths)
    return warn(text, cause, f"rm {' '.join(names[:3])}", fixes=(("rm", "-f", *names),))


CHECKS = (
    Check("cluster", "The cluster is there, or can be made", "Here already", cluster, needs="docker"),
    Check("registry", "The registry beside the cluster runs", "Here already", registry, needs="docker"),
    Check("sockets", "No dead sockets of sessions", "Here already", sockets),
    Check("markers", "No marks of cut-off creations", "Here already", markers, needs="docker"),
)
