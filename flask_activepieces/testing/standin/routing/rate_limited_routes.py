"""Rate-limited routes: sign-up and sign-in."""

from __future__ import annotations

from functools import wraps

from flask import Response

from .responses import ErrorResponse, framework_error, respond
from .route_groups import RouteCall, View


def rate_limited(view: View) -> View:
    """Reject calls of the view with 429 while the limit is exceeded."""

    @wraps(view)
    def attempt(call: RouteCall) -> Response:
        limit = call.state.sign_in_limit
        left, seconds = limit.record_failure(view.__name__, call.state.clock())
        response = _too_many_requests(seconds) if left < 0 else _answer(view, call)
        response.headers["x-ratelimit-limit"] = str(limit.most)
        response.headers["x-ratelimit-remaining"] = str(max(left, 0))
        response.headers["x-ratelimit-reset"] = str(seconds)
        return response

    return attempt


def _too_many_requests(seconds: int) -> Response:
    error_response = framework_error(429, f"Rate limit exceeded, retry in {seconds} seconds")
    response = respond(error_response.status, error_response.body)
    response.headers["Retry-After"] = str(seconds)
    return response


def _answer(view: View, call: RouteCall) -> Response:
    try:
        response = view(call)
    except ErrorResponse as error_response:
        return respond(error_response.status, error_response.body)
    return response if isinstance(response, Response) else respond(*response)
