"""Raw requests to one API server, and its errors in our words.

No generated model is built: making them dominates the time of a list call.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from devenv import problems
from devenv.errors import ClusterError
from devenv.ports import Access

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

CONNECT_SECONDS = 10.0
READ_SECONDS = 30.0
POOL_SIZE = 32


class Rest:
    """One API server: where it is, how to be let in, and a pool of connections that threads share."""

    def __init__(self, access: Access) -> None:
        import kubernetes.config
        from kubernetes.client import Configuration
        from kubernetes.client.rest import RESTClientObject

        self.context = access.context
        configuration = Configuration()
        with translate("read the kubeconfig", context=access.context, server="?"):
            kubernetes.config.load_kube_config(  # type: ignore[no-untyped-call]
                config_file=str(access.kubeconfig) if access.kubeconfig else None,
                context=access.context,
                client_configuration=configuration,
                persist_config=False,
            )
        configuration.connection_pool_maxsize = POOL_SIZE
        configuration.retries = False
        self.configuration = configuration
        self.server: str = configuration.host
        self._pool = RESTClientObject(configuration).pool_manager

    def authorization(self) -> dict[str, str]:
        """The header that lets in, fresh where credentials expire."""
        token = self.configuration.get_api_key_with_prefix("authorization")
        basic = self.configuration.get_basic_auth_token() if self.configuration.username else None
        value = token or basic
        return {"authorization": value} if value else {}

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: object = None,
        content_type: str = "application/json",
        stream: bool = False,
        read_seconds: float = READ_SECONDS,
    ) -> BaseHTTPResponse:
        """One request; the response as it came, whatever its status. `stream`: the body is left to be read."""
        import urllib3

        url = f"{self.server}{path}" + (f"?{urlencode(query)}" if query else "")
        headers = {"accept": "application/json", "content-type": content_type, **self.authorization()}
        return self._pool.request(
            method,
            url,
            body=None if body is None else json.dumps(body),
            headers=headers,
            preload_content=not stream,
            retries=False,
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=read_seconds),
        )

    def call(self, action: str, method: str, path: str, **options: Any) -> dict[str, Any] | None:
        """One request for JSON; None for 404. ClusterError api-failed (`action` says what was tried) or unreachable."""
        with self.translate(action):
            response = self.send(method, path, **options)
        if response.status == 404:
            return None
        self.check(action, response.status, response.data)
        value = json.loads(response.data)
        return value if isinstance(value, dict) else {}

    def check(self, action: str, status: int, data: bytes) -> None:
        """ClusterError for a status that is no success."""
        if status >= 400:
            raise ClusterError(problems.API_FAILED, action=action, reason=reason_of(status, data))

    @contextmanager
    def translate(self, action: str) -> Iterator[None]:
        """Errors of the libraries below as ours."""
        with translate(action, context=self.context, server=self.server):
            yield


def reason_of(status: int, data: bytes) -> str:
    """The API's own message in one line."""
    try:
        message = str(json.loads(data).get("message", ""))
    except (ValueError, AttributeError):
        message = data[:200].decode(errors="replace")
    return " ".join(message.split()) or f"status {status}"


@contextmanager
def translate(action: str, *, context: str, server: str) -> Iterator[None]:
    """Errors of kubernetes, urllib3, websocket and the socket below as ClusterError."""
    import urllib3.exceptions
    import websocket
    from kubernetes.client.exceptions import ApiException, OpenApiException
    from kubernetes.config.config_exception import ConfigException

    try:
        yield
    except ConfigException as error:
        raise ClusterError(problems.CLUSTER_MISSING, name=context) from error
    except websocket.WebSocketBadStatusException as error:
        body = error.resp_body or b""
        reason = reason_of(error.status_code, body if isinstance(body, bytes) else body.encode())
        raise ClusterError(problems.API_FAILED, action=action, reason=reason) from error
    except ApiException as error:
        reason = reason_of(error.status or 0, str(error.body or error.reason or "").encode())
        raise ClusterError(problems.API_FAILED, action=action, reason=reason) from error
    except OpenApiException as error:
        raise ClusterError(problems.API_FAILED, action=action, reason=str(error)) from error
    except (urllib3.exceptions.HTTPError, websocket.WebSocketException, OSError) as error:
        raise ClusterError(problems.CLUSTER_UNREACHABLE, context=context, server=server) from error
