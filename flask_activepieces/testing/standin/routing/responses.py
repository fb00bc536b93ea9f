"""The two formats of errors, and responses that several route groups share.

Activepieces itself returns ``{code, params}``; Fastify, its framework, ``{statusCode, error, message}``,
with a ``code`` in some cases. The same cause can lead to either, so the stand-in follows the recordings case by case.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timezone
from http import HTTPStatus
from typing import Any

from flask import Response

Json = Any  # any result of json.loads
Row = dict[str, Any]


class ErrorResponse(Exception):
    """Raised to end a request with an error response."""

    def __init__(self, status: int, body: Json) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body


def activepieces_error(status: int, code: str, params: Row | None) -> ErrorResponse:
    """An error in Activepieces' own format: ``{"code", "params"}``."""
    return ErrorResponse(status, {"code": code, "params": params})


def framework_error(status: int, message: str, *, code: str | None = None) -> ErrorResponse:
    """An error in the framework's format: ``{"statusCode", "code"?, "error", "message"}``."""
    body: Row = {"statusCode": status}
    if code is not None:
        body["code"] = code
    return ErrorResponse(status, {**body, "error": HTTPStatus(status).phrase, "message": message})


def invalid(problems: Sequence[str]) -> ErrorResponse:
    """400: the parameters or the body are invalid."""
    return framework_error(400, ", ".join(problems), code="FST_ERR_VALIDATION")


def route_not_found() -> ErrorResponse:
    """404: this route or method does not exist in this edition and version."""
    return framework_error(404, "Route not found")


def not_found(entity: str, entity_id: str) -> ErrorResponse:
    """404: the route exists, but the entity does not."""
    return activepieces_error(404, "ENTITY_NOT_FOUND", {"entityId": entity_id, "entityType": entity})


def rule_violation(message: str) -> ErrorResponse:
    """409: Activepieces' VALIDATION errors are conflicts in HTTP."""
    return activepieces_error(409, "VALIDATION", {"message": message})


def database_error(message: str, *, code: str | None = None) -> ErrorResponse:
    """500: a PostgreSQL error that Activepieces does not handle; ``code`` is an SQLSTATE."""
    return framework_error(500, message, code=code)


def missing_entity(kind: str, criteria: Row) -> ErrorResponse:
    """500: a row that Activepieces expects is missing."""
    criteria_json = json.dumps(criteria, indent=4, ensure_ascii=False)
    return database_error(f'Could not find any entity of type "{kind}" matching: {criteria_json}')


def single_page(rows: Sequence[Row]) -> Row:
    """All rows in the envelope of a list, on a single page."""
    return {"data": list(rows), "next": None, "previous": None}


def respond(status: int, body: Json = None) -> Response:
    """A JSON response, or an empty one without a body (204)."""
    if body is None:
        return Response(status=status)
    payload = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Response(payload, status, content_type="application/json; charset=utf-8")


def timestamp(instant: float) -> str:
    """A time as Activepieces writes it: UTC, milliseconds, Z."""
    moment = datetime.fromtimestamp(instant, tz=timezone.utc)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
