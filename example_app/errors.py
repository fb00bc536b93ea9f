"""What goes wrong, told as the caller understands it: JSON to programs, a page to people."""

from __future__ import annotations

from flask import Flask, jsonify, make_response, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, TimeoutError
from werkzeug.exceptions import HTTPException, ServiceUnavailable

RETRY_AFTER_SECONDS = 5


def init_app(app: Flask) -> None:
    """Register the handlers. Generic ones only: a blueprint's own handlers go before them."""
    app.register_error_handler(HTTPException, show_error)
    app.register_error_handler(DBAPIError, show_database_error)
    app.register_error_handler(TimeoutError, show_database_error)


def show_error(error: HTTPException) -> ResponseReturnValue:
    """The error under its own status, with the headers that belong to it (Allow, Retry-After)."""
    if error.response is not None:
        return error.response
    if request.path.startswith("/api/"):
        word = error.name.lower().replace(" ", "_")
        response = jsonify(error=word, message=error.description)
    else:
        response = make_response(render_template("error.html", error=error))
    response.status_code = error.code or 500
    headers = dict(error.get_headers())
    headers.pop("Content-Type")  # ours is in place already
    response.headers.update(headers)
    return response


def show_database_error(error: DBAPIError | TimeoutError) -> ResponseReturnValue:
    """503 when the database is away, so that the caller tries again; other faults stay a 500."""
    if not isinstance(error, OperationalError | InterfaceError | TimeoutError):
        raise error
    message = "The database does not answer. Try again in a moment."
    return show_error(ServiceUnavailable(message, retry_after=RETRY_AFTER_SECONDS))
