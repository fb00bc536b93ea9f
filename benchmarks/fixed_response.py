"""``python -m benchmarks.fixed_response``: a server that returns 1,000 connections to every request.

It prints its port.
"""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.support.recordings import recording

CONNECTIONS = 1000


def response_body() -> bytes:
    """A page of 1,000 copies of a recorded connection, each with its own id and a flow."""
    item = recording("conn list default").body["data"][0]
    rows = [
        item | {"id": f"{number:021d}", "externalId": f"c-{number}", "flowIds": [f"{number:021d}"]}
        for number in range(CONNECTIONS)
    ]
    page = {"data": rows, "next": None, "previous": None}
    return json.dumps(page, separators=(",", ":")).encode()


class _FixedResponse(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # keeps connections open
    body = response_body()

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        """Do nothing."""


def main() -> None:
    """Serve until the process is terminated."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _FixedResponse) as server:
        print(server.server_address[1], flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
