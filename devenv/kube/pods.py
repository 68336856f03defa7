"""Containers: commands in them, their logs, their ports."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from devenv.kube.objects import read_lines
from devenv.kube.rest import Rest
from devenv.kube.streams import EXEC_PROTOCOLS, FORWARD_PROTOCOLS, Exec, PortTunnel
from devenv.kube.websockets import Channel
from devenv.ports import Stop


class KubePods:
    """The containers of one cluster."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    def exec(
        self,
        namespace: str,
        pod: str,
        container: str,
        command: Sequence[str],
        *,
        stdin: bool = False,
        tty: bool = False,
    ) -> Exec:
        """Start a command. ClusterError where the pod or container is not there."""
        query = [("command", part) for part in command]
        query += [("container", container), ("stdout", "true"), ("stderr", "false" if tty else "true")]
        query += [("stdin", "true")] if stdin else []
        query += [("tty", "true")] if tty else []
        path = f"/api/v1/namespaces/{namespace}/pods/{pod}/exec"
        what = f"run {command[0]} in pod/{pod}"
        return Exec(Channel(self._rest, what, path, query, EXEC_PROTOCOLS), what=f"pod/{pod}")

    def logs(
        self,
        namespace: str,
        pod: str,
        container: str,
        *,
        follow: bool = False,
        tail: int | None = None,
        previous: bool = False,
        since: int | None = None,
        stop: Stop | None = None,
    ) -> Iterator[str]:
        """Lines of a container. ClusterError where they can't be had."""
        query = {"container": container}
        query |= {"follow": "true"} if follow else {}
        query |= {"tailLines": str(tail)} if tail is not None else {}
        query |= {"previous": "true"} if previous else {}
        query |= {"sinceSeconds": str(max(1, since))} if since is not None else {}
        path = f"/api/v1/namespaces/{namespace}/pods/{pod}/log"
        for line in read_lines(self._rest, f"read the log of pod/{pod}", path, query, stop):
            yield line.decode(errors="replace").rstrip("\r")

    def forward(self, namespace: str, pod: str, port: int) -> PortTunnel:
        """A connection to a port of a pod. ClusterError where it can't be made."""
        path = f"/api/v1/namespaces/{namespace}/pods/{pod}/portforward"
        action = f"connect to port {port} of pod/{pod}"
        return PortTunnel(Channel(self._rest, action, path, [("ports", str(port))], FORWARD_PROTOCOLS))
