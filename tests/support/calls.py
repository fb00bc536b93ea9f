"""A transport that sends nothing: it records the calls, and returns prepared responses."""

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
    """Returns its responses in order, decoded as the real transport does; it fails when there are no more."""

    responses: list[ApiResponse]
    #: Without the parts of the query that are not sent.
    calls: list[ApiCall] = field(default_factory=list)

    def send(self, call: ApiCall) -> Any:
        """The JSON of the next response, or the error that it means."""
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
    """Successful responses with these bodies as JSON; a string is the name of a recording."""
    return FakeTransport([recorded(body) if isinstance(body, str) else answer(200, body) for body in bodies])


def answer(status: int, body: Any = None) -> ApiResponse:
    """A response with this body as JSON, or without one."""
    if body is None:
        return ApiResponse(status, {})
    return ApiResponse(status, JSON, json.dumps(body).encode())


def recorded(name: str) -> ApiResponse:
    """A recorded response."""
    entry = recording(name)
    body = b"" if entry.body is None else json.dumps(entry.body).encode()
    return ApiResponse(entry.status, entry.headers, body)
