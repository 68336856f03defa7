"""A connection to one cluster, pinned to its context."""

from __future__ import annotations

from devenv import problems
from devenv.errors import ClusterError
from devenv.kube.objects import KubeObjects
from devenv.kube.pods import KubePods
from devenv.kube.rest import Rest
from devenv.ports import Access, Ref


class KubeConnection:
    """One cluster: its objects and its containers."""

    def __init__(self, access: Access) -> None:
        self._rest = Rest(access)
        self.context = access.context
        self.server = self._rest.server
        self.objects = KubeObjects(self._rest)
        self.pods = KubePods(self._rest)
        self._uid = ""

    def uid(self) -> str:
        """The UID of namespace kube-system. ClusterError cluster-unreachable."""
        if not self._uid:
            found = self.objects.find(Ref("v1", "Namespace", "kube-system"))
            if found is None:
                raise ClusterError(problems.CLUSTER_UNREACHABLE, context=self.context, server=self.server)
            self._uid = str(found["metadata"]["uid"])
        return self._uid


def connect(access: Access) -> KubeConnection:
    """A connection by a kubeconfig context; nothing is sent yet. ClusterError cluster-missing without that context."""
    return KubeConnection(access)
