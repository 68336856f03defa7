"""One cluster by its kubeconfig context."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devenv.errors import ClusterError
from devenv.kube.objects import KubeObjects
from devenv.kube.pods import KubePods
from devenv.kube.rest import Rest
from devenv.kube.translation import one_line
from devenv.ports import Access, Ref
from devenv.problems import API_FAILED, CLUSTER_MISSING

POOL_SIZE = 32
KEEPALIVE_SECONDS = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}


@dataclass(frozen=True, slots=True)
class KubeConnection:
    """The port `Kube`: a context, its API server, and what can be done with it."""

    context: str
    server: str
    objects: KubeObjects
    pods: KubePods

    def uid(self) -> str:
        """The UID of namespace kube-system: stands for the cluster. ClusterError cluster-unreachable, api-failed."""
        found = self.objects.find(Ref("v1", "Namespace", "kube-system"))
        if found is None:
            raise ClusterError(API_FAILED, action="tell its identity", reason="it has no namespace kube-system")
        return str(found["metadata"]["uid"])


def connect(access: Access) -> KubeConnection:
    """The cluster behind a context; nothing is sent yet. ClusterError cluster-missing where there is no such context.

    Without a kubeconfig in `access`, KUBECONFIG or ~/.kube/config is read, as kubectl does.
    """
    # Imported here: it costs about half a second.
    from kubernetes.client import Configuration
    from kubernetes.config import ConfigException, new_client_from_config

    load: Any = new_client_from_config
    configuration: Any = Configuration()
    configuration.connection_pool_maxsize = POOL_SIZE
    configuration.socket_options = socket_options()
    file = str(access.kubeconfig or os.environ.get("KUBECONFIG") or Path.home() / ".kube/config")
    try:
        client = load(file, context=access.context, client_configuration=configuration)
    except ConfigException as error:
        details = [one_line(str(error))]
        raise ClusterError(CLUSTER_MISSING, details=details, name=access.context) from error
    rest = Rest(client, access.context)
    return KubeConnection(access.context, rest.server, KubeObjects(rest), KubePods(rest))


def socket_options() -> list[tuple[int, int, int]]:
    """No delay for small packets, and the kernel finds out within a minute where the other side is gone."""
    options = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1), (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
    # Not all systems have them all.
    for name, seconds in KEEPALIVE_SECONDS.items():
        if hasattr(socket, name):
            options.append((socket.IPPROTO_TCP, getattr(socket, name), seconds))
    return options
