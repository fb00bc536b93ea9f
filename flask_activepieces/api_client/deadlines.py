"""Connections that keep a deadline, and that know whether anything was sent.

The read timeout of a socket bounds each wait for some bytes, and so does not bound an answer that comes one byte at a
time. Here every read of a connection, of headers and body alike, waits no longer than the deadline of the exchange
that it belongs to. And after a failure, the exchange says whether the server can have seen any of the request.
"""

from __future__ import annotations

import io
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool


@dataclass
class Exchange:
    """One request and its answer; ``deadline`` is an instant of `time.monotonic`.

    A connection that was idle for ``idle`` seconds is opened anew for it. Servers close idle connections, and whether
    a request that was sent into a closing connection was worked on, nobody can tell.
    """

    deadline: float
    idle: float
    sent: bool = False

    @property
    def left(self) -> float:
        """Seconds until the deadline."""
        return self.deadline - time.monotonic()


_exchange: ContextVar[Exchange | None] = ContextVar("exchange", default=None)


@contextmanager
def under(exchange: Exchange) -> Iterator[None]:
    """Let every connection that is used in this block belong to the exchange."""
    token = _exchange.set(exchange)
    try:
        yield
    finally:
        _exchange.reset(token)


class _BoundedReads(io.RawIOBase):
    """The bytes that a socket receives; no read waits longer than what is left to the exchange."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._patience = sock.gettimeout()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        exchange = _exchange.get()
        if exchange is not None:
            left = exchange.left
            if left <= 0:
                raise TimeoutError("the deadline has passed")
            self._sock.settimeout(left if self._patience is None else min(left, self._patience))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _BoundedResponse(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp.close()
        self.fp = io.BufferedReader(_BoundedReads(sock))


class _Watched(HTTPConnection):
    response_class = _BoundedResponse
    _used = 0.0

    @property
    def is_connected(self) -> bool:
        """Asked before a connection of the pool is used again."""
        exchange = _exchange.get()
        fresh = exchange is None or time.monotonic() - self._used < exchange.idle
        return super().is_connected and fresh

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        exchange = _exchange.get()
        if exchange is not None:
            exchange.sent = True
        super().send(data)

    def getresponse(self) -> Any:
        try:
            return super().getresponse()
        finally:
            self._used = time.monotonic()


class _WatchedTls(_Watched, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Watched


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _WatchedTls


#: What a `urllib3.PoolManager` makes its pools of.
POOLS = {"http": _Pool, "https": _TlsPool}
