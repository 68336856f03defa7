"""All checks, in the order they are shown; and which of them may explain which problem."""

from __future__ import annotations

from collections.abc import Mapping

from devenv import problems
from devenv.checks import docker, files, limits, network, remains, tools
from devenv.checks.check import Check

CHECKS: tuple[Check, ...] = (
    *docker.CHECKS,
    *tools.CHECKS,
    *limits.CHECKS,
    *network.CHECKS,
    *files.CHECKS,
    *remains.CHECKS,
)

_DAEMON = ("docker", "docker-disk")
_NODE = ("docker-memory", "docker-disk", "cgroup", "cgroup-limits", "capabilities", "inotify-instances")
_ACCESS = ("cluster", "kubeconfig", "proxy", "dns")

EXPLAINS: Mapping[str, tuple[str, ...]] = {
    problems.DOCKER_MISSING.code: ("docker",),
    problems.DOCKER_NOT_RUNNING.code: ("docker",),
    problems.KIND_MISSING.code: ("kind", "settings"),
    problems.COMMAND_FAILED.code: (*_DAEMON, "kind", "registry-credentials", "kubeconfig"),
    problems.DISK_FULL.code: ("docker-disk",),
    problems.BUILD_FAILED.code: ("docker-disk", "docker-memory", "dns", "proxy", "registry-credentials"),
    problems.PUSH_FAILED.code: ("registry", "registry-port", "docker-disk", "proxy"),
    problems.CREDENTIALS_UNUSABLE.code: ("registry-credentials",),
    problems.PORT_TAKEN.code: ("registry-port", "forward-ports"),
    problems.CLUSTER_CREATE_FAILED.code: (*_NODE, "kind", "kubeconfig", "dns", "proxy", "registry-credentials"),
    problems.CLUSTER_MISSING.code: ("cluster", "kubeconfig"),
    problems.CLUSTER_UNREACHABLE.code: _ACCESS,
    problems.API_FAILED.code: (*_ACCESS, "docker-disk"),
    problems.IMAGE_PULL_FAILED.code: ("registry", "registry-credentials", "dns", "proxy", "docker-disk"),
    problems.UNSCHEDULABLE.code: ("plan-memory", "docker-memory", "docker-disk"),
    problems.OUT_OF_MEMORY.code: ("plan-memory", "docker-memory"),
    problems.NOT_READY.code: ("plan-memory", "docker-disk", "inotify-instances"),
    problems.SESSION_FAILED.code: ("inotify-watches", "inotify-instances", "open-files", "sockets"),
}


def checks_of(ids: tuple[str, ...] | None = None) -> tuple[Check, ...]:
    """All checks, or those of some ids, with those they need."""
    if ids is None:
        return CHECKS
    needed = {check.needs for check in CHECKS if check.id in ids}
    return tuple(check for check in CHECKS if check.id in ids or check.id in needed)
