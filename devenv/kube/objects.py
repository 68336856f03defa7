"""Kubernetes objects through the API server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from devenv.errors import ClusterError
from devenv.kube.kinds import Discovery, Kind
from devenv.kube.rest import APPLY, Rest
from devenv.kube.translation import status_of
from devenv.kube.watching import Watch
from devenv.ports import Event, Object, Ref, Stop
from devenv.problems import API_FAILED

FIELD_MANAGER = "devenv"


class KubeObjects:
    """The port `Objects` on an API server."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest
        self._kinds = Discovery(rest.find)

    def apply(self, obj: Object) -> Object:
        """Server-side apply, forced; returns what the server stored. ClusterError."""
        metadata = obj["metadata"]
        action = f"apply {obj['kind'].lower()}/{metadata['name']}"
        with self._rest.told(action):
            kind = self._kind(obj["apiVersion"], obj["kind"], action)
            path = kind.path(namespace=metadata.get("namespace", ""), name=metadata["name"])
            query = [("fieldManager", FIELD_MANAGER), ("force", "true")]
            return self._rest.call("PATCH", path, query=query, body=obj, content_type=APPLY)

    def find(self, ref: Ref) -> Object | None:
        """The object, or None where it (or its kind) is not there. ClusterError."""
        with self._rest.told(f"read {ref}"):
            path = self._path(ref)
            return self._rest.find(path) if path else None

    def select(self, api_version: str, kind: str, *, namespace: str = "", labels: str = "") -> list[Object]:
        """The objects of a kind, apiVersion and kind filled in; in all namespaces without one. ClusterError."""
        action = f"list {kind.lower()} objects"
        with self._rest.told(action):
            path = self._kind(api_version, kind, action).path(namespace=namespace)
            listing = self._rest.call("GET", path, query=[("labelSelector", labels)] if labels else [])
        # A list names the kind once, for all of its items.
        return [{"apiVersion": api_version, "kind": kind, **item} for item in listing["items"]]

    def delete(self, ref: Ref) -> bool:
        """Delete (background cascade) without waiting; True if it was there. ClusterError."""
        with self._rest.told(f"delete {ref}"):
            path = self._path(ref)
            if path is None:
                return False
            try:
                self._rest.call("DELETE", path, body={"propagationPolicy": "Background"})
            except Exception as error:
                if status_of(error) == 404:
                    return False
                raise
            return True

    def watch(self, api_version: str, kind: str, *, namespace: str, labels: str = "", stop: Stop) -> Iterator[Event]:
        """ADDED for what is there, then each change until `stop` is set; over expiry and lost connections.

        After a reconnect what vanished meanwhile is DELETED, and everything is ADDED again. ClusterError where the
        first list fails.
        """
        action = f"watch {kind.lower()} objects"
        with self._rest.told(action):
            found = self._kind(api_version, kind, action)
        watch = Watch(self._rest, found, namespace=namespace, labels=labels, stop=stop)
        with closing(watch.events()) as events:
            yield from self._rest.tell_each(events, action)

    def _path(self, ref: Ref) -> str | None:
        kind = self._kinds.find(ref.api_version, ref.kind)
        return kind.path(namespace=ref.namespace, name=ref.name) if kind else None

    def _kind(self, api_version: str, kind: str, action: str) -> Kind:
        found = self._kinds.find(api_version, kind)
        if found is None:
            raise ClusterError(API_FAILED, action=action, reason=f"it has no kind {kind} in {api_version}")
        return found
