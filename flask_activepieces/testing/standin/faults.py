"""What the stand-in can be told to do wrong: to be slow, to fail, to lose answers.

A fault is for calls of a method and a path. The path is that of the API (``/app-connections``), ``*`` stands for any
characters; a fault serves so many calls (``times``) and is gone, or stays for good with ``times=None``.
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

#: Does something wrong in place of the app, or around it.
FaultyApp = Callable[["WSGIApplication", "WSGIEnvironment", "StartResponse"], Iterable[bytes]]


class ResponseDropped(ConnectionAbortedError):
    """The server closes the connection without an answer, or in the middle of one."""


@dataclass
class _Fault:
    method: str
    path: str
    faulty_app: FaultyApp
    times: int | None


class Faults:
    """The faults that are waiting for their calls. The first one that fits is the one that happens."""

    def __init__(self) -> None:
        self._waiting: list[_Fault] = []
        #: How many faults have begun to happen.
        self.triggered = 0
        self._lock = Lock()
        self._over = Event()

    def delay(self, method: str, path: str, seconds: float, *, times: int | None = 1) -> None:
        """Answer as ever, but only after so many seconds of real time."""
        self._add(method, path, self._delay(seconds), times)

    def fail(
        self,
        method: str,
        path: str,
        status: int,
        *,
        times: int | None = 1,
        headers: dict[str, str] | None = None,
    ) -> None:
        """Do nothing and answer with that status, in the words of the framework."""
        self._add(method, path, _fail(status, headers or {}), times)

    def drop_response(self, method: str, path: str, *, times: int | None = 1) -> None:
        """Do the work, then close the connection without an answer."""
        self._add(method, path, _drop_response, times)

    def reset_connection(self, method: str, path: str, *, times: int | None = 1) -> None:
        """Do nothing, and reset the connection."""
        self._add(method, path, _reset_connection, times)

    def truncate_body(self, method: str, path: str, *, times: int | None = 1) -> None:
        """Do the work, then stop in the middle of the answer."""
        self._add(method, path, _truncate_body, times)

    def invalid_json(
        self, method: str, path: str, *, body: bytes = b"<html>", times: int | None = 1
    ) -> None:
        """Do the work, then answer 200 with something that is no JSON, though it says so."""
        self._add(method, path, _invalid_json(body), times)

    def clear(self) -> None:
        """Do right from now on."""
        with self._lock:
            self._waiting.clear()

    def end_delays(self) -> None:
        """Who still waits for a slow answer need wait no longer; later callers do."""
        over, self._over = self._over, Event()
        over.set()

    def wrap(self, app: WSGIApplication, root: str) -> WSGIApplication:
        """The app, with the faults in front of it."""

        def wrapped(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
            faulty_app = self._next(
                environ["REQUEST_METHOD"], environ["PATH_INFO"].removeprefix(root)
            )
            return faulty_app(app, environ, start) if faulty_app else app(environ, start)

        return wrapped

    def _add(self, method: str, path: str, faulty_app: FaultyApp, times: int | None) -> None:
        with self._lock:
            self._waiting.append(_Fault(method, path, faulty_app, times))

    def _delay(self, seconds: float) -> FaultyApp:
        def faulty_app(
            app: WSGIApplication, environ: WSGIEnvironment, start: StartResponse
        ) -> Iterable[bytes]:
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
    def faulty_app(
        app: WSGIApplication, environ: WSGIEnvironment, start: StartResponse
    ) -> Iterable[bytes]:
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


def _drop_response(
    app: WSGIApplication, environ: WSGIEnvironment, start: StartResponse
) -> Iterable[bytes]:
    run_wsgi_app(app, environ, buffered=True)
    raise ResponseDropped


def _reset_connection(
    app: WSGIApplication, environ: WSGIEnvironment, start: StartResponse
) -> Iterable[bytes]:
    _read(environ)
    raise ConnectionReset


def _truncate_body(
    app: WSGIApplication, environ: WSGIEnvironment, start: StartResponse
) -> Iterable[bytes]:
    parts, status, headers = run_wsgi_app(app, environ, buffered=True)
    body = b"".join(parts)
    start(status, list(headers))
    yield body[: len(body) // 2]
    raise ResponseDropped


def _invalid_json(body: bytes) -> FaultyApp:
    def faulty_app(
        app: WSGIApplication, environ: WSGIEnvironment, start: StartResponse
    ) -> Iterable[bytes]:
        run_wsgi_app(app, environ, buffered=True)
        length = ("Content-Length", str(len(body)))
        start("200 OK", [("Content-Type", "application/json; charset=utf-8"), length])
        return [body]

    return faulty_app


def _read(environ: WSGIEnvironment) -> None:
    """Take the request in, so that the connection can go on to the next."""
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
