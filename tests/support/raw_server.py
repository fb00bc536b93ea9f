"""A server whose behavior a test defines byte by byte, for responses that no HTTP server would send."""

from __future__ import annotations

import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

_NO_LINGER = struct.pack("ii", 1, 0)


@dataclass
class Received:
    """A received request."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: socket.socket = field(repr=False)

    def answer(
        self, status: int = 200, body: object = None, *, kind: str = "application/json", **headers: str
    ) -> None:
        """Send a complete response; a body that is not bytes is sent as JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send(head(status, len(content), kind, headers) + content)

    def send(self, data: bytes) -> None:
        """Send these bytes and nothing else."""
        with suppress(OSError):  # the client may have closed the connection
            self.connection.sendall(data)

    def reset(self) -> None:
        """Reset the connection, like a crash; data in transit may be lost."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self.connection.close()

    def close(self) -> None:
        """Close the connection normally."""
        self.connection.close()


@dataclass
class RawServer:
    """The address of the server, the received requests, and the number of connections."""

    url: str
    received: list[Received] = field(default_factory=list)
    connections: int = 0
    over: threading.Event = field(default_factory=threading.Event)


@contextmanager
def raw_server(behave: Callable[[Received], None], *, tls: ssl.SSLContext | None = None) -> Iterator[RawServer]:
    """A server on loopback while the block runs; ``behave`` answers each request."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = RawServer(f"{'https' if tls else 'http'}://127.0.0.1:{listener.getsockname()[1]}")
        threads = [threading.Thread(target=_accept, args=(listener, server, behave, tls), daemon=True)]
        threads[0].start()
        try:
            yield server
        finally:
            server.over.set()
            listener.shutdown(socket.SHUT_RDWR)
            threads[0].join(5)


def head(status: int, length: int, kind: str = "application/json", headers: Any = None) -> bytes:
    """The status line and headers of a response."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Type: {kind}", f"Content-Length: {length}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join([*lines, "", ""]).encode()


def _accept(
    listener: socket.socket, server: RawServer, behave: Callable[[Received], None], tls: ssl.SSLContext | None
) -> None:
    with suppress(OSError):
        while True:
            connection, _ = listener.accept()
            server.connections += 1
            arguments = (connection, server, behave, tls)
            threading.Thread(target=_serve, args=arguments, daemon=True).start()


def _serve(
    plain: socket.socket, server: RawServer, behave: Callable[[Received], None], tls: ssl.SSLContext | None
) -> None:
    with suppress(OSError, ValueError), tls.wrap_socket(plain, server_side=True) if tls else plain as connection:
        while received := _read(connection):
            server.received.append(received)
            behave(received)


def _read(connection: socket.socket) -> Received | None:
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return None
        data += more
    top, _, body = data.partition(b"\r\n\r\n")
    first, *lines = top.decode().split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
    while len(body) < int(headers.get("content-length", "0")):
        body += connection.recv(65536)
    return Received(method, target, headers, body, connection)
