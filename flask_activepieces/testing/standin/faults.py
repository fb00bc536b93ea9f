"""Faults that tests can inject: delays, errors, dropped responses.

A fault applies to calls with a method and an API path (``/app-connections``), in which ``*`` matches any characters.
It affects the next ``times`` calls, or all calls with ``times=None``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from http import HTTPStatus
from threading import Event, Lock
from typing import TYPE_CHECKING

from werkzeug.test import run_wsgi_app

from ..http_server import ConnectionReset

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

#: Replaces or wraps the app for one call.
FaultyApp = Callable[["WSGIApplication", "WSGIEnvironment", "StartResponse"], Iterable[bytes]]


class ResponseDropped(ConnectionAbortedError):
    """The server closes the connection before or during the response."""


@dataclass
class _Fault:
    method: str
    path: str
    faulty_app: FaultyApp
    times: int | None


class Faults:
    """The faults to inject. For each call, the first fault that matches is used."""

    def __init__(self) -> None:
        self._waiting: list[_Fault] = []
        #: The number of faults that were triggered so far.
        self.triggered = 0
        self._lock = Lock()
        self._over = Event()

    def delay(self, method: str, path: str, seconds: float, *, times: int | None = 1) -> None:
        """Respond normally, after a delay in real time."""
        self._add(method, path, self._delay(seconds), times)

    def fail(
        self, method: str, path: str, status: int, *, times: int | None = 1, headers: dict[str, str] | None = None
    ) -> None:
        """Do nothing, and return the framework's error with that status."""
        self._add(method, path, _fail(status, headers or {}), times)

    def drop_response(self, method: str, path: str, *, times: int | None = 1) -> None:
        """Process the request, then close the connection without a response."""
        self._add(method, path, _drop_response, times)

    def reset_connection(self, method: str, path: str, *, times: int | None = 1) -> None:
        """Reset the connection without processing the request."""
        self._add(method, path, _reset_connection, times)

    def truncate_body(self, method: str, path: str, *, times: int | None = 1) -> None:
        """Process the request, then send only half of the response body."""
        self._add(method, path, _truncate_body, times)

    def invalid_json(self, method: str, path: str, *, body: bytes = b"<html>", times: int | None = 1) -> None:
        """Process the request, then return 200 with a body that is not JSON, despite its content type."""
        self._add(method, path, _invalid_json(body), times)

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            self._waiting.clear()

    def end_delays(self) -> None:
        """End the delays in progress; later calls are delayed as before."""
        over, self._over = self._over, Event()
        over.set()

    def wrap(self, app: WSGIApplication, root: str) -> WSGIApplication:
        """The app with the faults applied."""

        def wrapped(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
            faulty_app = self._next(environ["REQUEST_METHOD"], environ["PATH_INFO"].removeprefix(root))
            return faulty_app(app, environ, start) if faulty_app else app(environ, start)

        return wrapped

    def _add(self, method: str, path: str, faulty_app: FaultyApp, times: int | None) -> None:
        with self._lock:
            self._waiting.append(_Fault(method, path, faulty_app, times))

    def _delay(self, seconds: float) -> FaultyApp:
        def faulty_app(app: WSGIApplication, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
            self._over.wait(seconds)
            return app(environ, start)

        return faulty_app

    def _next(self, method: str, path: str) -> FaultyApp | None:
        with self._lock:
            for fault in self._waiting:
                if fnmatchcase(method, fault.method) and fnmatchcase(path, fault.path):
                    if fault.times is not None:
                        fault.times -= 1
                        if fault.times == 0:
                            self._waiting.remove(fault)
                    self.triggered += 1
                    return fault.faulty_app
        return None


def _fail(status: int, headers: dict[str, str]) -> FaultyApp:
    def faulty_app(app: WSGIApplication, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        _read(environ)
        phrase = HTTPStatus(status).phrase
        body = f'{{"statusCode":{status},"error":"{phrase}","message":"{phrase}"}}'.encode()
        start(
            f"{status} {phrase}",
            [
                ("Content-Type", "application/json; charset=utf-8"),
                ("Content-Length", str(len(body))),
                *headers.items(),
            ],
        )
        return [body]

    return faulty_app


def _drop_response(app: WSGIApplication, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
    run_wsgi_app(app, environ, buffered=True)
    raise ResponseDropped


def _reset_connection(app: WSGIApplication, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
    _read(environ)
    raise ConnectionReset


def _truncate_body(app: WSGIApplication, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
    parts, status, headers = run_wsgi_app(app, environ, buffered=True)
    body = b"".join(parts)
    start(status, list(headers))
    yield body[: len(body) // 2]
    raise ResponseDropped


def _invalid_json(body: bytes) -> FaultyApp:
    def faulty_app(app: WSGIApplication, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        run_wsgi_app(app, environ, buffered=True)
        length = ("Content-Length", str(len(body)))
        start("200 OK", [("Content-Type", "application/json; charset=utf-8"), length])
        return [body]

    return faulty_app


def _read(environ: WSGIEnvironment) -> None:
    """Read the request body, so that the connection can be reused."""
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
