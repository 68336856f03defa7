"""Where the objects of a kind live in the API: built in for the common kinds, asked for the others."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """The resource name of a kind ("deployments") and whether its objects live in namespaces."""

    plural: str
    namespaced: bool = True


BUILT_IN: dict[tuple[str, str], Kind] = {
    ("v1", "Namespace"): Kind("namespaces", namespaced=False),
    ("v1", "Node"): Kind("nodes", namespaced=False),
    ("v1", "PersistentVolume"): Kind("persistentvolumes", namespaced=False),
    ("v1", "Pod"): Kind("pods"),
    ("v1", "Service"): Kind("services"),
    ("v1", "ConfigMap"): Kind("configmaps"),
    ("v1", "Secret"): Kind("secrets"),
    ("v1", "ServiceAccount"): Kind("serviceaccounts"),
    ("v1", "PersistentVolumeClaim"): Kind("persistentvolumeclaims"),
    ("v1", "Event"): Kind("events"),
    ("v1", "Endpoints"): Kind("endpoints"),
    ("apps/v1", "Deployment"): Kind("deployments"),
    ("apps/v1", "StatefulSet"): Kind("statefulsets"),
    ("apps/v1", "DaemonSet"): Kind("daemonsets"),
    ("apps/v1", "ReplicaSet"): Kind("replicasets"),
    ("batch/v1", "Job"): Kind("jobs"),
    ("batch/v1", "CronJob"): Kind("cronjobs"),
    ("networking.k8s.io/v1", "Ingress"): Kind("ingresses"),
    ("networking.k8s.io/v1", "NetworkPolicy"): Kind("networkpolicies"),
    ("rbac.authorization.k8s.io/v1", "Role"): Kind("roles"),
    ("rbac.authorization.k8s.io/v1", "RoleBinding"): Kind("rolebindings"),
    ("rbac.authorization.k8s.io/v1", "ClusterRole"): Kind("clusterroles", namespaced=False),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"): Kind("clusterrolebindings", namespaced=False),
    ("storage.k8s.io/v1", "StorageClass"): Kind("storageclasses", namespaced=False),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition"): Kind("customresourcedefinitions", namespaced=False),
    ("autoscaling/v2", "HorizontalPodAutoscaler"): Kind("horizontalpodautoscalers"),
    ("policy/v1", "PodDisruptionBudget"): Kind("poddisruptionbudgets"),
    ("discovery.k8s.io/v1", "EndpointSlice"): Kind("endpointslices"),
}


def group_path(api_version: str) -> str:
    """The API root of a group version: /api/v1, /apis/apps/v1."""
    return f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"


def object_path(api_version: str, kind: Kind, *, namespace: str = "", name: str = "") -> str:
    """The path of a collection, or of one object."""
    parts = [group_path(api_version)]
    if kind.namespaced and namespace:
        parts.append(f"namespaces/{namespace}")
    parts.append(kind.plural)
    if name:
        parts.append(name)
    return "/".join(parts)
