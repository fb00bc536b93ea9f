"""The two shapes of an error, and the answers that every area of the stand-in gives alike.

Activepieces itself answers ``{code, params}``; Fastify, the framework under it, ``{statusCode, error, message}``,
with a ``code`` in some cases. The same cause can give either, so the stand-in says at each place which one was seen.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timezone
from http import HTTPStatus
from typing import Any

from flask import Response

Json = Any  # what json.loads gives: the wire knows no narrower type
Row = dict[str, Any]


class ErrorResponse(Exception):
    """An error answer, raised wherever the stand-in finds that it has to give one."""

    def __init__(self, status: int, body: Json) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body


def activepieces_error(status: int, code: str, params: Row | None) -> ErrorResponse:
    """An error in the words of Activepieces: ``{"code", "params"}``."""
    return ErrorResponse(status, {"code": code, "params": params})


def framework_error(status: int, message: str, *, code: str | None = None) -> ErrorResponse:
    """An error in the words of the framework: ``{"statusCode", "code"?, "error", "message"}``."""
    body: Row = {"statusCode": status}
    if code is not None:
        body["code"] = code
    return ErrorResponse(status, {**body, "error": HTTPStatus(status).phrase, "message": message})


def invalid(problems: Sequence[str]) -> ErrorResponse:
    """400: the parameters or the body do not have the route's form."""
    return framework_error(400, ", ".join(problems), code="FST_ERR_VALIDATION")


def route_not_found() -> ErrorResponse:
    """404: there is no such route, or none with this method, in this edition and version."""
    return framework_error(404, "Route not found")


def not_found(entity: str, entity_id: str) -> ErrorResponse:
    """404: the route exists, the thing does not."""
    return activepieces_error(
        404, "ENTITY_NOT_FOUND", {"entityId": entity_id, "entityType": entity}
    )


def rule_violation(message: str) -> ErrorResponse:
    """409: what Activepieces calls VALIDATION is a conflict to HTTP."""
    return activepieces_error(409, "VALIDATION", {"message": message})


def database_error(message: str, *, code: str | None = None) -> ErrorResponse:
    """500: something that Activepieces leaves to PostgreSQL to refuse; ``code`` is an SQLSTATE."""
    return framework_error(500, message, code=code)


def missing_entity(kind: str, wanted: Row) -> ErrorResponse:
    """500: a row that Activepieces takes for granted is not there."""
    matching = json.dumps(wanted, indent=4, ensure_ascii=False)
    return database_error(f'Could not find any entity of type "{kind}" matching: {matching}')


def single_page(rows: Sequence[Row]) -> Row:
    """All rows on one page, in the envelope of a list."""
    return {"data": list(rows), "next": None, "previous": None}


def respond(status: int, body: Json = None) -> Response:
    """An answer as JSON, or an empty one when there is nothing to say (204)."""
    if body is None:
        return Response(status=status)
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Response(text, status, content_type="application/json; charset=utf-8")


def timestamp(instant: float) -> str:
    """An instant as Activepieces writes it: UTC, milliseconds, Z."""
    moment = datetime.fromtimestamp(instant, tz=timezone.utc)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
