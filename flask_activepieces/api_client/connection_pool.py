"""HTTP, by requests: the only file that imports it. One `ConnectionPool` serves any number of clients and threads."""

from __future__ import annotations

import os
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.client import IncompleteRead, RemoteDisconnected
from random import random
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.exceptions import (
    DecodeError,
    LocationValueError,
    NameResolutionError,
    NewConnectionError,
    ProxyError,
)

from .deadlines import POOLS, Exchange, under
from .errors import CallTimedOut, ConnectionFailed, UnexpectedResponse
from .network import network
from .response import ApiResponse
from .token_cache import TokenCache
from .wire import HttpRequest

#: A longer answer is not read to its end: 50,000 connections take about 40 MB.
MAX_ANSWER = 64 * 1024 * 1024
_CHUNK = 256 * 1024


@dataclass(frozen=True, kw_only=True)
class Timeout:
    """Seconds: to connect, to wait for the next bytes, and for the call with all its repetitions."""

    connect: float = 5
    read: float = 30
    total: float = 60


@dataclass(frozen=True, kw_only=True)
class Retries:
    """How often a call is tried, and how long to wait in between: exponential, with full jitter."""

    attempts: int = 3
    first_wait: float = 0.25
    longest_wait: float = 4.0
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)
    random: Callable[[], float] = field(default=random, repr=False)

    def wait(self, attempt: int, *, at_least: float = 0.0) -> float:
        """Seconds before the next attempt, of which the first is number 1."""
        ceiling = min(self.longest_wait, self.first_wait * 2.0**attempt)
        return max(at_least, self.random() * ceiling)


class ConnectionPool:
    """A pool of connections, and the sign-ins made over it; clients may share one, from any thread.

    It keeps up to so many ``connections`` to a server, each for ``idle`` seconds without use. Node closes idle ones
    after 5 seconds unless told otherwise, so that is less.
    """

    def __init__(
        self,
        *,
        connections: int = 50,
        idle: float = 4.0,
        retries: Retries = Retries(),  # noqa: B008  # frozen
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.retries = retries
        self.clock = clock
        self.sessions = TokenCache(clock)
        self._connections = connections
        self._idle = idle
        self._open()

    def __repr__(self) -> str:
        return f"<ConnectionPool of up to {self._connections} kept connections>"

    def close(self) -> None:
        """Close the connections that nobody uses just now."""
        self._adapter.close()

    def send(
        self, call: str, outgoing: HttpRequest, *, timeout: Timeout, deadline: float
    ) -> ApiResponse:
        """The whole response; else `ConnectionFailed`, `CallTimedOut` or `UnexpectedResponse`."""
        network.check(call, outgoing.url)
        if (
            self._process != os.getpid()
        ):  # a socket must not be shared with the process we were forked from
            self._open()
        exchange = Exchange(deadline, self._idle)
        try:
            with under(exchange):
                return self._exchange(call, outgoing, timeout, exchange)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise _translated(call, error, timeout, exchange) from error

    def _exchange(
        self, call: str, outgoing: HttpRequest, timeout: Timeout, exchange: Exchange
    ) -> ApiResponse:
        request = requests.PreparedRequest()
        request.prepare(
            method=outgoing.method,
            url=outgoing.url,
            headers={**outgoing.headers, "Accept-Encoding": "gzip, deflate"},
            data=outgoing.form if outgoing.files else outgoing.body,
            files=outgoing.files,
        )
        left = max(exchange.left, 0.001)
        response = self._adapter.send(
            request,
            stream=True,
            timeout=(min(timeout.connect, left), min(timeout.read, left)),
            **self._surroundings(outgoing.url),
        )
        with response:
            headers = {name.lower(): value for name, value in response.headers.items()}
            return ApiResponse(response.status_code, headers, b"".join(_body(call, response)))

    def _surroundings(self, url: str) -> Mapping[str, Any]:
        """Proxies and certificates as the environment has them (``HTTPS_PROXY``, ``REQUESTS_CA_BUNDLE``, …)."""
        server = url.split("/", 3)[2]
        if server not in self._environment:
            found = requests.Session().merge_environment_settings(url, {}, None, None, None)
            self._environment[server] = {
                name: found[name] for name in ("proxies", "verify", "cert")
            }
        return self._environment[server]

    def _open(self) -> None:
        self._process = os.getpid()
        self._environment: dict[str, Mapping[str, Any]] = {}
        # No session of requests: it would keep cookies, follow redirects and take credentials from ~/.netrc.
        self._adapter = _Adapter(pool_maxsize=self._connections, pool_connections=20)


class _Adapter(HTTPAdapter):
    """An adapter whose connections keep deadlines, directly and through a proxy."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = POOLS
        return manager


def _body(call: str, response: requests.Response) -> Iterator[bytes]:
    size = 0
    for chunk in response.raw.stream(_CHUNK, decode_content=True):
        size += len(chunk)
        if size > MAX_ANSWER:
            raise UnexpectedResponse(
                call,
                status=response.status_code,
                detail=f"the answer exceeds {MAX_ANSWER >> 20} MB",
            )
        yield chunk


def _translated(
    call: str, error: Exception, timeout: Timeout, exchange: Exchange
) -> ConnectionFailed | CallTimedOut | UnexpectedResponse:
    causes = list(_causes(error))
    if any(isinstance(cause, DecodeError) for cause in causes):
        return UnexpectedResponse(
            call, detail="the answer cannot be unpacked", outcome_unknown=exchange.sent
        )
    if any(isinstance(cause, TimeoutError) for cause in causes):
        if exchange.sent:
            passed = timeout.total if exchange.left <= 0 else timeout.read
            return CallTimedOut(call, seconds=passed)
        return ConnectionFailed(call, detail=f"no connection within {timeout.connect:g} seconds")
    detail = next((words for kind, words in _WORDS for c in causes if isinstance(c, kind)), "")
    return ConnectionFailed(
        call, detail=detail or "the connection failed", outcome_unknown=exchange.sent
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


#: The first that is among the causes of a failure says it in words.
_WORDS: tuple[tuple[type[BaseException], str], ...] = (
    (requests.exceptions.InvalidURL, "the address is not valid"),
    (LocationValueError, "the address is not valid"),
    (NameResolutionError, "the host name is not known"),
    (ProxyError, "the proxy cannot be reached, or refused"),
    (ssl.SSLCertVerificationError, "the server's certificate is not trusted"),
    (ssl.SSLError, "no secure connection could be made"),
    (ConnectionRefusedError, "the connection was refused"),
    (RemoteDisconnected, "the connection was closed before an answer came"),
    (IncompleteRead, "the answer broke off"),
    (ConnectionError, "the connection was reset"),
    (NewConnectionError, "no connection could be made"),
)
