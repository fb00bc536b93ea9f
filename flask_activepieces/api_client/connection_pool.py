"""HTTP with requests, for all calls to the API."""

from __future__ import annotations

import os
import random
import ssl
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.client import IncompleteRead, RemoteDisconnected
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import exceptions as urllib3_errors

from .errors import CallTimedOut, ConnectionFailed, UnexpectedResponse
from .network import network
from .response import ApiResponse
from .token_cache import TokenCache
from .wire import HttpRequest, Timeout

#: A longer response is not read to the end: 50,000 connections are about 40 MB.
MAX_RESPONSE_BYTES = 64 * 1024 * 1024
_CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True, kw_only=True)
class Retries:
    """How often a call is attempted, with exponential backoff and full jitter in between."""

    attempts: int = 3
    first_wait: float = 0.25
    longest_wait: float = 4.0
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)
    random: Callable[[], float] = field(default=random.random, repr=False)

    def backoff(self, attempt: int, *, at_least: float = 0.0) -> float:
        """Seconds to wait after this attempt; the first is number 1."""
        longest = min(self.longest_wait, self.first_wait * 2.0**attempt)
        return max(at_least, self.random() * longest)


class ConnectionPool:
    """A `requests.Session` and the tokens of sign-ins. Clients may share one, in any number of threads.

    Without a ``session`` it makes one that keeps up to ``max_connections`` open to each server. It uses the adapters,
    proxies, certificates and headers of the session, but stores no cookies and follows no redirects. Connections are
    closed after ``idle_seconds`` without any request: Node closes idle ones after 5 seconds by default, and a request
    sent at that moment is lost.
    """

    def __init__(
        self,
        session: requests.Session | None = None,
        *,
        max_connections: int = 50,
        idle_seconds: float = 4.0,
        retries: Retries = Retries(),  # noqa: B008  # frozen
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.retries = retries
        self.clock = clock
        self.tokens = TokenCache(clock)
        if session is None:
            session = requests.Session()
            for scheme in ("http://", "https://"):
                session.mount(scheme, HTTPAdapter(pool_connections=20, pool_maxsize=max_connections))
        self._session = session
        self._idle_seconds = idle_seconds
        self._process = os.getpid()
        self._last_used = time.monotonic()

    def close(self) -> None:
        """Close idle connections. The pool can still be used."""
        self._session.close()

    def send(self, operation: str, request: HttpRequest, *, timeout: Timeout, deadline: float) -> ApiResponse:
        """The complete response; `ConnectionFailed`, `CallTimedOut` or `UnexpectedResponse` without one.

        ``deadline`` is a time of `time.monotonic`. It is checked between the chunks of the body, so a wait for bytes
        that begins before it may end after it.
        """
        network.check(operation, request.url)
        self._close_stale_connections()
        handled = sys.exc_info()[1]
        try:
            return self._exchange(operation, request, timeout, deadline)
        except (requests.RequestException, urllib3_errors.HTTPError, OSError) as error:
            raise api_error(operation, error, timeout, deadline, handled=handled) from error
        finally:
            self._last_used = time.monotonic()

    def _close_stale_connections(self) -> None:
        """Close connections that the server may be closing, or that a fork copied from the parent process."""
        is_idle = time.monotonic() - self._last_used > self._idle_seconds
        if is_idle or self._process != os.getpid():
            self._session.close()
            self._process = os.getpid()

    def _exchange(self, operation: str, request: HttpRequest, timeout: Timeout, deadline: float) -> ApiResponse:
        session, remaining = self._session, max(deadline - time.monotonic(), 0.001)
        prepared = session.prepare_request(
            requests.Request(
                request.method,
                request.url,
                headers=dict(request.headers),
                data=request.form if request.files else request.body,
                files=request.files,
                # Without an auth, requests would replace the Authorization header by a login from ~/.netrc.
                auth=lambda authorized: authorized,
            )
        )
        settings: Any = session.merge_environment_settings(request.url, {}, True, None, None)
        # Not session.send, which stores cookies and reads the whole body of a redirect.
        response = session.get_adapter(request.url).send(
            prepared, timeout=(min(timeout.connect, remaining), min(timeout.read, remaining)), **settings
        )
        with response:
            body = b"".join(_chunks(operation, response, timeout, deadline))
            headers = {name.lower(): value for name, value in response.headers.items()}
            return ApiResponse(response.status_code, headers, body)


def _chunks(operation: str, response: requests.Response, timeout: Timeout, deadline: float) -> Iterator[bytes]:
    size = 0
    # Not iter_content, which waits until a chunk is full.
    while chunk := response.raw.read1(_CHUNK_BYTES, decode_content=True):
        size += len(chunk)
        if size > MAX_RESPONSE_BYTES:
            detail = f"the response exceeds {MAX_RESPONSE_BYTES >> 20} MB"
            raise UnexpectedResponse(operation, status=response.status_code, detail=detail)
        if time.monotonic() > deadline:
            raise CallTimedOut(operation, seconds=timeout.total)
        yield chunk


def api_error(
    operation: str, error: Exception, timeout: Timeout, deadline: float, *, handled: BaseException | None = None
) -> ConnectionFailed | CallTimedOut | UnexpectedResponse:
    """What an error of requests, urllib3 or a socket means; ``handled``: what the caller was already handling."""
    causes = tuple(_exception_chain(error, until=handled))

    def has(*kinds: type[BaseException]) -> bool:
        return any(isinstance(cause, kinds) for cause in causes)

    for kind, message in _UNSENT_MESSAGES.items():
        if has(kind):
            return ConnectionFailed(operation, detail=message.format(seconds=timeout.connect))
    if has(TimeoutError, urllib3_errors.ReadTimeoutError):
        seconds = timeout.total if time.monotonic() >= deadline else timeout.read
        return CallTimedOut(operation, seconds=seconds)
    if has(urllib3_errors.DecodeError):
        detail = "the response cannot be decompressed"
        return UnexpectedResponse(operation, detail=detail, outcome_unknown=True)
    detail = next((message for kind, message in _BROKEN_MESSAGES.items() if has(kind)), "the connection failed")
    return ConnectionFailed(operation, detail=detail, outcome_unknown=True)


def _exception_chain(error: BaseException | None, *, until: BaseException | None) -> Iterator[BaseException]:
    """The error and its causes, without the exception that the caller was already handling."""
    while error is not None and error is not until:
        yield error
        error = error.__cause__ or error.__context__


#: Failures before the request is sent.
_UNSENT_MESSAGES: Mapping[type[BaseException], str] = {
    requests.exceptions.InvalidURL: "invalid address",
    urllib3_errors.LocationValueError: "invalid address",
    urllib3_errors.NameResolutionError: "unknown host name",
    urllib3_errors.ProxyError: "the proxy is unreachable or refused the connection",
    ssl.SSLCertVerificationError: "the server's certificate is not trusted",
    ConnectionRefusedError: "the connection was refused",
    urllib3_errors.NewConnectionError: "no connection could be made",
    urllib3_errors.ConnectTimeoutError: "no connection within {seconds:g} seconds",
}
#: Failures after which the server may have received the request. No public interface tells a failed TLS handshake
#: from TLS that fails later.
_BROKEN_MESSAGES: Mapping[type[BaseException], str] = {
    ssl.SSLError: "the secure connection failed",
    RemoteDisconnected: "the connection was closed before a response",
    IncompleteRead: "the response was cut off",
    ConnectionError: "the connection was reset",
}
