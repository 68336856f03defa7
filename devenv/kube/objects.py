"""Kubernetes objects: apply, find, select, delete, watch."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from devenv import problems
from devenv.errors import ClusterError
from devenv.kube.paths import BUILT_IN, Kind, group_path, object_path
from devenv.kube.rest import Rest
from devenv.ports import Event, Object, Ref, Stop

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

FIELD_MANAGER = "devenv"
WATCH_SECONDS = 240
SLICE_SECONDS = 0.5
STREAM_SECONDS = 300.0
CHUNK = 65536
BACK_OFF = (0.2, 0.5, 1.0, 2.0, 5.0)


class KubeObjects:
    """The objects of one cluster; may be used from several threads."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest
        self._kinds = dict(BUILT_IN)

    def apply(self, obj: Object) -> Object:
        """Server-side apply as "devenv", forced; returns what is stored. ClusterError."""
        metadata = obj["metadata"]
        ref = Ref(obj["apiVersion"], obj["kind"], metadata["name"], metadata.get("namespace", ""))
        action = f"apply {ref}"
        query = {"fieldManager": FIELD_MANAGER, "force": "true"}
        stored = self._rest.call(
            action, "PATCH", self._path(ref), query=query, body=obj, content_type="application/apply-patch+yaml"
        )
        if stored is None:
            where = f"namespace {ref.namespace} is not there" if ref.namespace else "its kind is not there"
            raise ClusterError(problems.API_FAILED, action=action, reason=where)
        return stored

    def find(self, ref: Ref) -> Object | None:
        """The object, or None. ClusterError."""
        kind = self._kind(ref.api_version, ref.kind)
        if kind is None:
            return None
        path = object_path(ref.api_version, kind, namespace=ref.namespace, name=ref.name)
        return self._rest.call(f"read {ref}", "GET", path)

    def select(self, api_version: str, kind: str, *, namespace: str = "", labels: str = "") -> list[Object]:
        """The objects of a kind with these labels. ClusterError."""
        return self._list(api_version, kind, namespace, labels)[0]

    def _list(self, api_version: str, kind: str, namespace: str, labels: str) -> tuple[list[Object], str]:
        known = self._kind(api_version, kind)
        if known is None:
            return [], ""
        path = object_path(api_version, known, namespace=namespace)
        query = {"labelSelector": labels} if labels else {}
        found = self._rest.call(f"list {known.plural}", "GET", path, query=query) or {}
        items = [{**item, "apiVersion": api_version, "kind": kind} for item in found.get("items") or []]
        return items, str(found.get("metadata", {}).get("resourceVersion", ""))

    def delete(self, ref: Ref) -> bool:
        """Delete in the background; True if it was there. ClusterError."""
        kind = self._kind(ref.api_version, ref.kind)
        if kind is None:
            return False
        path = object_path(ref.api_version, kind, namespace=ref.namespace, name=ref.name)
        options = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}
        return self._rest.call(f"delete {ref}", "DELETE", path, body=options) is not None

    def watch(self, api_version: str, kind: str, *, namespace: str, labels: str = "", stop: Stop) -> Iterator[Event]:
        """What is there and each change after it, until `stop`; connections that end are made again."""
        known: dict[str, Object] = {}
        failures = 0
        while not stop.is_set():
            try:
                listed, version = self._list(api_version, kind, namespace, labels)
                yield from _changes(known, listed)
                failures = 0
                yield from self._follow(api_version, kind, namespace, labels, version, known, stop)
            except ClusterError:
                if stop.wait(BACK_OFF[min(failures, len(BACK_OFF) - 1)]):
                    return
                failures += 1

    def _follow(
        self,
        api_version: str,
        kind: str,
        namespace: str,
        labels: str,
        version: str,
        known: dict[str, Object],
        stop: Stop,
    ) -> Iterator[Event]:
        resource = self._kind(api_version, kind)
        assert resource is not None
        path = object_path(api_version, resource, namespace=namespace)
        query = {"watch": "true", "resourceVersion": version, "timeoutSeconds": str(WATCH_SECONDS)}
        query |= {"labelSelector": labels} if labels else {}
        for line in read_lines(self._rest, f"watch {resource.plural}", path, query, stop):
            change = json.loads(line)
            obj = change.get("object", {})
            if change.get("type") == "ERROR":
                return
            if change.get("type") == "BOOKMARK":
                continue
            _note(known, change["type"], obj)
            yield Event(change["type"], {**obj, "apiVersion": api_version, "kind": kind})

    def _path(self, ref: Ref) -> str:
        kind = self._kind(ref.api_version, ref.kind)
        if kind is None:
            reason = f"the cluster knows no {ref.kind} in {ref.api_version}"
            raise ClusterError(problems.API_FAILED, action=f"apply {ref}", reason=reason)
        return object_path(ref.api_version, kind, namespace=ref.namespace, name=ref.name)

    def _kind(self, api_version: str, kind: str) -> Kind | None:
        key = (api_version, kind)
        if key not in self._kinds:
            found = self._rest.call("ask what the cluster knows", "GET", group_path(api_version)) or {}
            for resource in found.get("resources", []):
                if "/" not in resource["name"]:
                    entry = Kind(resource["name"], namespaced=resource["namespaced"])
                    self._kinds[api_version, resource["kind"]] = entry
        return self._kinds.get(key)


def _key(obj: Object) -> str:
    return f"{obj['metadata'].get('namespace', '')}/{obj['metadata']['name']}"


def _note(known: dict[str, Object], change: str, obj: Object) -> None:
    if change == "DELETED":
        known.pop(_key(obj), None)
    else:
        known[_key(obj)] = obj


def _changes(known: dict[str, Object], listed: list[Object]) -> Iterator[Event]:
    """What a new list tells after a gap: everything as added, and what vanished as deleted."""
    there = {_key(obj) for obj in listed}
    for key in [key for key in known if key not in there]:
        yield Event("DELETED", known.pop(key))
    for obj in listed:
        known[_key(obj)] = obj
        yield Event("ADDED", obj)


def read_lines(rest: Rest, action: str, path: str, query: dict[str, str], stop: Stop | None) -> Iterator[bytes]:
    """The lines of a response that goes on, until `stop`. ClusterError where it can't start."""
    import urllib3.exceptions

    with rest.translate(action):
        response = rest.send("GET", path, query=query, stream=True, read_seconds=STREAM_SECONDS)
        if response.status >= 400:
            rest.check(action, response.status, response.read())
    done = threading.Event()
    if stop is not None:
        threading.Thread(target=_shut_down, args=(response, stop, done), name="stream-stop", daemon=True).start()
    pending = b""
    try:
        while not (stop and stop.is_set()):
            chunk = response.read1(CHUNK)
            if not chunk:
                break
            *lines, pending = (pending + chunk).split(b"\n")
            yield from lines
        if pending:
            yield pending
    except (urllib3.exceptions.HTTPError, OSError):
        return
    finally:
        done.set()
        with suppress(OSError, ValueError, urllib3.exceptions.HTTPError):
            response.close()


def _shut_down(response: BaseHTTPResponse, stop: Stop, done: threading.Event) -> None:
    """A read that waits can only be ended from another thread, by shutting its connection down."""
    while not done.is_set():
        if stop.wait(SLICE_SECONDS):
            with suppress(OSError, ValueError, RuntimeError):
                response.shutdown()
            return
