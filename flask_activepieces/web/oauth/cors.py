"""CORS for what agents in a web page call: these routes read no cookie, so pages of any origin may."""

from __future__ import annotations

from functools import wraps
from typing import Any

from flask import Response, make_response, request
from flask.typing import ResponseReturnValue

from ...errors import SetupError, Unavailable
from ..error_responses import server_error
from ..routes import Route, View

#: How long a browser may remember the answer to a preflight request.
_SECONDS = 24 * 60 * 60
_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, POST, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, MCP-Protocol-Version",
    "Access-Control-Max-Age": str(_SECONDS),
}


def for_any_origin(route: Route) -> Route:
    """The route, whose responses pages of any origin may read, errors included (Fetch §3.2)."""
    return route._replace(methods=(*route.methods, "OPTIONS"), view=_with_headers(route.view))


def _with_headers(view: View) -> View:
    @wraps(view)
    def wrapper(**path: Any) -> ResponseReturnValue:
        if request.method == "OPTIONS":
            response = Response(status=204, headers=_PREFLIGHT)
        else:
            try:
                response = make_response(view(**path))
            except (Unavailable, SetupError) as error:
                response = server_error(error)
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Access-Control-Expose-Headers"] = "WWW-Authenticate, Retry-After"
        return response

    return wrapper
