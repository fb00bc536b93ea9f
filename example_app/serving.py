"""Serves Tasklane and delivers its events in threads, so that one process can run several servers."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from flask_activepieces import get_state

from .models import db


class PortInUse(Exception):
    """Another program listens on that port already."""

    def __init__(self, host: str, port: int) -> None:
        self.port = port
        super().__init__(f"Port {port} of {host} is used by another program.")


@contextmanager
def serve(make_app: Callable[[str], Flask], *, host: str = "127.0.0.1", port: int = 0) -> Iterator[tuple[Flask, str]]:
    """Serve an app until the block ends, and yield the app and its address. Port 0 chooses a free one.

    ``make_app`` receives the address, because the app's configuration needs it.
    """
    with listen(host, port) as listener:
        address = f"http://{host}:{listener.getsockname()[1]}"
        app = make_app(address)
        server = make_server(host, port, app, threaded=True, request_handler=_QuietHandler, fd=listener.fileno())
    # A short interval, because shutdown() waits for the end of it.
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    # In production, `flask activepieces deliver` is a process of its own.
    worker = get_state(app).delivery.worker(threads=2)
    delivery = Thread(target=worker.run, daemon=True)
    delivery.start()
    try:
        yield app, address
    finally:
        worker.stop()
        delivery.join()
        server.shutdown()
        thread.join()
        server.server_close()
        with app.app_context():
            db.engine.dispose()


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens on the port; `PortInUse` if it is taken."""
    try:
        return socket.create_server((host, port), backlog=128)
    except OSError as error:
        raise PortInUse(host, port) from error


class _QuietHandler(WSGIRequestHandler):
    """Writes no access log, which would hide the other output of the process."""

    def log_request(self, *_: Any) -> None:
        """Do nothing."""
