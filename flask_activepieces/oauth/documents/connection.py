"""A connection to a checked address, with limits on time and bytes.

The name is resolved once. All addresses must be public, and the connection goes to one of them: a second look-up
could return another address (DNS rebinding). TLS still verifies the name. No proxy is used, because a proxy would
resolve the name itself.
"""

from __future__ import annotations

import io
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from ...api_client.network import network as guard
from ...messages import Message
from .addresses import is_loopback, is_public
from .client_urls import ClientUrl, DocumentError

#: To how many of the addresses a connection is attempted.
_MAX_ATTEMPTS = 3


def _resolve(host: str, port: int) -> list[str]:
    answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in answers))


def _connect(address: str, port: int, seconds: float) -> socket.socket:
    return socket.create_connection((address, port), timeout=seconds)


def _tls_context() -> ssl.SSLContext:
    # The certificate authorities that requests uses.
    return ssl.create_default_context(cafile=DEFAULT_CA_BUNDLE_PATH)


@dataclass(frozen=True, kw_only=True)
class Network:
    """What a connection needs from the machine. Tests replace it."""

    #: Raises an error if the current test must not call this URL.
    check: Callable[[str], None] = partial(guard.check, "a client metadata document")
    resolve: Callable[[str, int], Sequence[str]] = _resolve
    connect: Callable[[str, int, float], socket.socket] = _connect
    tls_context: Callable[[], ssl.SSLContext] = _tls_context
    monotonic: Callable[[], float] = time.monotonic


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The time limit of a fetch, as a time of `Network.monotonic`."""

    deadline: float
    network: Network = field(repr=False)

    def remaining(self) -> float:
        """The remaining seconds; `TimeoutError` if no time is left."""
        seconds = self.deadline - self.network.monotonic()
        if seconds <= 0:
            raise TimeoutError
        return seconds


class Connection:
    """An open connection to the host of a URL, with the methods of a socket that `http.client.HTTPResponse` calls."""

    def __init__(self, sock: socket.socket, limits: Limits, *, max_bytes: int) -> None:
        self._socket = sock
        self._limits = limits
        self._max_bytes = max_bytes

    def send(self, data: bytes) -> None:
        """Send all bytes."""
        self._socket.settimeout(self._limits.remaining())
        self._socket.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        """A reader of the response."""
        return io.BufferedReader(_LimitedReader(self._socket, self._limits, self._max_bytes))

    def close(self) -> None:
        """Close the connection, in any state."""
        self._socket.close()


class _LimitedReader(io.RawIOBase):
    """Checks the limits before each read, even of a single byte."""

    def __init__(self, sock: socket.socket, limits: Limits, max_bytes: int) -> None:
        self._socket = sock
        self._limits = limits
        self._left = max_bytes

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        if self._left <= 0:
            raise DocumentError(Message("The response is too large."))
        self._socket.settimeout(self._limits.remaining())
        count = self._socket.recv_into(memoryview(buffer)[: self._left])
        self._left -= count
        return count


def open_connection(url: ClientUrl, limits: Limits, *, max_bytes: int) -> Connection:
    """A connection to the host of this URL; `DocumentError` or `OSError` if it fails."""
    sock = _connect_to_any(url, _checked_addresses(url, limits), limits)
    try:
        if url.scheme == "https":
            sock.settimeout(limits.remaining())
            sock = limits.network.tls_context().wrap_socket(sock, server_hostname=url.host)
        return Connection(sock, limits, max_bytes=max_bytes)
    except BaseException:
        sock.close()
        raise


def _checked_addresses(url: ClientUrl, limits: Limits) -> Sequence[str]:
    addresses = _resolve_in_time(url, limits)
    is_allowed = is_loopback if url.is_loopback else is_public
    # Check all of them, so that the result does not depend on which one is used.
    if not addresses or not all(map(is_allowed, addresses)):
        raise DocumentError(Message("The host has no address, or one that is not on the public internet."))
    return addresses


def _resolve_in_time(url: ClientUrl, limits: Limits) -> Sequence[str]:
    """The addresses of the host, within the time limit: the resolver itself has none."""
    answers: queue.SimpleQueue[Sequence[str] | Exception] = queue.SimpleQueue()

    def resolve() -> None:
        try:
            answers.put(limits.network.resolve(url.host, url.port))
        except Exception as error:
            answers.put(error)

    threading.Thread(target=resolve, daemon=True).start()
    try:
        answer = answers.get(timeout=limits.remaining())
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(answer, Exception):
        raise DocumentError(Message("The host name is unknown.")) from answer
    return answer


def _connect_to_any(url: ClientUrl, addresses: Sequence[str], limits: Limits) -> socket.socket:
    tried = addresses[:_MAX_ATTEMPTS]
    for number, address in enumerate(tried, start=1):
        # If one does not respond, there must be time for the next one.
        seconds = limits.remaining() / (len(tried) - number + 1)
        try:
            return limits.network.connect(address, url.port, seconds)
        except OSError:
            if number == len(tried):
                raise
    raise AssertionError("the last attempt returns or raises")
