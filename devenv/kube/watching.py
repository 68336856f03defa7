"""A watch that goes on: over expiry, lost connections and restarts of the API server."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator

from devenv.kube.kinds import Kind
from devenv.kube.rest import Query, Rest
from devenv.kube.streaming import read_lines
from devenv.kube.translation import is_connection, status_of
from devenv.ports import Event, Object, Stop

SERVER_SECONDS = 240
SILENT_SECONDS = 270.0
FIRST_DELAY = 0.2
LONGEST_DELAY = 5.0
GONE = 410


class Watch:
    """Lists, then follows; `events` ends only with `stop` or an answer that no retry would better.

    Format: Kubernetes API concepts, "Efficient detection of changes".
    """

    def __init__(self, rest: Rest, kind: Kind, *, namespace: str, labels: str, stop: Stop) -> None:
        self._rest = rest
        self._kind = kind
        self._path = kind.path(namespace=namespace)
        self._query: Query = [("labelSelector", labels)] if labels else []
        self._stop = stop
        self._known: dict[tuple[str, str], Object] = {}
        self._version = ""
        self._delay = FIRST_DELAY
        self._began = False

    def events(self) -> Generator[Event, None, None]:
        """ADDED for all that is there, then each change; all over again after a lost connection.

        Raises the libraries' exceptions for a first list that fails, and later for answers such as "forbidden".
        """
        while not self._stop.is_set():
            try:
                if not self._version:
                    yield from self._list()
                yield from self._follow()
            except Exception as error:
                if not self._is_passing(error):
                    raise
                self._version = ""
                self._back_off()

    def _is_passing(self, error: Exception) -> bool:
        status = status_of(error)
        # A line that was cut off can't be read as JSON.
        broken = is_connection(error) or isinstance(error, ValueError)
        return self._began and (broken or status in (GONE, 429) or status >= 500)

    def _back_off(self) -> None:
        self._stop.wait(self._delay)
        self._delay = min(self._delay * 2, LONGEST_DELAY)

    def _list(self) -> Iterator[Event]:
        listing = self._rest.call("GET", self._path, query=self._query)
        self._began = True
        gone, self._known = self._known, {}
        for item in listing["items"]:
            obj = {"apiVersion": self._kind.api_version, "kind": self._kind.name, **item}
            self._known[key_of(obj)] = obj
        vanished = [obj for key, obj in gone.items() if uid_of(self._known.get(key)) != uid_of(obj)]
        present = list(self._known.values())
        self._version = str(listing["metadata"]["resourceVersion"])
        yield from (Event("DELETED", obj) for obj in vanished)
        yield from (Event("ADDED", obj) for obj in present)

    def _follow(self) -> Iterator[Event]:
        wanted = [("watch", "1"), ("allowWatchBookmarks", "true"), ("timeoutSeconds", str(SERVER_SECONDS))]
        query = [*self._query, *wanted, ("resourceVersion", self._version)]
        response = self._rest.open(self._path, query=query, read=SILENT_SECONDS)
        came = False
        for line in read_lines(response, self._stop):
            came = True
            event = self._take(json.loads(line))
            if event:
                yield event
            if not self._version:
                break
        if came:
            self._delay = FIRST_DELAY
        else:
            self._back_off()

    def _take(self, change: Object) -> Event | None:
        """Note one change; without a version afterwards, everything is to be listed anew."""
        kind, obj = change["type"], change["object"]
        if kind == "ERROR":
            self._version = ""
            return None
        self._version = str(obj["metadata"]["resourceVersion"])
        if kind == "BOOKMARK":
            return None
        if kind == "DELETED":
            self._known.pop(key_of(obj), None)
        else:
            self._known[key_of(obj)] = obj
        return Event(kind, obj)


def key_of(obj: Object) -> tuple[str, str]:
    """Namespace and name."""
    return str(obj["metadata"].get("namespace", "")), str(obj["metadata"]["name"])


def uid_of(obj: Object | None) -> str:
    """The UID that the API server gave; "" for None."""
    return str(obj["metadata"].get("uid", "")) if obj else ""
