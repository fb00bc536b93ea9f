"""POST requests to webhooks, many in a row to few servers.

With the proxies and certificates that requests would use, which it finds out once for each server; then urllib3 sends
the requests. For each request of its own, requests reads the whole environment, which costs more than sending.
"""

from __future__ import annotations

import io
import os
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPResponse
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3 import exceptions as urllib3_errors
from urllib3.connection import HTTPConnection, HTTPSConnection

from .connection_pool import api_error
from .network import network
from .response import ApiResponse
from .wire import Timeout

#: No more of a response is read: the log keeps less.
MAX_RESPONSE_BYTES = 4096
_OPERATION = "webhook"


@dataclass
class _Route:
    """The connections to one server."""

    pool: urllib3.HTTPConnectionPool
    #: What comes before the path: a proxy of plain HTTP needs the whole URL (RFC 9112 §3.2.2).
    prefix: str
    last_used: float = field(default_factory=time.monotonic)


class WebhookCalls:
    """Connections that are kept open and shared by all threads.

    ``max_connections``: to each server. They are closed after ``idle_seconds``, because Node closes idle ones after 5
    seconds by default, and a request sent at that moment is lost.
    """

    def __init__(self, *, max_connections: int = 64, idle_seconds: float = 4.0) -> None:
        self._max_connections = max_connections
        self._idle_seconds = idle_seconds
        self._routes: dict[str, _Route] = {}
        self._lock = threading.Lock()
        self._process = os.getpid()

    def post(self, url: str, headers: Mapping[str, str], body: bytes, *, timeout: Timeout) -> ApiResponse:
        """The response with the beginning of its body; an `ApiError` without one. Redirects are not followed.

        The read timeout is for the response as a whole.
        The name of the server is resolved when a connection is made, and the connection goes to that address.
        """
        network.check(_OPERATION, url)
        parts = urlsplit(url)
        route = self._route(f"{parts.scheme}://{parts.netloc}")
        deadline = time.monotonic() + timeout.total
        try:
            response = route.pool.urlopen(
                "POST",
                f"{route.prefix}{parts.path}",
                body=body,
                headers=headers,
                timeout=urllib3.Timeout(connect=timeout.connect, read=timeout.read),
                retries=False,
                redirect=False,
                assert_same_host=False,
                preload_content=False,
            )
            return _read(response)
        except (urllib3_errors.HTTPError, OSError) as error:
            raise api_error(_OPERATION, error, timeout, deadline) from error
        finally:
            route.last_used = time.monotonic()

    def _route(self, server: str) -> _Route:
        with self._lock:
            if self._process != os.getpid():
                # After a fork, the connections are the parent's.
                self._routes, self._process = {}, os.getpid()
            route = self._routes.get(server)
            if route is None or time.monotonic() - route.last_used > self._idle_seconds:
                route = self._routes[server] = self._new_route(server)
            return route

    def _new_route(self, server: str) -> _Route:
        session, request = requests.Session(), requests.Request("POST", server).prepare()
        settings = session.merge_environment_settings(server, {}, False, None, None)
        adapter = HTTPAdapter(pool_connections=1, pool_maxsize=self._max_connections)
        pool = adapter.get_connection_with_tls_context(
            request, settings["verify"], proxies=settings["proxies"], cert=settings["cert"]
        )
        assert isinstance(pool, urllib3.HTTPConnectionPool)
        pool.ConnectionCls = _TlsConnection if isinstance(pool, urllib3.HTTPSConnectionPool) else _Connection
        is_proxied = adapter.request_url(request, settings["proxies"]).startswith("http")
        return _Route(pool, server if is_proxied else "")


def _read(response: urllib3.BaseHTTPResponse) -> ApiResponse:
    # Not unpacked: a few kilobytes can become gigabytes.
    body = response.read(MAX_RESPONSE_BYTES, decode_content=False)
    if len(body) == MAX_RESPONSE_BYTES:
        response.close()  # rather than read the rest
    response.release_conn()
    headers = {name.lower(): value for name, value in response.headers.items()}
    return ApiResponse(response.status, headers, body)


class _ReaderInTime(io.RawIOBase):
    """Reads from a socket, for no longer than its timeout altogether.

    The socket itself applies the timeout to each read, so that a server that sends a byte now and then could hold the
    thread for hours.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        # This keeps the socket open if the connection is closed before the response has been read.
        self._raw: Any = sock.makefile("rb", buffering=0)
        self._deadline = time.monotonic() + (sock.gettimeout() or 0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError("the response was not complete in time")
        self._sock.settimeout(remaining)
        count: int | None = self._raw.readinto(buffer)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(HTTPResponse):
    def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        self.fp.close()
        self.fp = io.BufferedReader(_ReaderInTime(sock))


class _Connection(HTTPConnection):
    response_class = _Response


class _TlsConnection(HTTPSConnection):
    response_class = _Response
