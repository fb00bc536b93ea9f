"""Errors in the format of RFC 6749 §5.2, for token endpoints and protected views."""

from __future__ import annotations

import json

from flask import Response

from ..errors import SetupError
from .setup_reports import DESCRIPTION, report

#: RFC 6749 §5.1: these responses must not be stored.
NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


def error_response(
    status: int, error: str | None, description: str | None, *, retry_after: int | None = None
) -> Response:
    """The error as JSON."""
    body = {"error": error} | ({"error_description": description} if description else {})
    response = Response(json.dumps(body), status, NO_STORE, content_type="application/json")
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response


def setup_error_response(error: SetupError) -> Response:
    """The error for programs; the cause is in the log, for the developer."""
    return error_response(500, "server_error", DESCRIPTION.format(report(error)))
