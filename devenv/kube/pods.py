"""Containers through the API server: commands in them, their logs, their ports."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from urllib.parse import quote

from devenv.kube import exec as commands
from devenv.kube import tunnel
from devenv.kube.dialing import Dialer
from devenv.kube.exec import KubeExec
from devenv.kube.rest import Rest
from devenv.kube.streaming import read_lines
from devenv.kube.tunnel import KubeTunnel
from devenv.ports import Stop


class KubePods:
    """The port `Pods` on an API server."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest
        self._dialer = Dialer(rest)

    def exec(
        self,
        namespace: str,
        pod: str,
        container: str,
        command: Sequence[str],
        *,
        stdin: bool = False,
        tty: bool = False,
    ) -> KubeExec:
        """Start a command in a container. ClusterError where it can't be started."""
        flags = {"stdin": stdin, "stdout": True, "stderr": not tty, "tty": tty}
        query = [("command", part) for part in command] + [("container", container)]
        query += [(name, "true") for name, on in flags.items() if on]
        with self._rest.told(f"run {command[0]} in pod/{pod}"):
            line = self._dialer.open(_path(namespace, pod, "exec"), query=query, protocols=commands.PROTOCOLS)
        return KubeExec(line, pod=pod)

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
        """Lines, without their newline; `since` in seconds. Ends when the container does, or `stop` is set.

        ClusterError where there are none to be had, or the connection is lost.
        """
        query = [("container", container)]
        query += [("follow", "true")] if follow else []
        query += [("tailLines", str(tail))] if tail is not None else []
        query += [("previous", "true")] if previous else []
        query += [("sinceSeconds", str(max(1, since)))] if since is not None else []
        action = f"read the log of pod/{pod}"
        with self._rest.told(action):
            # A program may be silent for days; a connection that died is the kernel's to find out.
            response = self._rest.open(_path(namespace, pod, "log"), query=query, read=None)
        with closing(read_lines(response, stop)) as lines:
            for line in self._rest.tell_each(lines, action):
                yield line.decode("utf-8", "replace")

    def forward(self, namespace: str, pod: str, port: int) -> KubeTunnel:
        """One connection to a port of a pod. ClusterError where it can't be made; a refused port ends it later."""
        with self._rest.told(f"connect to port {port} of pod/{pod}"):
            path = _path(namespace, pod, "portforward")
            line = self._dialer.open(path, query=[("ports", str(port))], protocols=tunnel.PROTOCOLS)
        return KubeTunnel(line)


def _path(namespace: str, pod: str, part: str) -> str:
    return f"/api/v1/namespaces/{quote(namespace, safe='')}/pods/{quote(pod, safe='')}/{part}"
