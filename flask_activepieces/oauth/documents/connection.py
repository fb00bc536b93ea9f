"""A connection to an address that was checked, which ends at a deadline and after a number of bytes.

The name is resolved once. Every answer must be public, and the connection goes to one of these answers: a second
look-up could return another address (DNS rebinding). TLS still verifies the name. No proxy is used, because a proxy
would resolve the name itself.
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

#: How many of the addresses are tried.
_MAX_ATTEMPTS = 3


def _resolve(host: str, port: int) -> list[str]:
    answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in answers))


def _connect(address: str, port: int, seconds: float) -> socket.socket:
    return socket.create_connection((address, port), timeout=seconds)


def _tls_context() -> ssl.SSLContext:
    # The certificates that requests uses.
    return ssl.create_default_context(cafile=DEFAULT_CA_BUNDLE_PATH)


@dataclass(frozen=True, kw_only=True)
class Network:
    """What a connection needs of the machine, and tests replace."""

    #: Raises if the test that runs must not call this URL.
    check: Callable[[str], None] = partial(guard.check, "a client metadata document")
    resolve: Callable[[str, int], Sequence[str]] = _resolve
    connect: Callable[[str, int, float], socket.socket] = _connect
    tls_context: Callable[[], ssl.SSLContext] = _tls_context
    monotonic: Callable[[], float] = time.monotonic


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What is left for a fetch: until a time of `Network.monotonic`."""

    deadline: float
    network: Network = field(repr=False)

    def remaining(self) -> float:
        """The seconds that are left; `TimeoutError` if there are none."""
        seconds = self.deadline - self.network.monotonic()
        if seconds <= 0:
            raise TimeoutError
        return seconds


class Connection:
    """An open connection to the host of a URL: what `http.client.HTTPResponse` needs of a socket."""

    def __init__(self, sock: socket.socket, limits: Limits, *, max_bytes: int) -> None:
        self._socket = sock
        self._limits = limits
        self._max_bytes = max_bytes

    def send(self, data: bytes) -> None:
        """Send all of it."""
        self._socket.settimeout(self._limits.remaining())
        self._socket.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        """A reader of the response."""
        return io.BufferedReader(_LimitedReader(self._socket, self._limits, self._max_bytes))

    def close(self) -> None:
        """Close the connection, in whatever state it is."""
        self._socket.close()


class _LimitedReader(io.RawIOBase):
    """Checks the limits before each read, however few bytes it returns."""

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
    """A connection to the host of this URL; `DocumentError` or `OSError` if there is none."""
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
    # All of them: which one is used must not depend on chance.
    if not addresses or not all(map(is_allowed, addresses)):
        raise DocumentError(Message("The host has no address, or one that is not on the public internet."))
    return addresses


def _resolve_in_time(url: ClientUrl, limits: Limits) -> Sequence[str]:
    """The answers of the resolver, which has no time limit of its own."""
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
        # One that does not answer must leave time for the next one.
        seconds = limits.remaining() / (len(tried) - number + 1)
        try:
            return limits.network.connect(address, url.port, seconds)
        except OSError:
            if number == len(tried):
                raise
    raise AssertionError("the last attempt returns or raises")
