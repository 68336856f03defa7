"""Keys of a compose service that devenv.yaml can't say, each with what to do instead."""

from __future__ import annotations

from devenv.config.source import Located, Map
from devenv.scan.compose_resources import is_taken
from devenv.scan.yamltext import child, entries_of, items_of, text_at

_TAKEN = frozenset(
    {
        "build", "image", "command", "entrypoint", "environment", "env_file", "ports", "expose", "volumes",
        "depends_on", "profiles", "extends", "container_name", "hostname", "working_dir",
    }
)  # fmt: skip

_INSTEAD = {
    "privileged": "the pod runs without it; where it must be, use manifests of your own (deploy: path)",
    "network_mode": "every pod has an address of its own, and others are reached by their names",
    "cap_add": "the pod has the usual capabilities; for more, use manifests of your own (deploy: path)",
    "cap_drop": "the pod has the usual capabilities; for fewer, use manifests of your own (deploy: path)",
    "devices": "devices of this machine are not in the cluster",
    "user": "the pod runs as the image's user: set USER in the Dockerfile",
    "secrets": "put the values under env, or the files into the image, for local values only",
    "configs": "name the files under files: of the dependency, or copy them into the image",
    "links": "pods find each other by their names; the names in values were rewritten",
    "external_links": "containers outside this file are not reached: add them as dependencies",
    "volumes_from": "pods share no volumes: name the folder in each",
    "extra_hosts": "names come from the cluster's DNS: use the address itself in env",
    "dns": "names come from the cluster's DNS",
    "dns_search": "names come from the cluster's DNS",
    "logging": "devenv logs shows what pods print",
    "labels": "labels of containers have no reader in the cluster; a proxy's routes are what devenv url prints",
    "tmpfs": "the container's own file system is writable and goes away with the pod",
    "shm_size": "/dev/shm has 64 MB; for more, use manifests of your own (deploy: path)",
    "ulimits": "the limits are those of the node",
    "sysctls": "the kernel's settings are those of the node",
    "stdin_open": "kubectl attach needs manifests of your own (deploy: path)",
    "tty": "kubectl exec -it gives a terminal in the running pod",
    "read_only": "the container's file system is writable; else use manifests of your own (deploy: path)",
    "init": "a service that is synced runs under devenv's agent, which is an init",
    "stop_signal": "pods are ended with the image's own stop signal",
    "stop_grace_period": "a pod has a second to end",
    "platform": "images are built for this machine's architecture",
    "pull_policy": "an image is pulled where the node does not have it",
    "scale": "one pod runs of each",
    "mem_limit": "the amount is not understood: write it under resources: limits",
    "mem_reservation": "nothing is reserved",
    "cpus": "the amount is not understood: write it under resources: limits",
    "security_opt": "use manifests of your own (deploy: path)",
    "pid": "a pod has processes of its own",
    "ipc": "a pod has an IPC space of its own",
    "runtime": "pods run with the node's runtime",
    "build.dockerfile_inline": "write it to a file, and name that under build: dockerfile",
    "build.cache_from": "unchanged images are found in the local registry",
    "build.secrets": "pass what the build needs as args, for local values only",
    "build.ssh": "check the sources out before, and copy them in",
    "build.network": "builds have Docker's usual network",
}
_QUIET_NETWORKS = frozenset({"default"})


def advice(key: str, value: Located) -> str:
    """What to tell about a key that is not carried over, with what to do; "" where nothing is lost."""
    if key in _TAKEN or key.startswith("x-") or (key in ("cpus", "mem_limit") and is_taken(key, value)):
        return ""
    special = {"restart": _restart, "healthcheck": _healthcheck, "deploy": _deploy, "networks": _networks,
               "develop": _develop}.get(key)  # fmt: skip
    if special:
        return special(value)
    if key in ("privileged", "read_only", "init", "tty", "stdin_open") and text_at(value) == "false":
        return ""
    instead = _INSTEAD.get(key, "devenv.yaml has no word for it; manifests of your own can say it (deploy: path)")
    return f"{key} is not carried over: {instead}"


def _restart(value: Located) -> str:
    # Kubernetes starts ended programs again, which is what the other words ask for.
    ends = text_at(value) in ("no", "false")
    return "restart: no is not carried over: a program that ends is started again" if ends else ""


def _healthcheck(value: Located) -> str:
    timing = [key for key in entries_of(value) if key not in ("test", "disable")]
    return f"healthcheck.{', '.join(timing)} is not carried over: readiness is looked at each second" if timing else ""


def _deploy(value: Located) -> str:
    keys = [key for key in entries_of(value) if key != "resources"]
    for kind, (_, amounts) in entries_of(child(value, "resources")).items():
        taken = ("cpus", "memory") if kind == "limits" else ()
        for key, (_, amount) in entries_of(amounts).items():
            keys += [] if key in taken and is_taken(key, amount) else [f"resources.{kind}.{key}"]
    return f"deploy.{', '.join(keys)} is not carried over: one pod runs of each, and asks for nothing" if keys else ""


def _networks(value: Located) -> str:
    names = list(entries_of(value)) if isinstance(value, Map) else [text_at(item) for item in items_of(value)]
    if set(names) <= _QUIET_NETWORKS:
        return ""
    return "networks are not carried over: all pods of an environment reach each other"


def _develop(value: Located) -> str:
    return "" if set(entries_of(value)) <= {"watch"} else "develop: only watch is carried over"


def top_advice(key: str, value: Located) -> str:
    """The same for a top-level key of the file."""
    if key == "name":
        return ""
    if key == "volumes":
        outside = [name for name, (_, item) in entries_of(value).items() if "external" in entries_of(item)]
        return f"the external volumes {', '.join(outside)} are made anew, empty" if outside else ""
    if key == "networks":
        return "networks are not carried over: all pods of an environment reach each other"
    instead = _INSTEAD.get(key, "devenv.yaml has no word for it")
    return f"{key} is not carried over: {instead}"
