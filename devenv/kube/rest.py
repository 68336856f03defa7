"""The API server over HTTP: JSON in, JSON out, without the client's generated models, which cost too much time."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode

from devenv.kube.translation import translate
from devenv.ports import Object

if TYPE_CHECKING:
    from kubernetes.client import ApiClient
    from urllib3.response import BaseHTTPResponse

JSON = "application/json"
APPLY = "application/apply-patch+yaml"
CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0

Query = Sequence[tuple[str, str]]
Item = TypeVar("Item")


class Rest:
    """One API server through a client of `kubernetes.config`. Safe for many threads.

    Methods raise the libraries' exceptions; `told` turns them into ClusterError around the whole of an action.
    """

    def __init__(self, client: ApiClient, context: str) -> None:
        self.context = context
        self.configuration: Any = client.configuration
        self.server: str = str(client.configuration.host).rstrip("/")
        self._pool: Any = client.rest_client.pool_manager
        self._lock = threading.Lock()

    def told(self, action: str) -> AbstractContextManager[None]:
        """While entered, tells failures as ClusterError; `action` such as "apply deployment/orders"."""
        return translate(action, context=self.context, server=self.server)

    def tell_each(self, items: Iterator[Item], action: str) -> Iterator[Item]:
        """The items, failures to make one told as `told` does; what the caller does with one is none of it."""
        while True:
            with self.told(action):
                item = next(items, None)
            if item is None:
                return
            yield item

    def headers(self) -> dict[str, str]:
        """Headers with valid credentials; runs the kubeconfig's exec plugin where they are no longer valid."""
        # A plugin's new token is written into the configuration, so only one thread may look at a time.
        with self._lock:
            settings = self.configuration.auth_settings().values()
        return {str(auth["key"]): str(auth["value"]) for auth in settings if auth["in"] == "header" and auth["value"]}

    def call(
        self, method: str, path: str, *, query: Query = (), body: Object | None = None, content_type: str = JSON
    ) -> Object:
        """Ask and take the JSON that is answered; ApiException for an answer that is no success."""
        from urllib3 import Retry

        # One more try: a kept connection may have been closed by the server just now. All that is sent can be repeated.
        retries = Retry(total=1, redirect=0, status=0, allowed_methods=None)
        response = self._send(method, path, query, body, content_type, read=READ_SECONDS, retries=retries)
        data = response.data
        self._check(response, data)
        return dict(json.loads(data))

    def find(self, path: str) -> Object | None:
        """The JSON at a path, or None for "not found"."""
        from kubernetes.client.exceptions import ApiException

        try:
            return self.call("GET", path)
        except ApiException as error:
            if error.status == 404:
                return None
            raise

    def open(self, path: str, *, query: Query, read: float | None) -> BaseHTTPResponse:
        """Start a long answer, to be read bit by bit; `read` is how many seconds it may be silent."""
        response = self._send("GET", path, query, None, JSON, read=read, retries=False, preload_content=False)
        if response.status >= 400:
            data = response.read()
            response.release_conn()
            self._check(response, data)
        return response

    def url(self, path: str, query: Query) -> str:
        """The whole address of a path."""
        return f"{self.server}{path}{'?' + urlencode(query) if query else ''}"

    def _send(
        self,
        method: str,
        path: str,
        query: Query,
        body: Object | None,
        content_type: str,
        *,
        read: float | None,
        **options: Any,
    ) -> BaseHTTPResponse:
        from urllib3 import Timeout

        headers = {**self.headers(), "Accept": JSON, "Content-Type": content_type}
        sent = None if body is None else json.dumps(body).encode()
        timeout = Timeout(connect=CONNECT_SECONDS, read=read)
        address = self.url(path, query)
        response: BaseHTTPResponse = self._pool.request(
            method, address, body=sent, headers=headers, timeout=timeout, **options
        )
        return response

    @staticmethod
    def _check(response: BaseHTTPResponse, data: bytes) -> None:
        from kubernetes.client.exceptions import ApiException

        if response.status >= 400:
            error = ApiException(status=response.status, reason=response.reason)
            error.body = data.decode("utf-8", "replace")
            raise error
