"""Error responses: JSON for the API, a page for people."""

from __future__ import annotations

from flask import Flask, jsonify, make_response, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, TimeoutError
from werkzeug.exceptions import HTTPException, ServiceUnavailable

RETRY_AFTER_SECONDS = 5


def init_app(app: Flask) -> None:
    """Register the app's general error handlers. A blueprint's own handlers take precedence."""
    app.register_error_handler(HTTPException, show_http_error)
    app.register_error_handler(DBAPIError, show_database_error)
    app.register_error_handler(TimeoutError, show_database_error)


def show_http_error(error: HTTPException) -> ResponseReturnValue:
    """The error with its status and its headers (Allow, Retry-After)."""
    if error.response is not None:
        return error.response
    if request.path.startswith("/api/"):
        code = error.name.lower().replace(" ", "_")
        response = jsonify(error=code, message=error.description)
    else:
        response = make_response(render_template("error.html", error=error))
    response.status_code = error.code or 500
    headers = dict(error.get_headers())
    headers.pop("Content-Type")  # set above
    response.headers.update(headers)
    return response


def show_database_error(error: DBAPIError | TimeoutError) -> ResponseReturnValue:
    """503 if the database is unreachable; other database errors stay a 500."""
    if not isinstance(error, OperationalError | InterfaceError | TimeoutError):
        raise error
    message = "The database is currently unavailable. Please try again in a moment."
    return show_http_error(ServiceUnavailable(message, retry_after=RETRY_AFTER_SECONDS))
