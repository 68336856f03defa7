"""Opens websockets to the API server with the credentials, certificates and proxies of the kubeconfig."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import unquote, urlsplit

from devenv.kube.rest import Query, Rest

OPEN_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Line:
    """An open websocket, its handshake done: the socket under it, and which subprotocol the server chose."""

    socket: socket.socket
    protocol: str


class Dialer:
    """Opens websockets to one API server. Safe for many threads."""

    def __init__(self, rest: Rest) -> None:
        self.rest = rest

    def open(self, path: str, *, query: Query, protocols: tuple[str, ...]) -> Line:
        """Ask for a websocket at a path; `protocols` in the order they are liked.

        Raises the exceptions of websocket-client (WebSocketBadStatusException where the API answers with an error).
        """
        from websocket import WebSocket

        configuration = self.rest.configuration
        name = configuration.tls_server_name
        options = {"context": self._context} | ({"server_hostname": name} if name else {})
        connection: Any = WebSocket(sslopt=options)
        connection.connect(
            self.rest.url(path, query).replace("http", "ws", 1),
            header=[f"{key}: {value}" for key, value in self.rest.headers().items()],
            subprotocols=list(protocols),
            suppress_origin=True,
            timeout=OPEN_SECONDS,
            **proxy_options(configuration),
        )
        return Line(connection.sock, str(connection.subprotocol or protocols[-1]))

    @cached_property
    def _context(self) -> ssl.SSLContext:
        """Made once: reading certificates costs more than the rest of opening a connection."""
        configuration = self.rest.configuration
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if not configuration.verify_ssl:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        elif configuration.assert_hostname is not None:
            context.check_hostname = bool(configuration.assert_hostname)
        # Client 36 knows no CA but from a file.
        data = getattr(configuration, "ca_cert_data", None)
        if configuration.ssl_ca_cert or data:
            context.load_verify_locations(cafile=configuration.ssl_ca_cert, cadata=data)
        else:
            context.load_default_certs()
        if configuration.cert_file:
            context.load_cert_chain(configuration.cert_file, configuration.key_file)
        return context


def proxy_options(configuration: Any) -> dict[str, Any]:
    """The client's proxy settings as websocket-client's; without any, it looks at the environment itself."""
    if not configuration.proxy:
        return {}
    proxy = urlsplit(configuration.proxy)
    options: dict[str, Any] = {"http_proxy_host": proxy.hostname, "http_proxy_port": proxy.port or 80}
    if proxy.scheme.startswith("socks"):
        options["proxy_type"] = proxy.scheme
    if configuration.no_proxy:
        options["http_no_proxy"] = [entry.strip() for entry in configuration.no_proxy.split(",")]
    if proxy.username:
        options["http_proxy_auth"] = (unquote(proxy.username), unquote(proxy.password or ""))
    return options
