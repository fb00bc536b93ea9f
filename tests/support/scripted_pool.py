"""A `ConnectionPool` that sends nothing: it replays a script, and records requests and waits."""

from __future__ import annotations

import json
from collections.abc import Callable

from flask_activepieces.api_client import ConnectionPool, Retries, Timeout
from flask_activepieces.api_client.errors import ApiError
from flask_activepieces.api_client.response import ApiResponse
from flask_activepieces.api_client.wire import HttpRequest

Step = ApiResponse | ApiError | Callable[[HttpRequest], ApiResponse]


class ScriptedPool(ConnectionPool):
    """Uses one step of the script for each request: a response, an error to raise, or a function."""

    def __init__(self, *script: Step, clock: Callable[[], float] = lambda: 0.0) -> None:
        self.waits: list[float] = []
        super().__init__(retries=Retries(sleep=self.waits.append, random=lambda: 1.0), clock=clock)
        self.script = list(script)
        self.sent: list[HttpRequest] = []

    def send(self, operation: str, request: HttpRequest, *, timeout: Timeout, deadline: float) -> ApiResponse:
        """Record the request, and run the next step."""
        self.sent.append(request)
        step = self.script.pop(0)
        if isinstance(step, ApiError):
            raise step
        return step if isinstance(step, ApiResponse) else step(request)


def json_answer(status: int = 200, body: object = None, **headers: str) -> ApiResponse:
    """A JSON response; keyword arguments are headers: ``retry_after="3"`` is ``retry-after``."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return ApiResponse(
        status, {"content-type": "application/json; charset=utf-8", **named}, json.dumps(body).encode()
    )
