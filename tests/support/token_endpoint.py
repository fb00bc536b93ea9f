"""A token endpoint on loopback that records each request, and sends the replies that a test sets."""

from __future__ import annotations

import json
import secrets
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@dataclass(frozen=True)
class Reply:
    """A response of the endpoint."""

    body: Any = None
    status: int = 200
    location: str | None = None
    #: Sent unchanged instead of JSON.
    text: str | None = None


@dataclass(frozen=True)
class ReceivedRequest:
    """One request, byte by byte."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: str


@dataclass
class TokenEndpoint:
    """The address of the endpoint, the received requests, and the next replies; by default it issues new tokens."""

    url: str
    received: list[ReceivedRequest] = field(default_factory=list)
    replies: deque[Reply] = field(default_factory=deque)

    def reply_with(self, *replies: Reply) -> None:
        """Set the replies to the next requests."""
        self.replies.extend(replies)

    def next_reply(self) -> Reply:
        return self.replies.popleft() if self.replies else Reply(fresh_tokens())


def fresh_tokens() -> dict[str, Any]:
    """A successful response."""
    return {
        "access_token": f"at-{secrets.token_hex(4)}",
        "token_type": "Bearer",
        "expires_in": 3600,
        "refresh_token": f"rt-{secrets.token_hex(4)}",
        "scope": "read write",
    }


@contextmanager
def token_endpoint() -> Iterator[TokenEndpoint]:
    """An endpoint while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = tuple(self.headers.items())
            endpoint.received.append(ReceivedRequest(self.command, self.path, headers, raw.decode()))
            reply = endpoint.next_reply()
            body = reply.text if reply.text is not None else json.dumps(reply.body)
            self.send_response(reply.status)
            if reply.location is not None:
                self.send_header("Location", reply.location)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(body.encode())

        do_GET = do_POST

        def log_message(self, format: str, *args: Any) -> None:
            """Log nothing: an access log would clutter the output of tests."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    endpoint = TokenEndpoint(f"http://127.0.0.1:{server.server_port}")
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield endpoint
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
