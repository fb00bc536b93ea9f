"""Counts the SQL statements of an operation at the driver, except BEGIN, COMMIT and the like."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from flask import Flask
from sqlalchemy import event

from .client import MakeStream, Request

_WARM_UP_REQUESTS = 2
_NOT_COUNTED = {"BEGIN", "COMMIT", "ROLLBACK", "PRAGMA", "SET"}

Record = Callable[[str], None]


def count_statements(app: Flask, make_stream: MakeStream) -> int:
    """The statements of the third of three requests, when all caches are warm."""
    with app.app_context():
        engine = app.extensions["sqlalchemy"].engine
    statements: list[str] = []

    def record(statement: str) -> None:
        if statement.split(None, 1)[0].upper() not in _NOT_COUNTED:
            statements.append(statement)

    event.listen(engine, "connect", lambda driver, _: _listen(driver, record))
    stream = make_stream(_WARM_UP_REQUESTS + 1)
    request = next(stream)
    for _ in range(_WARM_UP_REQUESTS):
        request = stream.send(_send(app, request))
    statements.clear()
    _send(app, request)
    engine.dispose()
    return len(statements)


def _listen(driver: Any, record: Record) -> None:
    # At the driver, because SQLAlchemy's events do not report all statements.
    if isinstance(driver, sqlite3.Connection):
        driver.set_trace_callback(record)
    elif hasattr(driver, "cursor_factory"):  # psycopg
        driver.cursor_factory = _recording_cursor(driver.cursor_factory, record)
    else:  # PyMySQL
        driver.cursorclass = _recording_cursor(driver.cursorclass, record)


def _recording_cursor(cursor_class: type[Any], record: Record) -> type[Any]:
    class RecordingCursor(cursor_class):  # type: ignore[misc]  # a class of the driver
        def execute(self, query: Any, *args: Any, **kwargs: Any) -> Any:
            record(str(query))
            return super().execute(query, *args, **kwargs)

    return RecordingCursor


def _send(app: Flask, request: Request) -> bytes:
    response = app.test_client().open(
        request.path, method=request.method, headers=list(request.headers), data=request.body
    )
    assert response.status_code == 200, response.text
    return bytes(response.data)
