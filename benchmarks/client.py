"""The HTTP client of the benchmarks: several connections, each with one request after the other.

A request stream is a generator that yields requests and receives the body of each response, so that a refresh can use
the token from the previous response. Code before the first ``yield`` is not measured. Nor is the client.
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
    """A request. The baseline receives the same one at another path."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def to_bytes(self, path: str | None = None) -> bytes:
        """The request as HTTP/1.1."""
        lines = [f"{self.method} {path or self.path} HTTP/1.1", "Host: 127.0.0.1"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        if self.body:
            lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join([*lines, "Connection: close", "", ""]).encode() + self.body


RequestStream = Generator[Request, bytes, None]
MakeStream = Callable[[int], RequestStream]


def prepare(make_stream: MakeStream, count: int, port: int) -> Callable[[], None]:
    """Prepare ``count`` requests; the returned function sends them on all connections."""

    def send_stream(stream: RequestStream, request: Request) -> None:
        try:
            while True:
                request = stream.send(_send(port, request.to_bytes()))
        except StopIteration:
            return

    return partial(_run_all, send_stream, _streams(make_stream, count // CONNECTIONS))


def prepare_baseline(make_stream: MakeStream, count: int, port: int, *, path: str) -> Callable[[], None]:
    """Prepare the same number of requests to the baseline, with the operation's method, headers and body."""

    def send_copies(_: RequestStream, request: Request) -> None:
        for _count in range(count // CONNECTIONS):
            _send(port, request.to_bytes(path))

    return partial(_run_all, send_copies, _streams(make_stream, 1))


def _streams(make_stream: MakeStream, length: int) -> list[tuple[RequestStream, Request]]:
    streams = [make_stream(length) for _ in range(CONNECTIONS)]
    return [(stream, next(stream)) for stream in streams]


def _run_all(
    send: Callable[[RequestStream, Request], None], streams: Sequence[tuple[RequestStream, Request]]
) -> None:
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        for future in [pool.submit(send, stream, first) for stream, first in streams]:
            future.result()


def _send(port: int, request: bytes) -> bytes:
    # gunicorn's sync worker closes the connection after each response.
    with socket.create_connection(("127.0.0.1", port), timeout=30) as sock:
        sock.sendall(request)
        received = bytearray()
        while part := sock.recv(65536):
            received += part
    head, _, body = bytes(received).partition(b"\r\n\r\n")
    if head[9:12] != b"200":
        raise RuntimeError(f"expected status 200: {bytes(received)[:1000]!r}")
    return body
