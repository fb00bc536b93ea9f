"""The load: several connections at once, each sending one request after the other. Its own CPU time is not counted.

A request stream is a generator that yields requests and receives the body of each response, so that a chain of
refreshes can use the token that it just received. What comes before its first ``yield`` is not measured.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

CONNECTIONS = 4


@dataclass(frozen=True)
class Request:
    """A request; the baseline gets the same one under another path."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def wire(self, path: str | None = None) -> bytes:
        """The request as bytes."""
        lines = [f"{self.method} {path or self.path} HTTP/1.1", "Host: 127.0.0.1"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        if self.body:
            lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join([*lines, "Connection: close", "", ""]).encode() + self.body


RequestStream = Generator[Request, bytes, None]
MakeStream = Callable[[int], RequestStream]


def prepare(make_stream: MakeStream, count: int, port: int) -> Callable[[], None]:
    """Make what ``count`` requests need; calling the result sends them, on all connections at once."""

    def drive(stream: RequestStream, request: Request) -> None:
        try:
            while True:
                request = stream.send(_exchange(port, request.wire()))
        except StopIteration:
            return

    return partial(_at_once, drive, _streams(make_stream, count // CONNECTIONS))


def prepare_baseline(
    make_stream: MakeStream, count: int, port: int, *, path: str
) -> Callable[[], None]:
    """The same number of requests to the baseline view, with the operation's method, headers and body."""

    def drive(_: RequestStream, request: Request) -> None:
        for _number in range(count // CONNECTIONS):
            _exchange(port, request.wire(path))

    return partial(_at_once, drive, _streams(make_stream, 1))


def _streams(make_stream: MakeStream, length: int) -> list[tuple[RequestStream, Request]]:
    streams = [make_stream(length) for _ in range(CONNECTIONS)]
    return [(stream, next(stream)) for stream in streams]


def _at_once(
    drive: Callable[[RequestStream, Request], None],
    streams: Sequence[tuple[RequestStream, Request]],
) -> None:
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        for done in [pool.submit(drive, stream, first) for stream, first in streams]:
            done.result()


def _exchange(port: int, wire: bytes) -> bytes:
    # gunicorn's sync worker closes after each answer, so the response ends where the stream ends.
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(wire)
        received = bytearray()
        while part := connection.recv(65536):
            received += part
    head, _, body = bytes(received).partition(b"\r\n\r\n")
    if head[9:12] != b"200":
        raise RuntimeError(f"not 200 but: {bytes(received)[:1000]!r}")
    return body
