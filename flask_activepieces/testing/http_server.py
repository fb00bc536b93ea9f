"""A small HTTP/1.1 server for the stand-in and apps under test: threads, open connections, and ways to drop them.

Werkzeug's server closes every connection after one response, which takes ten milliseconds: that would hide the
behavior of a client's pool and slow the tests down.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from socket import SHUT_RDWR, SO_LINGER, SOL_SOCKET, socket
from struct import pack
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment


class ConnectionReset(ConnectionResetError):
    """Raised by an app to make the server reset the connection."""


class HttpServer:
    """Serves a WSGI app on loopback until it is closed."""

    def __init__(self, app: WSGIApplication, port: int = 0) -> None:
        self._server = _Server(app, port)
        self.port: int = self._server.server_address[1]
        # Polls often, so that tests do not wait for the server to stop.
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening, and close all open connections."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._server.close_connections()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, app: WSGIApplication, port: int) -> None:
        self.app = app
        self._open: set[socket] = set()
        self._lock = Lock()
        super().__init__(("127.0.0.1", port), _Handler)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open.add(request)
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._lock:
                self._open.discard(request)

    def close_connections(self) -> None:
        with self._lock:
            for connection in self._open:
                try:
                    connection.shutdown(SHUT_RDWR)
                except OSError:
                    continue  # the client closed it first

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore disconnected clients; report every other error."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server
    _resets = False

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65_537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        try:
            self._answer()
        except ConnectionError as error:
            self.close_connection = True
            self._resets = isinstance(error, ConnectionReset)

    def finish(self) -> None:
        super().finish()
        if self._resets:
            # Closing now sends a reset instead of an orderly shutdown.
            self.connection.setsockopt(SOL_SOCKET, SO_LINGER, pack("ii", 1, 0))
            self.connection.close()

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: an access log would clutter the output of tests."""

    def _answer(self) -> None:
        """Send head and body in one write, so that the network does not wait for an acknowledgement in between."""
        head: list[str] = []

        def start(status: str, headers: list[tuple[str, str]], _error: Any = None) -> Any:
            head[:] = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers)]
            if not _has_known_length(status, headers):
                head.append("Connection: close")
                self.close_connection = True
            return None

        parts = self.server.app(self._environ(), start)
        try:
            self._send(head, parts)
        finally:
            if hasattr(parts, "close"):
                parts.close()

    def _send(self, head: list[str], parts: Iterable[bytes]) -> None:
        begun = False
        for part in parts:
            self.wfile.write(part if begun else _head(head) + part)
            begun = True
        if not begun:
            self.wfile.write(_head(head))

    def _environ(self) -> WSGIEnvironment:
        path, _, query = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        environ: WSGIEnvironment = {
            "REQUEST_METHOD": self.command,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote(path, "latin-1"),
            "QUERY_STRING": query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": str(self.server.server_address[1]),
            "SERVER_PROTOCOL": self.request_version,
            "REMOTE_ADDR": self.client_address[0],
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        for name, value in self.headers.items():
            environ[f"HTTP_{name.upper().replace('-', '_')}"] = value
        return environ


def _has_known_length(status: str, headers: list[tuple[str, str]]) -> bool:
    """Whether the response has a length that does not depend on the end of the connection (RFC 9112, section 6.3)."""
    return status[:3] in ("204", "304") or any(name.lower() == "content-length" for name, _ in headers)


def _head(lines: list[str]) -> bytes:
    return "\r\n".join([*lines, "", ""]).encode("latin-1")
