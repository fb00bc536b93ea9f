"""Routes that may be asked only so often: signing up and in."""

from __future__ import annotations

from functools import wraps

from flask import Response

from .responses import Refusal, fastify, respond
from .route_groups import Call, View


def limited(view: View) -> View:
    """The view, for as long as there are attempts left."""

    @wraps(view)
    def attempt(call: Call) -> Response:
        limit = call.world.sign_in_limit
        left, seconds = limit.record_failure(view.__name__, call.world.clock())
        response = _too_many(seconds) if left < 0 else _answer(view, call)
        response.headers["x-ratelimit-limit"] = str(limit.most)
        response.headers["x-ratelimit-remaining"] = str(max(left, 0))
        response.headers["x-ratelimit-reset"] = str(seconds)
        return response

    return attempt


def _too_many(seconds: int) -> Response:
    refusal = fastify(429, f"Rate limit exceeded, retry in {seconds} seconds")
    response = respond(refusal.status, refusal.body)
    response.headers["Retry-After"] = str(seconds)
    return response


def _answer(view: View, call: Call) -> Response:
    try:
        answer = view(call)
    except Refusal as refusal:
        return respond(refusal.status, refusal.body)
    return answer if isinstance(answer, Response) else respond(*answer)
