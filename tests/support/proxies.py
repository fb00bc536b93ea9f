"""A TCP proxy in front of a database server, which can be closed and reopened, and can cut a connection."""

from __future__ import annotations

import re
import select
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Event, Thread
from typing import Literal

from sqlalchemy import make_url

#: Closing a socket sends a reset, like a machine that has lost the connection.
_RESET = struct.pack("ii", 1, 0)
_POLL_SECONDS = 0.02


@dataclass
class Cut:
    """The next message that matches, or the answer to it, is lost together with its connection."""

    pattern: bytes
    lost: Literal["message", "answer"]
    #: Whether the database is unreachable from then on.
    and_close: bool = False


class Proxy:
    """Forwards bytes in both directions until it is closed."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._is_open = Event()
        self._threads: list[Thread] = []
        self.cut: Cut | None = None
        # Permanently bound but not listening, so that the port stays reserved while the proxy is closed.
        self._reserved = socket.socket()
        self._reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._reserved.bind(("127.0.0.1", 0))
        self.port: int = self._reserved.getsockname()[1]

    def open(self) -> None:
        """Accept connections; existing ones stay open."""
        if self._is_open.is_set():
            return
        self.close()
        self._is_open.set()
        listener = socket.create_server(("127.0.0.1", self.port), reuse_port=True)
        listener.settimeout(_POLL_SECONDS)
        self._start(self._accept, listener)

    def close(self) -> None:
        """Reset all connections, and refuse new ones."""
        self._is_open.clear()
        threads, self._threads = self._threads, []
        for thread in threads:
            thread.join()

    def end(self) -> None:
        """Close it permanently."""
        self.close()
        self._reserved.close()

    def through(self, url: str) -> str:
        """The database URL through this proxy."""
        changed = make_url(url).set(host="127.0.0.1", port=self.port)
        return changed.render_as_string(hide_password=False)

    def _start(self, work: Callable[..., None], *sockets: socket.socket) -> None:
        thread = Thread(target=work, args=sockets, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        with listener:
            while self._is_open.is_set():
                with suppress(TimeoutError):
                    client, _ = listener.accept()
                    self._start(self._pass_on, client, socket.create_connection(self._target))

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        with client, server, suppress(OSError):
            for one in (client, server):
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            cut = None
            while self._is_open.is_set() or cut:
                for source in select.select([client, server], [], [], _POLL_SECONDS)[0]:
                    data = source.recv(65536)
                    if source is client:
                        cut = cut or self._cut_for(data)
                    if not data or (cut and (source is server or cut.lost == "message")):
                        return
                    (server if source is client else client).sendall(data)

    def _cut_for(self, data: bytes) -> Cut | None:
        cut = self.cut
        if cut is None or not re.search(cut.pattern, data):
            return None
        self.cut = None
        if cut.and_close:
            self._is_open.clear()
        return cut


@contextmanager
def proxy_for(url: str) -> Iterator[Proxy]:
    """An open proxy in front of the database server of this URL."""
    target = make_url(url)
    assert target.host is not None and target.port is not None
    proxy = Proxy(target.host, target.port)
    proxy.open()
    try:
        yield proxy
    finally:
        proxy.end()
