"""Where the API serves each kind: a table of the common ones, discovery for all others."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

Fetch = Callable[[str], dict[str, Any] | None]
"""Gets the JSON at a path of the API server; None where it has nothing there."""

_NAMESPACED = {
    "v1": {
        "ConfigMap": "configmaps",
        "Event": "events",
        "PersistentVolumeClaim": "persistentvolumeclaims",
        "Pod": "pods",
        "Secret": "secrets",
        "Service": "services",
        "ServiceAccount": "serviceaccounts",
    },
    "apps/v1": {
        "DaemonSet": "daemonsets",
        "Deployment": "deployments",
        "ReplicaSet": "replicasets",
        "StatefulSet": "statefulsets",
    },
    "autoscaling/v2": {"HorizontalPodAutoscaler": "horizontalpodautoscalers"},
    "batch/v1": {"CronJob": "cronjobs", "Job": "jobs"},
    "discovery.k8s.io/v1": {"EndpointSlice": "endpointslices"},
    "networking.k8s.io/v1": {"Ingress": "ingresses", "NetworkPolicy": "networkpolicies"},
    "policy/v1": {"PodDisruptionBudget": "poddisruptionbudgets"},
    "rbac.authorization.k8s.io/v1": {"Role": "roles", "RoleBinding": "rolebindings"},
}
_CLUSTER_WIDE = {
    "v1": {"Namespace": "namespaces", "Node": "nodes"},
    "apiextensions.k8s.io/v1": {"CustomResourceDefinition": "customresourcedefinitions"},
    "rbac.authorization.k8s.io/v1": {"ClusterRole": "clusterroles", "ClusterRoleBinding": "clusterrolebindings"},
    "storage.k8s.io/v1": {"StorageClass": "storageclasses"},
}


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of objects: "apps/v1", "Deployment", its name in paths, and whether its objects live in namespaces."""

    api_version: str
    name: str
    plural: str
    namespaced: bool

    def path(self, *, namespace: str = "", name: str = "") -> str:
        """The path of one object, or of all (in a namespace) where `name` is "".

        One object of a namespaced kind without a namespace is looked for in "default", as kubectl does.
        Format: Kubernetes API concepts, "Resource URIs".
        """
        parts = [root_of(self.api_version)]
        if self.namespaced and (namespace or name):
            parts += ["namespaces", quote(namespace or "default", safe="")]
        parts.append(self.plural)
        if name:
            parts.append(quote(name, safe=""))
        return "/".join(parts)


def root_of(api_version: str) -> str:
    """Where a version of a group is served: "/api/v1" for the core, "/apis/apps/v1" for a group."""
    prefix = "/apis" if "/" in api_version else "/api"
    return f"{prefix}/{quote(api_version)}"


def _table() -> dict[tuple[str, str], Kind]:
    return {
        (api_version, name): Kind(api_version, name, plural, namespaced)
        for names, namespaced in ((_NAMESPACED, True), (_CLUSTER_WIDE, False))
        for api_version, plurals in names.items()
        for name, plural in plurals.items()
    }


KINDS = _table()
"""The kinds that need no question to the API server, by apiVersion and kind."""


class Discovery:
    """Finds kinds in the table, else asks the API server, and remembers what it said. Safe for many threads."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._lock = threading.Lock()
        self._known = dict(KINDS)

    def find(self, api_version: str, kind: str) -> Kind | None:
        """The kind, or None where the cluster does not have it (asked anew each time: a CRD may come later)."""
        with self._lock:
            found = self._known.get((api_version, kind))
        if found:
            return found
        fresh = _read_resources(api_version, self._fetch(root_of(api_version)) or {})
        with self._lock:
            self._known.update(fresh)
        return fresh.get((api_version, kind))


def _read_resources(api_version: str, listing: dict[str, Any]) -> dict[tuple[str, str], Kind]:
    """An APIResourceList; names with a slash are subresources such as "pods/log"."""
    return {
        (api_version, entry["kind"]): Kind(api_version, entry["kind"], entry["name"], bool(entry["namespaced"]))
        for entry in listing.get("resources", ())
        if "/" not in entry["name"]
    }
