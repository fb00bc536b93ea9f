"""A fake transport: it records the calls and returns prepared responses."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

from flask_activepieces.api_client.response import ApiResponse, decode
from flask_activepieces.api_client.wire import ApiCall
from tests.support.recordings import recording

JSON = {"content-type": "application/json; charset=utf-8"}


@dataclass
class FakeTransport:
    """Returns its responses in order, decoded like those of the real transport; fails when none is left."""

    responses: list[ApiResponse]
    #: The calls, without query parameters that are not sent.
    calls: list[ApiCall] = field(default_factory=list)

    def send(self, call: ApiCall) -> Any:
        """Return the JSON of the next response, or raise its error."""
        query = {name: value for name, value in call.query.items() if value not in (None, ())}
        self.calls.append(replace(call, query=query))
        return decode(call.operation, self.responses.pop(0))

    @property
    def last(self) -> ApiCall:
        """The latest call."""
        return self.calls[-1]

    @property
    def lines(self) -> list[str]:
        """Method and path of every call."""
        return [f"{call.method} {call.path}" for call in self.calls]


def says(*bodies: Any) -> FakeTransport:
    """A transport with successful responses: JSON bodies, or names of recordings."""
    return FakeTransport([recorded(body) if isinstance(body, str) else answer(200, body) for body in bodies])


def answer(status: int, body: Any = None) -> ApiResponse:
    """A response with a JSON body or, by default, without a body."""
    if body is None:
        return ApiResponse(status, {})
    return ApiResponse(status, JSON, json.dumps(body).encode())


def recorded(name: str) -> ApiResponse:
    """A recorded response."""
    entry = recording(name)
    body = b"" if entry.body is None else json.dumps(entry.body).encode()
    return ApiResponse(entry.status, entry.headers, body)
