"""Counting: the SQL statements of one operation, BEGIN and COMMIT not among them."""

from __future__ import annotations

from typing import Any

from flask import Flask
from sqlalchemy import event

from .client import MakeLane, Request

_WARM_UP = 2


def count_statements(app: Flask, make_lane: MakeLane) -> int:
    """The statements of the last of three requests in a row, which finds everything as in steady work."""
    with app.app_context():
        engine = app.extensions["sqlalchemy"].engine
    statements: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    lane = make_lane(_WARM_UP + 1)
    body = _answer(app, next(lane))
    for _ in range(_WARM_UP - 1):
        body = _answer(app, lane.send(body))
    last = lane.send(body)
    event.listen(engine, "before_cursor_execute", note)
    _answer(app, last)
    engine.dispose()
    return len(statements)


def _answer(app: Flask, request: Request) -> bytes:
    response = app.test_client().open(
        request.path, method=request.method, headers=list(request.headers), data=request.body
    )
    assert response.status_code == 200, response.text
    return response.data
