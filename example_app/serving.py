"""Serving Tasklane in a thread, so that one process can be several servers."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from .models import db


class QuietHandler(WSGIRequestHandler):
    """Writes no access log: what the process prints is for people."""

    def log_request(self, *_: Any) -> None:
        """Nothing to say."""


class PortInUse(Exception):
    """Another program listens on that port already."""

    def __init__(self, host: str, port: int) -> None:
        self.port = port
        super().__init__(f"Port {port} of {host} is in use by another program.")


@contextmanager
def served(
    make_app: Callable[[str], Flask],
    *,
    host: str = "127.0.0.1",
    port: int = 0,
) -> Iterator[tuple[Flask, str]]:
    """The app and the address at which it is served while the block runs; port 0 is any free one.

    ``make_app`` is told the address, because an app that tells others where it is has to know it.
    """
    with listening(host, port) as listener:
        address = f"http://{host}:{listener.getsockname()[1]}"
        app = make_app(address)
        server = make_server(
            host, port, app, threaded=True, request_handler=QuietHandler, fd=listener.fileno()
        )
    # Looked at often, so that nobody waits long for the end.
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield app, address
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        with app.app_context():
            db.engine.dispose()


def listening(host: str, port: int) -> socket.socket:
    """A socket that has the port; `PortInUse` when it is taken."""
    try:
        return socket.create_server((host, port), backlog=128)
    except OSError as error:
        raise PortInUse(host, port) from error
