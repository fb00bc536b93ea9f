"""Errors for programs, in the format of RFC 6749 §5.2; a `SetupError` goes to the log, for the developer."""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import Response, request

from ..errors import SetupError, Unavailable

log = logging.getLogger(__name__)

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

#: RFC 6749 §5.1: these responses must not be stored.
NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
#: What programs learn of a `SetupError`.
DESCRIPTION = "The app is not set up correctly. Its log explains the cause: reference {}."


def error_response(
    status: int, error: str | None, description: str | None, *, retry_after: int | None = None
) -> Response:
    """The error as JSON."""
    body = {"error": error} | ({"error_description": description} if description else {})
    response = Response(json.dumps(body), status, NO_STORE, content_type="application/json")
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return response


def with_server_errors(function: Callable[Parameters, Result]) -> Callable[Parameters, Result | Response]:
    """Respond with an error where the function raises because storage is unavailable or the app is not set up."""

    @wraps(function)
    def wrapper(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result | Response:
        try:
            return function(*args, **kwargs)
        except (Unavailable, SetupError) as error:
            return server_error(error)

    return wrapper


def server_error(error: Unavailable | SetupError) -> Response:
    """The response while storage is unavailable, or where the app is not set up."""
    if isinstance(error, Unavailable):
        return error_response(503, "temporarily_unavailable", str(error), retry_after=error.retry_after)
    return error_response(500, "server_error", DESCRIPTION.format(report(error)))


def report(error: SetupError) -> str:
    """Log what is missing, and return the reference of the log line."""
    reference = secrets.token_hex(4)
    # Without a traceback: the message names the remedy, and anyone can trigger it with a Host header.
    # The path with %r: it may contain line breaks.
    log.error("Reference %s: %s %r: %s", reference, request.method, request.path, error)
    return reference
