"""Counts the SQL statements of one operation at the driver, without BEGIN, COMMIT and similar ones."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from flask import Flask
from sqlalchemy import event

from .client import MakeStream, Request

_BEFORE = 2
_NOT_COUNTED = {"BEGIN", "COMMIT", "ROLLBACK", "PRAGMA", "SET"}

Note = Callable[[str], None]


def count_statements(app: Flask, make_stream: MakeStream) -> int:
    """The number of statements of the third of three consecutive requests, when all caches are warm."""
    with app.app_context():
        engine = app.extensions["sqlalchemy"].engine
    statements: list[str] = []

    def note(statement: str) -> None:
        if statement.split(None, 1)[0].upper() not in _NOT_COUNTED:
            statements.append(statement)

    event.listen(engine, "connect", lambda driver, _: _listen(driver, note))
    stream = make_stream(_BEFORE + 1)
    request = next(stream)
    for _ in range(_BEFORE):
        request = stream.send(_answer(app, request))
    statements.clear()
    _answer(app, request)
    engine.dispose()
    return len(statements)


def _listen(driver: Any, note: Note) -> None:
    # At the driver and not at SQLAlchemy, so that no statement escapes the count.
    if isinstance(driver, sqlite3.Connection):
        driver.set_trace_callback(note)
    elif hasattr(driver, "cursor_factory"):  # psycopg
        driver.cursor_factory = _noting(driver.cursor_factory, note)
    else:  # PyMySQL
        driver.cursorclass = _noting(driver.cursorclass, note)


def _noting(cursor_class: type[Any], note: Note) -> type[Any]:
    class Noting(cursor_class):  # type: ignore[misc]  # the driver decides which class that is
        def execute(self, query: Any, *args: Any, **kwargs: Any) -> Any:
            note(str(query))
            return super().execute(query, *args, **kwargs)

    return Noting


def _answer(app: Flask, request: Request) -> bytes:
    response = app.test_client().open(
        request.path, method=request.method, headers=list(request.headers), data=request.body
    )
    assert response.status_code == 200, response.text
    return bytes(response.data)
